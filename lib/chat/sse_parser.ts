/**
 * Server-sent events, bytes in, events out: the WHATWG rules ("Interpreting an
 * event stream"), cases P01-P16. Pure and synchronous; the upstream reader on
 * the server and the chat client in the browser both feed it.
 *
 * This is the hot path (one `push` per network read, tens of thousands of
 * tokens a second): a read is decoded once, line ends are found by `indexOf`,
 * and only values somebody asked for are cut out.
 *
 * @module
 */

/** One dispatched event. */
export interface SseEvent {
  /** The `event` field; "message" when the stream named none. */
  type: string;
  /** The `data` lines, joined with LF. May be empty. */
  data: string;
  /** The last event id so far, "" when there is none. */
  id: string;
}

/** What a reader wants to hear. Callbacks run inside `push`, in stream order. */
export interface SseListener {
  /** A block with at least one data line ended. */
  event(event: SseEvent): void;
  /**
   * A block that set an id ended, with data or without. Called after `event`,
   * so a cursor is never stored for an event that was not applied.
   */
  id?(id: string): void;
  /** The server asked for this reconnection delay, in milliseconds. */
  retry?(ms: number): void;
}

export interface SseParser {
  /**
   * Takes the next bytes; they may be reused afterwards.
   *
   * @throws {SseTooLongError} past the limit; what a listener throws passes
   * through. The parser is of no further use after either.
   */
  push(chunk: Uint8Array): void;
}

/** A line, or the data of one event, outgrew the limit (case P16). */
export class SseTooLongError extends Error {
  override name = "SseTooLongError";
  constructor(what: "line" | "event", limit: number) {
    super(
      `Cannot read the event stream: one ${what} is longer than ${limit} characters`,
    );
  }
}

const LF = 10, SPACE = 32, COLON = 58, BOM = 0xfeff;
const D = 100, E = 101, I = 105, R = 114;

/** 2 MiB: far above any frame or chunk, far below what would hurt a server. */
const DEFAULT_LIMIT = 2 * 1024 * 1024;

/**
 * A parser for one connection. When the connection ends the parser is simply
 * left: an event without its blank line is never dispatched, nor its id.
 *
 * @param limits.line the longest line, and the most data of one event, in
 * UTF-16 units; 2 MiB unless said otherwise.
 */
export function sseParser(
  on: SseListener,
  limits: { line?: number } = {},
): SseParser {
  const limit = limits.line ?? DEFAULT_LIMIT;
  // Not fatal: a broken byte becomes U+FFFD. The leading BOM is ours to strip,
  // because Deno 2.9's streaming decoder drops one at the start of every read.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let atStart = true;
  /** The line begun by earlier reads. */
  let begun = "";
  /** The last read ended in CR: an LF that follows belongs to it. */
  let afterCR = false;
  /** null until a data line was seen: an empty one is still an event. */
  let data: string | null = null;
  let type = "";
  let id = "";
  let idIsNew = false;

  function dispatch() {
    const ended = data;
    const name = type;
    data = null;
    type = "";
    if (ended !== null) {
      on.event({ type: name === "" ? "message" : name, data: ended, id });
    }
    if (idIsNew) {
      idIsNew = false;
      on.id?.(id);
    }
  }

  function addData(value: string) {
    if (data === null) data = value;
    else if (data.length + value.length >= limit) {
      throw new SseTooLongError("event", limit);
    } else data += "\n" + value;
  }

  function setId(value: string) {
    if (value.includes("\0")) return;
    id = value;
    idIsNew = true;
  }

  function setRetry(value: string) {
    if (/^[0-9]+$/.test(value)) on.retry?.(Number(value));
  }

  /** Reads the line at [start, end) of `text`, its end of line excluded. */
  function line(text: string, start: number, end: number) {
    if (start === end) return dispatch();
    switch (text.charCodeAt(start)) {
      case D:
        if (isField("data", text, start, end)) {
          addData(valueOf(text, start + 5, end));
        }
        return;
      case E:
        if (isField("event", text, start, end)) {
          type = valueOf(text, start + 6, end);
        }
        return;
      case I:
        if (isField("id", text, start, end)) {
          setId(valueOf(text, start + 3, end));
        }
        return;
      case R:
        if (on.retry !== undefined && isField("retry", text, start, end)) {
          setRetry(valueOf(text, start + 6, end));
        }
    }
  }

  function push(chunk: Uint8Array) {
    const text = decoder.decode(chunk, { stream: true });
    if (text === "") return;
    let at = 0;
    if (atStart) {
      atStart = false;
      if (text.charCodeAt(0) === BOM) at = 1;
    }
    if (afterCR) {
      afterCR = false;
      if (text.charCodeAt(0) === LF) at = 1;
    }
    // Each kind of line end is searched for only past its last find: a stream
    // that uses one kind alone is still scanned once.
    let lf = text.indexOf("\n", at);
    let cr = text.indexOf("\r", at);
    while (lf !== -1 || cr !== -1) {
      const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr;
      let next = end + 1;
      if (end === cr) {
        if (next === text.length) afterCR = true;
        else if (text.charCodeAt(next) === LF) next++;
      }
      if (begun.length + end - at > limit) {
        throw new SseTooLongError("line", limit);
      }
      if (begun === "") line(text, at, end);
      else {
        const whole = begun + text.slice(at, end);
        begun = "";
        line(whole, 0, whole.length);
      }
      at = next;
      if (lf !== -1 && lf < at) lf = text.indexOf("\n", at);
      if (cr !== -1 && cr < at) cr = text.indexOf("\r", at);
    }
    if (at < text.length) {
      begun += text.slice(at);
      if (begun.length > limit) throw new SseTooLongError("line", limit);
    }
  }

  return { push };
}

/** Whether the line's field is exactly `name`: followed by a colon, or alone. */
function isField(name: string, text: string, start: number, end: number) {
  const after = start + name.length;
  return text.startsWith(name, start) &&
    (after === end || (after < end && text.charCodeAt(after) === COLON));
}

/** The value from `start` on, less one leading space. */
function valueOf(text: string, start: number, end: number): string {
  if (start >= end) return "";
  return text.slice(text.charCodeAt(start) === SPACE ? start + 1 : start, end);
}
