/**
 * The tutorial's stream: plain text over SSE, newline-safe, for a page that
 * appends `event.data` (protocol 2.6). Tools and reasoning are not shown.
 *
 * Raw SSE text cannot carry a carriage return, so CR and CRLF become LF; whether
 * a LF belongs to a CR before it is remembered from one frame to the next. For
 * that the log is always read from its start, and only what lies behind the
 * cursor is sent.
 *
 * @module
 */
import { PART_BREAK } from "../chat/answer.ts";
import { frameId } from "../chat/ids.ts";
import type { Entry } from "../runs/mod.ts";
import type { FrameFormat } from "./sse.ts";

/**
 * @param after Sequence up to which the page has everything.
 */
export function plainFrames(after: number): FrameFormat {
  let endsInCr = false;
  let said = false;
  let breakDue = false;

  function text(delta: string): string {
    let piece = endsInCr && delta.startsWith("\n") ? delta.slice(1) : delta;
    endsInCr = delta.endsWith("\r");
    piece = piece.replace(/\r\n?/g, "\n");
    if (piece === "") return "";
    if (breakDue) piece = PART_BREAK + piece;
    breakDue = false;
    said = true;
    return piece;
  }

  return {
    headers: {},
    shared: false,
    opening: "retry: 1000\n\n",
    closing: "",
    beat: ": hb\n\n",
    frame(run, entry) {
      const { event } = entry;
      const id = `id: ${frameId(run, entry)}\n`;
      const fresh = entry.seq > after;
      switch (event.type) {
        case "start":
          // An id alone: the cursor is set before any text, so that the very
          // first reconnect already resumes instead of asking again. Not where
          // the page is further: a cut would send it back to the beginning.
          return fresh ? `${id}\n` : "";
        case "text-start":
          breakDue = said;
          return "";
        case "text-delta": {
          const piece = text(event.delta);
          return fresh && piece !== "" ? `${id}${dataLines(piece)}\n` : "";
        }
        case "error":
          return `${failed(entry)}${id}event: done\ndata: \n\n`;
        case "abort":
        case "finish":
          return `${id}event: done\ndata: \n\n`;
        default:
          return "";
      }
    },
  };
}

/** Told under a name of its own, so that it is never typed into the answer. */
function failed(entry: Entry): string {
  const { event } = entry;
  if (event.type !== "error") return "";
  const { code, errorText, retryable } = event;
  return `event: failed\ndata: ${
    JSON.stringify({ code, errorText, retryable })
  }\n\n`;
}

function dataLines(text: string): string {
  return text.split("\n").map((line) => `data: ${line}\n`).join("");
}
