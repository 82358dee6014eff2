/**
 * What a server answered to a call, as a tool's answer: text for the model, data
 * for the screen. Pictures and files are named, not poured into the text.
 *
 * @module
 */
import type {
  CallToolResult,
  ContentBlock,
} from "@modelcontextprotocol/client";
import type { Json, ToolOutput } from "../../chat/events.ts";
import { visible } from "./definition.ts";

/** Most of an answer that is taken over, in UTF-16 units; the log takes less. */
const MAX_TEXT = 1_000_000;
/** Longest error text for the model. */
const MAX_ERROR = 4_000;

/** A call's answer, or the words of its failure. */
export function readResult(
  result: CallToolResult,
): { ok: true; output: ToolOutput } | { ok: false; errorText: string } {
  const pieces: string[] = [];
  let length = 0;
  for (const block of result.content ?? []) {
    const piece = textOf(block);
    pieces.push(piece.slice(0, MAX_TEXT - length));
    length += piece.length;
    if (length >= MAX_TEXT) {
      pieces.push(
        "[cut: the server's answer is longer than a million characters]",
      );
      break;
    }
  }
  const structured = result.structuredContent as Json | undefined;
  // By the specification the same is in the text; not every server does that.
  if (pieces.length === 0 && structured !== undefined) {
    pieces.push(JSON.stringify(structured).slice(0, MAX_TEXT));
  }
  const text = pieces.join("\n").toWellFormed();
  if (result.isError === true) {
    return {
      ok: false,
      errorText: text.trim().slice(0, MAX_ERROR) ||
        "The tool failed and said nothing.",
    };
  }
  const output: ToolOutput = { text: text === "" ? "(no content)" : text };
  // Inside a kind of our own: a server cannot pass for a tool of the house.
  if (structured !== undefined) output.data = { kind: "mcp", structured };
  return { ok: true, output };
}

function textOf(block: ContentBlock): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "image":
    case "audio":
      return `[${block.type}: ${word(block.mimeType)}, ${
        sizeOf(block.data)
      }, not shown]`;
    case "resource": {
      const { resource } = block;
      const name = `${word(resource.uri)}`;
      return "text" in resource
        ? `[${name}]\n${resource.text}`
        : `[${name}: ${word(resource.mimeType ?? "file")}, ${
          sizeOf(resource.blob)
        }, not shown]`;
    }
    case "resource_link":
      return `[link: ${word(block.title ?? block.name)} ${word(block.uri)}]`;
    default:
      return "[content of a kind that is not known here]";
  }
}

/** In one line, short, without what nobody sees. */
const word = (text: string): string =>
  visible(text).replace(/\s+/g, " ").slice(0, 500);

function sizeOf(base64: string): string {
  const bytes = Math.floor(base64.length * 3 / 4);
  return bytes < 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} KB`;
}
