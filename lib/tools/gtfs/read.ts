/**
 * Opens a GTFS feed, a zip file or a folder of .txt files, as a set of named
 * files that are read piece by piece.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { FeedError } from "./errors.ts";
import { readDirectory, unpack, type ZipEntry } from "./zip.ts";

/** The largest zip file that is opened, in bytes. */
export const MAX_ZIP = 200 * 1024 * 1024;
/** The largest sum of all files of one feed, inflated, in bytes. */
export const MAX_FEED = 2 * 1024 * 1024 * 1024;

/** The files that are read; all others of a feed are left alone. */
export const FILES = [
  "agency.txt",
  "calendar.txt",
  "calendar_dates.txt",
  "feed_info.txt",
  "frequencies.txt",
  "routes.txt",
  "stop_times.txt",
  "stops.txt",
  "translations.txt",
  "trips.txt",
] as const;

export type FileName = typeof FILES[number];

/** A feed's files, opened. */
export interface FeedFiles {
  has(name: FileName): boolean;
  /** The file's bytes in pieces. Call only for files it has. */
  read(name: FileName): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Hex digest over the content of all files that are read. */
  hash(): Promise<string>;
}

function tooLarge(): FeedError {
  return new FeedError(
    `the feed is larger than ${MAX_FEED / 1024 ** 3} GiB unpacked`,
  );
}

/** Some publishers zip the folder, not the files: its prefix, mostly "". */
function folderInside(entries: ZipEntry[]): string {
  const tops = entries.map((entry) => entry.name)
    .filter((name) => /(^|\/)stop_times\.txt$/.test(name))
    .map((name) => name.slice(0, -"stop_times.txt".length))
    .filter((prefix) => !prefix.startsWith("__MACOSX/"));
  if (tops.length > 1 && !tops.includes("")) {
    throw new FeedError("the zip file holds more than one feed");
  }
  return tops.includes("") ? "" : tops[0] ?? "";
}

/** Opens a zip file's bytes as a feed. */
export function openZip(zip: Uint8Array): FeedFiles {
  const all = readDirectory(zip);
  const prefix = folderInside(all);
  const entries = new Map(
    all.map((entry) => [entry.name.slice(prefix.length), entry]),
  );
  let total = 0;
  for (const name of FILES) total += entries.get(name)?.size ?? 0;
  if (total > MAX_FEED) throw tooLarge();
  return {
    has: (name) => entries.has(name),
    read: (name) => unpack(zip, entries.get(name)!),
    hash: () => Promise.resolve(createHash("sha256").update(zip).digest("hex")),
  };
}

async function openFolder(path: string | URL): Promise<FeedFiles> {
  const folder = path instanceof URL ? path : `${path.replace(/\/+$/, "")}/`;
  const place = (name: string) =>
    folder instanceof URL ? new URL(name, folder) : folder + name;
  const present = new Set<string>();
  let total = 0;
  for (const name of FILES) {
    try {
      total += (await Deno.stat(place(name))).size;
      present.add(name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  if (total > MAX_FEED) throw tooLarge();
  async function* read(name: string) {
    const file = await Deno.open(place(name));
    try {
      while (true) {
        const piece = new Uint8Array(32 * 1024);
        const n = await file.read(piece);
        if (n === null) return;
        yield piece.subarray(0, n);
      }
    } finally {
      file.close();
    }
  }
  return {
    has: (name) => present.has(name),
    read,
    async hash() {
      const sum = createHash("sha256");
      for (const name of FILES) {
        if (!present.has(name)) continue;
        sum.update(`\0${name}\0`);
        for await (const piece of read(name)) sum.update(piece);
      }
      return sum.digest("hex");
    },
  };
}

/**
 * Opens the feed at a path (or the URL of a folder, ending in "/").
 *
 * @throws {FeedError} nothing there, too large, or not a zip file
 */
export async function openFeed(path: string | URL): Promise<FeedFiles> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new FeedError("there is no such file or folder");
    }
    throw error;
  }
  if (info.isDirectory) return openFolder(path);
  if (info.size > MAX_ZIP) {
    throw new FeedError(`the zip file is over ${MAX_ZIP / 1024 ** 2} MB`);
  }
  return openZip(await Deno.readFile(path));
}
