/**
 * What a person would see of an HTML page, as text (case I08). The tokenizer is a
 * library's; which elements are open, and what is seen of them, is ours: nothing
 * here calls itself, so no depth of nesting can exhaust the stack.
 *
 * @module
 */
import { Tokenizer, type TokenizerCallbacks } from "htmlparser2";
import { BLOCKS, type Element, OpenElements } from "./elements.ts";
import { MarkdownWriter } from "./markdown.ts";

export interface HtmlText {
  /** Of the element `title`; perhaps empty. */
  title: string;
  text: string;
  /** Whether the page went on. */
  cut: boolean;
}

/** Attributes that mean something here; the others are not even kept. */
const ATTRIBUTES = new Set(
  "aria-hidden hidden href open popover role start style".split(" "),
);
/** Most tags have none of them. */
const NONE: ReadonlyMap<string, string> = new Map();
/** Longest value of an attribute that is looked at, in UTF-16 units. */
const MAX_VALUE = 2_048;
/** The main part of a page stands for all of it if it has this many letters. */
const MAIN_LETTERS = 200;
/** How much is read between two looks at the clock, in UTF-16 units. */
const STEP = 16 * 1024;
/** Milliseconds of work after which others get their turn. */
const TURN = 15;

export interface HtmlOptions {
  /** Where it came from, for the addresses of its links. */
  url: URL;
  /** It is XHTML: empty elements may be written `<script/>`. */
  xml?: boolean;
  signal: AbortSignal;
}

/**
 * Reads a page. If it says which part is the main one, that is the text; menus
 * and footers are left out then.
 *
 * @throws the reason of `signal`
 */
export async function readHtml(
  html: string,
  { url, xml = false, signal }: HtmlOptions,
): Promise<HtmlText> {
  const reader = new PageReader(html, url, xml);
  const tokenizer = new Tokenizer(
    { decodeEntities: true, recognizeSelfClosing: xml },
    reader,
  );
  let since = performance.now();
  for (let at = 0; at < html.length && !reader.enough; at += STEP) {
    // The offsets the tokenizer tells go on from step to step.
    tokenizer.write(html.slice(at, at + STEP));
    if (performance.now() - since < TURN) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal.throwIfAborted();
    since = performance.now();
  }
  const cut = reader.enough;
  if (!cut) tokenizer.end();
  return { ...reader.finish(), cut };
}

/** Follows the tokens of a page. */
class PageReader implements TokenizerCallbacks {
  readonly #writer = new MarkdownWriter();
  readonly #elements = new OpenElements((element) => this.#ended(element));
  /** Numbers of the next items of the open lists; null where dots are. */
  readonly #lists: (number | null)[] = [];
  /** What was written of `main` elements, from mark to mark. */
  readonly #main: [number, number][] = [];
  #mainFrom: number | null = null;
  #title: string | null = null;
  #inTitle = false;
  #base: URL;
  #hasBase = false;

  // The tag that is being read.
  #name = "";
  #attributes: ReadonlyMap<string, string> = NONE;
  #attribute: string | null = null;
  #value = "";

  constructor(
    private readonly html: string,
    url: URL,
    private readonly xml: boolean,
  ) {
    this.#base = url;
  }

  /** Whether reading on would add nothing. */
  get enough(): boolean {
    return this.#writer.full || this.#elements.full;
  }

  finish(): { title: string; text: string } {
    this.#elements.endAll();
    const writer = this.#writer;
    const main = this.#main.map(([from, to]) => writer.slice(from, to))
      .filter((text) => text !== "").join("\n\n");
    return {
      title: (this.#title ?? "").replace(/\s+/g, " ").trim(),
      text: main.length >= MAIN_LETTERS ? main : writer.slice(0),
    };
  }

  // Text.

  ontext(start: number, end: number): void {
    this.#text(this.html.slice(start, end));
  }

  ontextentity(code: number): void {
    this.#text(String.fromCodePoint(code));
  }

  #text(text: string): void {
    if (!this.#elements.hidden) this.#writer.text(text);
    else if (this.#inTitle && this.#title!.length < MAX_VALUE) {
      this.#title += text;
    }
  }

  // Tags.

  onopentagname(start: number, end: number): void {
    this.#name = this.html.slice(start, end).toLowerCase();
    this.#attributes = NONE;
  }

  onattribname(start: number, end: number): void {
    const name = this.html.slice(start, end).toLowerCase();
    // Of two with one name the first counts.
    const known = ATTRIBUTES.has(name) && !this.#attributes.has(name);
    this.#attribute = known ? name : null;
    this.#value = "";
  }

  onattribdata(start: number, end: number): void {
    if (this.#attribute === null || this.#value.length > MAX_VALUE) return;
    this.#value += this.html.slice(start, end);
  }

  onattribentity(code: number): void {
    if (this.#attribute === null || this.#value.length > MAX_VALUE) return;
    this.#value += String.fromCodePoint(code);
  }

  onattribend(): void {
    if (this.#attribute === null) return;
    const value = this.#value.slice(0, MAX_VALUE);
    this.#attributes = new Map([...this.#attributes, [this.#attribute, value]]);
    this.#attribute = null;
  }

  onopentagend(): void {
    this.#start(false);
  }

  onselfclosingtag(): void {
    const foreign = this.#elements.foreign ||
      this.#name === "svg" || this.#name === "math";
    this.#start(this.xml || foreign);
  }

  onclosetag(start: number, end: number): void {
    const name = this.html.slice(start, end).toLowerCase();
    // A line end is what `</br>` means too.
    if (name === "br") this.#line();
    else this.#elements.end(name);
  }

  isInForeignContext(): boolean {
    return this.#elements.foreign;
  }

  #start(selfClosing: boolean): void {
    const name = this.#name;
    // They frame the page; hiding them until a script has run is a habit.
    if (name === "html" || name === "head" || name === "body") return;
    const { foreign, hidden } = this.#elements;
    const element = this.#elements.start(name, this.#attributes, selfClosing);
    if (name === "title" && !foreign && !hidden && this.#title === null) {
      this.#title = "";
      this.#inTitle = true;
    }
    if (name === "base" && !hidden) this.#rebase(element);
    if (element.seen) this.#began(element);
  }

  #rebase({ attributes }: Element): void {
    const href = attributes.get("href");
    if (this.#hasBase || href === undefined) return;
    this.#hasBase = true;
    this.#base = URL.parse(href, this.#base.href) ?? this.#base;
  }

  #line(): void {
    if (!this.#elements.hidden) this.#writer.line(1);
  }

  /** The mark of an element that is seen. What has an end is undone there. */
  #began({ name, attributes }: Element): void {
    const writer = this.#writer;
    switch (name) {
      case "br":
        return writer.line(1);
      case "hr":
        return writer.rule();
      case "h1":
      case "h2":
      case "h3":
      case "h4":
      case "h5":
      case "h6":
        return writer.heading(Number(name[1]));
      case "ol":
      case "ul":
      case "menu":
      case "dir": {
        writer.line(this.#lists.length > 0 ? 1 : 2);
        const start = parseInt(attributes.get("start") ?? "1", 10);
        this.#lists.push(
          name === "ol" ? Number.isSafeInteger(start) ? start : 1 : null,
        );
        return;
      }
      case "li": {
        const list = this.#lists.length - 1;
        const number = this.#lists[list] ?? null;
        if (number !== null) this.#lists[list] = number + 1;
        return writer.enter({ item: number === null ? "- " : `${number}. ` });
      }
      case "blockquote":
        return writer.enter({ quote: true });
      case "pre":
      case "xmp":
      case "listing":
      case "plaintext":
        return writer.beginVerbatim();
      case "tr":
        return writer.row();
      case "td":
      case "th":
        return writer.cell();
      case "a":
        return writer.beginLink(() => this.#address(attributes.get("href")));
      case "button":
        return writer.text(" ");
    }
    if (name === "main" || attributes.get("role") === "main") {
      writer.line(2);
      this.#mainFrom ??= writer.mark;
    } else if (BLOCKS.has(name) || name === "caption") {
      writer.line(ROOMY.has(name) ? 2 : 1);
    }
  }

  #ended(element: Element): void {
    const { name } = element;
    if (name === "title") this.#inTitle = false;
    if (!element.seen) return;
    const writer = this.#writer;
    switch (name) {
      case "ol":
      case "ul":
      case "menu":
      case "dir":
        this.#lists.pop();
        return writer.line(this.#lists.length > 0 ? 1 : 2);
      case "li":
        return writer.leave(1);
      case "blockquote":
        return writer.leave(2);
      case "pre":
      case "xmp":
      case "listing":
      case "plaintext":
        return writer.endVerbatim();
      case "table":
        return writer.endTable();
      case "a":
        return writer.endLink();
      case "button":
        return writer.text(" ");
    }
    if (name === "main" || element.attributes.get("role") === "main") {
      this.#endMain();
    } else if (BLOCKS.has(name) || name === "caption") {
      writer.line(ROOMY.has(name) ? 2 : 1);
    }
  }

  #endMain(): void {
    if (this.#mainFrom === null) return;
    this.#writer.line(2);
    this.#main.push([this.#mainFrom, this.#writer.mark]);
    this.#mainFrom = null;
  }

  /** Where a link leads, if a browser would leave the page for it. */
  #address(href: string | undefined): string | null {
    if (href === undefined || href.trimStart().startsWith("#")) return null;
    const url = URL.parse(href, this.#base.href);
    if (url === null || url.username !== "" || url.password !== "") return null;
    return /^https?:$/.test(url.protocol) ? url.href : null;
  }

  // Nobody sees these.
  oncdata(): void {}
  oncomment(): void {}
  ondeclaration(): void {}
  onprocessinginstruction(): void {}
  onend(): void {}
}

/** Blocks with an empty line before and after them. */
const ROOMY = new Set(
  "details dl fieldset figure h1 h2 h3 h4 h5 h6 p table".split(" "),
);
