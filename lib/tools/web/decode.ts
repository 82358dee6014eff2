/**
 * From the bytes of an answer to its text: what was packed is unpacked, no
 * further than allowed (DN12, case S06), and the letters are found out.
 *
 * @module
 */
import {
  brotliDecompressSync,
  gunzipSync,
  inflateRawSync,
  inflateSync,
} from "node:zlib";
import { WebError } from "./errors.ts";
import { MAX_BODY, tooLarge } from "./http.ts";

/**
 * Unpacks a body.
 *
 * @param coding The header Content-Encoding.
 * @throws {WebError} over 2 MB unpacked, damaged, or packed in no known way
 */
export function unpack(body: Uint8Array, coding: string): Uint8Array {
  const unpacker = unpackerOf(coding.trim().toLowerCase(), body);
  if (unpacker === null || body.length === 0) return body;
  try {
    // The limit holds while it unpacks: no larger piece is ever made.
    return unpacker(body, { maxOutputLength: MAX_BODY });
  } catch (error) {
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") {
      throw tooLarge();
    }
    throw new WebError("the page is packed in a way that cannot be unpacked", {
      cause: error,
    });
  }
}

function unpackerOf(coding: string, body: Uint8Array) {
  switch (coding) {
    case "":
    case "identity":
      return null;
    case "gzip":
    case "x-gzip":
      return gunzipSync;
    case "br":
      return unpackBrotli;
    case "deflate":
      // Meant with a zlib header (RFC 9110, 8.4.1.2), often sent without.
      return (body[0]! & 0x0f) === 8 ? inflateSync : inflateRawSync;
    default:
      // Several layers too: nobody does that to be read.
      throw new WebError("the page is packed in a way that was not asked for");
  }
}

/** Of damage the runtime says nothing here: it answers that nothing was in it. */
function unpackBrotli(
  body: Uint8Array,
  options: { maxOutputLength: number },
): Uint8Array {
  const unpacked = brotliDecompressSync(body, options);
  // Nothing, packed, is a byte or two.
  if (unpacked.length === 0 && body.length > 4) throw new Error("damaged");
  return unpacked;
}

const MARKS: [string, number[]][] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

/**
 * Decodes text: by its byte order mark, else by what the header says, else by
 * what the page says of itself, else as UTF-8, else as Windows-1252 (the order
 * of the Encoding and HTML standards).
 *
 * @param declared Finds what a page says of itself in its first 4 KB, read as
 *   Latin-1.
 */
export function decode(
  bytes: Uint8Array,
  header: string | null,
  declared: (start: string) => string | null,
): string {
  const mark = MARKS.find(([, mark]) => mark.every((b, i) => bytes[i] === b));
  if (mark) return new TextDecoder(mark[0]).decode(bytes);
  const named = decoderOf(header) ?? ofPage(bytes, declared);
  if (named !== null) return named.decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

function ofPage(
  bytes: Uint8Array,
  declared: (start: string) => string | null,
): TextDecoder | null {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 4_096));
  const found = decoderOf(declared(start));
  // The declaration was read as bytes: in UTF-16 that had not been possible.
  return found?.encoding.startsWith("utf-16") ? new TextDecoder() : found;
}

function decoderOf(label: string | null): TextDecoder | null {
  try {
    return label === null ? null : new TextDecoder(label);
  } catch {
    return null; // No such encoding.
  }
}
