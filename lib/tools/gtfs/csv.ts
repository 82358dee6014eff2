/**
 * Reads one table of a feed row by row: UTF-8 with or without a byte order mark,
 * quoted fields, any line ending. Works in pieces, so a table of any size needs
 * little memory and never holds up the process for long.
 *
 * @module
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import Papa from "papaparse";
import { FeedError, quoted } from "./errors.ts";
import type { FeedFiles, FileName } from "./read.ts";

/** About how many characters are parsed before others get their turn. */
const PIECE = 32 * 1024;
/** A row longer than this is an unclosed quote, not a row. */
const MAX_ROW = 1024 * 1024;

/** A feed being read, and what ends the reading early. */
export interface Source {
  feed: FeedFiles;
  signal: AbortSignal;
}

/** The row being read; the same object for every row of a table. */
export class Row {
  values: string[] = [];
  line = 1;
  #columns: Map<string, number>;

  constructor(readonly file: FileName, header: string[]) {
    this.#columns = new Map(header.map((name, i) => [name.trim(), i]));
  }

  has(field: string): boolean {
    return this.#columns.has(field);
  }

  /** The field without surrounding space; "" when absent or blank. */
  text(field: string): string {
    const at = this.#columns.get(field);
    return at === undefined ? "" : (this.values[at] ?? "").trim();
  }

  /** The field, which may not be blank. */
  required(field: string): string {
    const value = this.text(field);
    if (value === "") throw this.fault(field, "may not be blank");
    return value;
  }

  /** A whole number of 0 or more; `blank` when the field is blank. */
  whole(field: string, blank?: number): number {
    const value = this.text(field);
    if (value === "" && blank !== undefined) return blank;
    if (!/^\d{1,9}$/.test(value)) {
      throw this.fault(field, `is not a whole number: ${quoted(value)}`);
    }
    return Number(value);
  }

  /** One of the choices 0 to `max` of an enumerated field; 0 when blank. */
  choice(field: string, max: number): number {
    const value = this.whole(field, 0);
    if (value > max) throw this.fault(field, `is not 0 to ${max}: ${value}`);
    return value;
  }

  /** An error about a field of this row, to be thrown. */
  fault(field: string, reason: string): FeedError {
    return new FeedError(reason, { file: this.file, line: this.line, field });
  }
}

/**
 * The end of the last whole row in `text`: a line break outside quotes. A quote
 * inside a quoted field is doubled, so an even count means outside.
 */
function lastRowEnd(text: string): number {
  let inside = false;
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) inside = !inside;
    else if (code === 10 && !inside) end = at + 1;
  }
  return end;
}

async function* textPieces(
  { feed, signal }: Source,
  file: FileName,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  const decode = (bytes?: Uint8Array) => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch {
      throw new FeedError("is not UTF-8 text", { file });
    }
  };
  for await (const bytes of feed.read(file)) {
    rest += decode(bytes);
    if (rest.length < PIECE) continue;
    const end = lastRowEnd(rest);
    if (end > 0) yield rest.slice(0, end);
    rest = rest.slice(end);
    if (rest.length > MAX_ROW) {
      throw new FeedError("has a row that does not end (an open quote?)", {
        file,
      });
    }
    await nextTurn();
    signal.throwIfAborted();
  }
  rest += decode();
  if (rest) yield rest;
}

/**
 * Reads a table and hands every row to `each`. A table that is not in the feed
 * is read as empty; ask `source.feed.has` where it must exist.
 *
 * @param columns columns the header must name
 * @throws {FeedError} no header, a missing column, broken quotes, not UTF-8, or
 * a row with more values than the header has names
 */
export async function readTable(
  source: Source,
  file: FileName,
  columns: string[],
  each: (row: Row) => void,
): Promise<void> {
  if (!source.feed.has(file)) return;
  let row: Row | undefined;
  let width = 0;
  let line = 1;
  for await (const text of textPieces(source, file)) {
    const mayWrap = text.includes('"');
    const plain = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
    const { data, errors } = Papa.parse<string[]>(plain, {
      delimiter: ",",
      newline: "\n",
    });
    const broken = errors[0]?.row;
    for (const [i, values] of data.entries()) {
      if (i === broken) {
        throw new FeedError("has quotes that do not match", { file, line });
      }
      if (values.length > 1 || values[0]?.trim()) {
        if (!row) {
          row = new Row(file, values);
          width = values.length;
          for (const field of columns) {
            if (!row.has(field)) {
              throw new FeedError(`has no column ${quoted(field)}`, { file });
            }
          }
        } else {
          row.line = line;
          row.values = values;
          if (values.length > width && values.slice(width).some((v) => v)) {
            throw new FeedError(
              `has ${values.length} values, the header has ${width}`,
              { file, line },
            );
          }
          each(row);
        }
      }
      line += 1;
      if (mayWrap) {
        for (const value of values) line += value.split("\n").length - 1;
      }
    }
    // A piece ends with a line break, after which Papa sees one empty row.
    if (plain.endsWith("\n")) line -= 1;
  }
  if (!row) throw new FeedError("is empty", { file });
}
