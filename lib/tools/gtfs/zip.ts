/**
 * Reads zip files by their central directory, inflating piece by piece and
 * counting what comes out, so that a bomb is refused before it is unpacked
 * (cases I01, I02 hold for feeds as well).
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { Inflate } from "fflate";
import { FeedError } from "./errors.ts";

/** One file inside a zip. */
export interface ZipEntry {
  name: string;
  /** Size in the zip and size it claims to have when inflated, in bytes. */
  packed: number;
  size: number;
  method: number;
  crc: number;
  /** Where its local header begins. */
  offset: number;
}

const MAX_ENTRIES = 1000;
const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
/** How much packed data is inflated at a time; bounds one step's output. */
const PIECE = 16 * 1024;

function damaged(what: string): FeedError {
  return new FeedError(`the zip file is damaged: ${what}`);
}

/** The end-of-directory record stands in the last 64 KiB, before a comment. */
function findEnd(view: DataView): number {
  const lowest = Math.max(0, view.byteLength - 22 - 0xffff);
  for (let at = view.byteLength - 22; at >= lowest; at--) {
    if (view.getUint32(at, true) === END_OF_DIRECTORY) return at;
  }
  throw damaged("it has no directory");
}

/**
 * The files of a zip, folders left out.
 *
 * @throws {FeedError} damaged, encrypted, split, zip64, or over 1,000 entries
 */
export function readDirectory(zip: Uint8Array): ZipEntry[] {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff) {
    throw new FeedError("the zip file is in zip64 form, which is not read");
  }
  if (count > MAX_ENTRIES) {
    throw new FeedError(
      `the zip file holds ${count} entries, more than ${MAX_ENTRIES}`,
    );
  }
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== DIRECTORY_ENTRY) {
      throw damaged(`entry ${i + 1} of its directory cannot be read`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(
      zip.subarray(at + 46, at + 46 + nameLength),
    );
    if (view.getUint16(at + 8, true) & 1) {
      throw new FeedError(`the zip file is encrypted`, { file: name });
    }
    if (!name.endsWith("/")) {
      entries.push({
        name,
        method: view.getUint16(at + 10, true),
        crc: view.getUint32(at + 16, true),
        packed: view.getUint32(at + 20, true),
        size: view.getUint32(at + 24, true),
        offset: view.getUint32(at + 42, true),
      });
    }
    at += 46 + nameLength + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
  }
  return entries;
}

/** The packed bytes of one entry. */
function packedBytes(zip: Uint8Array, entry: ZipEntry): Uint8Array {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const at = entry.offset;
  if (at + 30 > zip.length || view.getUint32(at, true) !== LOCAL_HEADER) {
    throw damaged(`"${entry.name}" is not where the directory says`);
  }
  const start = at + 30 + view.getUint16(at + 26, true) +
    view.getUint16(at + 28, true);
  if (start + entry.packed > zip.length) {
    throw damaged(`"${entry.name}" is cut off`);
  }
  return zip.subarray(start, start + entry.packed);
}

/**
 * The content of one entry, piece by piece.
 *
 * @throws {FeedError} more bytes than claimed, a wrong checksum, an unknown method
 */
export function* unpack(
  zip: Uint8Array,
  entry: ZipEntry,
): Generator<Uint8Array> {
  const packed = packedBytes(zip, entry);
  let bytes = 0;
  let crc = 0;
  const seen = (piece: Uint8Array) => {
    bytes += piece.length;
    if (bytes > entry.size) {
      throw damaged(`"${entry.name}" is larger than its directory says`);
    }
    crc = crc32(piece, crc);
    return piece;
  };
  if (entry.method === 0) {
    for (let i = 0; i < packed.length; i += 64 * 1024) {
      yield seen(packed.subarray(i, i + 64 * 1024));
    }
  } else if (entry.method === 8) {
    let out: Uint8Array[] = [];
    const inflate = new Inflate((piece) => out.push(piece));
    for (let i = 0; i < packed.length || i === 0; i += PIECE) {
      try {
        inflate.push(packed.subarray(i, i + PIECE), i + PIECE >= packed.length);
      } catch {
        throw damaged(`"${entry.name}" cannot be inflated`);
      }
      for (const piece of out) if (piece.length) yield seen(piece);
      out = [];
    }
  } else {
    throw new FeedError(
      `the zip file uses packing method ${entry.method}, which is not read`,
      { file: entry.name },
    );
  }
  if (bytes !== entry.size || crc !== entry.crc) {
    throw damaged(`"${entry.name}" fails its checksum`);
  }
}
