/**
 * The log: one JSON object per line on stderr, a short line for people on a
 * terminal. It takes named fields, never objects, so that nothing gets in by
 * accident; secrets are taken out by value (threat 34), control characters are
 * escaped and every field is cut at 2 KB (X13).
 *
 * @module
 */
import { scrub } from "./scrub.ts";
export { redact, scrub } from "./scrub.ts";

export type LogLevel = "error" | "info" | "debug";
export const LOG_LEVELS: readonly LogLevel[] = ["error", "info", "debug"];

export type LogFields = Record<
  string,
  string | number | boolean | null | undefined
>;

/** Writes what happened. `event` is a short constant, the fields say the rest. */
export interface Log {
  /** `cause` is what was thrown; its message and stack go into the line. */
  error(event: string, fields?: LogFields, cause?: unknown): void;
  info(event: string, fields?: LogFields): void;
  debug(event: string, fields?: LogFields): void;
}

export interface LogOptions {
  /** The least urgent level that is written. Default "info". */
  level?: LogLevel;
  /** Takes one finished line, with its newline. Default: stderr. */
  sink?: (line: string) => void;
  /** Short lines for people instead of JSON. Default: is stderr a terminal? */
  human?: boolean;
}

/** A field is cut here, in bytes of UTF-8. */
const FIELD_BYTES = 2048;
/** Longer text is cut before it is searched for secrets. */
const SEARCHED = 4 * FIELD_BYTES;

const encoder = new TextEncoder();
const scratch = new Uint8Array(FIELD_BYTES);

function cut(text: string): string {
  if (text.length * 3 <= FIELD_BYTES) return text;
  const { read } = encoder.encodeInto(text, scratch);
  return read === text.length ? text : `${text.slice(0, read)}…`;
}

/** What a field may hold, made safe; anything else by its kind alone. */
function fieldValue(value: unknown): string | number | boolean | null {
  switch (typeof value) {
    case "string":
      return cut(scrub(value.slice(0, SEARCHED)));
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
      return value;
    default:
      return value === null ? null : `[${typeof value}]`;
  }
}

const CAUSES = 4;
const STACK_LINES = 8;

function causeFields(cause: unknown): LogFields {
  const messages: string[] = [];
  let at = cause;
  while (at instanceof Error && messages.length < CAUSES) {
    messages.push(`${at.name}: ${at.message}`);
    at = at.cause;
  }
  if (messages.length === 0) {
    messages.push(
      typeof cause === "object" || typeof cause === "function"
        ? String(fieldValue(cause))
        : String(cause),
    );
  }
  const stack = cause instanceof Error && typeof cause.stack === "string"
    ? cause.stack.split("\n").filter((line) => /^\s+at /.test(line))
      .slice(0, STACK_LINES).map((line) => line.trim()).join(" | ")
    : "";
  return {
    cause: messages.join(" <- "),
    ...(stack === "" ? {} : { stack }),
  };
}

/**
 * What JSON leaves alone and a terminal or a log viewer does not: DEL, the C1
 * controls (CSI is one of them), line separators, bidirectional overrides.
 */
const UNSAFE = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function json(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function humanValue(value: unknown): string {
  if (typeof value !== "string") return String(value);
  const quoted = json(value);
  return /^[^\s"\\=]+$/.test(value) && quoted === `"${value}"` ? value : quoted;
}

function humanLine(entry: [string, unknown][]): string {
  const [time, level, event, ...fields] = entry.map(([, value]) => value);
  const clock = String(time).slice(11, 19);
  const rest = fields.map((value, at) =>
    `${humanValue(entry[at + 3]![0])}=${humanValue(value)}`
  );
  const head = level === "error" ? `ERROR ${event}` : String(event);
  return [clock, head, ...rest].join(" ");
}

function toStderr(line: string): void {
  let bytes = encoder.encode(line);
  while (bytes.length > 0) {
    bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  }
}

/** Makes a log. Writing never throws. */
export function createLog(options: LogOptions = {}): Log {
  const { level = "info", sink = toStderr } = options;
  const human = options.human ?? Deno.stderr.isTerminal();
  const loudness = LOG_LEVELS.indexOf(level);

  const format = (
    level: LogLevel,
    event: string,
    fields: LogFields,
    cause: unknown,
  ): string => {
    const entry: [string, unknown][] = [
      ["time", new Date().toISOString()],
      ["level", level],
      ["event", fieldValue(event)],
    ];
    const all = cause === undefined
      ? fields
      : { ...fields, ...causeFields(cause) };
    for (const [name, value] of Object.entries(all)) {
      if (value === undefined) continue;
      if (name === "time" || name === "level" || name === "event") continue;
      entry.push([name, fieldValue(value)]);
    }
    return human
      ? humanLine(entry)
      : `{${entry.map(([k, v]) => `${json(k)}:${json(v)}`).join(",")}}`;
  };
  const write = (
    level: LogLevel,
    event: string,
    fields: LogFields,
    cause?: unknown,
  ) => {
    if (LOG_LEVELS.indexOf(level) > loudness) return;
    try {
      sink(`${format(level, event, fields, cause)}\n`);
    } catch {
      // An error whose getters throw, a sink that is gone: reporting a failure
      // must not become one.
    }
  };
  return {
    error: (event, fields = {}, cause) => write("error", event, fields, cause),
    info: (event, fields = {}) => write("info", event, fields),
    debug: (event, fields = {}) => write("debug", event, fields),
  };
}
