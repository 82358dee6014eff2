/**
 * What is told of a fetched document: its title and its text, without what nobody
 * sees (threat 11).
 *
 * @module
 */
import { declaredCharset } from "./charset.ts";
import { decode } from "./decode.ts";
import type { Fetched } from "./fetch.ts";
import { readHtml } from "./html.ts";
import { MAX_TEXT } from "./markdown.ts";

export interface Page {
  /** In one line; empty if the document has none. */
  title: string;
  text: string;
  /** Whether the document went on. */
  cut: boolean;
}

/** Longest title, in UTF-16 units. */
const MAX_TITLE = 200;

/**
 * Reads a document by its type: HTML for what can be seen of it, all else as it
 * is.
 *
 * @throws the reason of `signal`
 */
export async function readPage(
  { url, type, charset, bytes }: Fetched,
  signal: AbortSignal,
): Promise<Page> {
  const plain = /^text\/(plain|markdown)$|json$/.test(type);
  const declared = plain ? () => null : declaredCharset;
  const source = decode(bytes, charset, declared);
  const xml = type === "application/xhtml+xml";
  const page = xml || type === "text/html"
    ? await readHtml(source, { url, xml, signal })
    : {
      title: "",
      text: source.slice(0, MAX_TEXT),
      cut: source.length > MAX_TEXT,
    };
  return {
    title: visible(page.title).slice(0, MAX_TITLE).toWellFormed(),
    text: visible(page.text),
    cut: page.cut,
  };
}

/**
 * The text without control, formatting and unassigned characters, and without
 * those fonts may leave out: orders for the model could hide in them.
 */
function visible(text: string): string {
  return text.replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(/[^\P{C}\n\t]|\p{Default_Ignorable_Code_Point}|\u2800/gu, "")
    .trim();
}
