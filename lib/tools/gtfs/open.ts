/**
 * Opens the timetable of a feed: the sample in memory, any other in a database
 * file named after the feed's content, so that a restart reads it back.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { FeedError } from "./errors.ts";
import { download } from "./download.ts";
import { loadFeed } from "./load.ts";
import { openFeed } from "./read.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { Timetable } from "./timetable.ts";

/** Where to find a feed and where to keep what is made of it. */
export interface OpenOptions {
  /** File, folder or http(s) address; null for the sample feed. */
  feed: string | null;
  /** For databases and downloads; made when it does not exist. */
  cacheDir: string;
  /** For the log: what the operator should know. No secrets, no addresses. */
  warn: (message: string) => void;
  /** Ends the download, or the import at its next pause. */
  signal: AbortSignal;
}

/** The feed that ships with the house, see `sample/make.ts`. */
export const SAMPLE = new URL("./sample/", import.meta.url);

function isAddress(feed: string): boolean {
  return /^https?:\/\//i.test(feed);
}

/** A finished database of this feed, if an earlier start left one. */
function fromCache(path: string): Timetable | null {
  let db: DatabaseSync | undefined;
  try {
    Deno.statSync(path);
    db = new DatabaseSync(path, { readOnly: true });
    return new Timetable(db);
  } catch {
    // Not there, damaged, or of another version: it is made anew.
    db?.close();
    return null;
  }
}

/** An unfinished file this old, in milliseconds, was left by a crash. */
const ABANDONED = 3_600_000;

/**
 * Removes older databases, as every new version of a feed leaves one more, and
 * what a crash left unfinished.
 */
async function sweep(cacheDir: string, keep: string): Promise<void> {
  for await (const { name } of Deno.readDir(cacheDir)) {
    const path = `${cacheDir}/${name}`;
    const database = /^gtfs-[0-9a-f]{24}-v\d+\.sqlite$/.test(name);
    const unfinished = /^gtfs-.*\.part$/.test(name);
    const { mtime } = await Deno.stat(path);
    const old = mtime !== null && Date.now() - mtime.getTime() > ABANDONED;
    if ((database && name !== keep) || (unfinished && old)) {
      await Deno.remove(path).catch(() => {});
    }
  }
}

async function intoFile(
  source: string,
  { cacheDir, warn, signal }: OpenOptions,
): Promise<Timetable> {
  const feed = await openFeed(source);
  const name = `gtfs-${
    (await feed.hash()).slice(0, 24)
  }-v${SCHEMA_VERSION}.sqlite`;
  const path = `${cacheDir}/${name}`;
  const cached = fromCache(path);
  if (cached) return cached;
  const unfinished = await Deno.makeTempFile({
    dir: cacheDir,
    prefix: "gtfs-",
    suffix: ".part",
  });
  try {
    const db = new DatabaseSync(unfinished);
    try {
      // Nobody reads this file before it is whole, so it needs no journal.
      db.exec("pragma journal_mode = off; pragma synchronous = off");
      db.exec("pragma cache_size = -65536");
      await loadFeed(feed, db, { warn, signal });
    } finally {
      db.close();
    }
    using file = await Deno.open(unfinished, { read: true, write: true });
    await file.sync();
    await Deno.rename(unfinished, path);
  } catch (error) {
    await Deno.remove(unfinished).catch(() => {});
    throw error;
  }
  await sweep(cacheDir, name);
  return new Timetable(new DatabaseSync(path, { readOnly: true }));
}

/**
 * Opens a feed's timetable.
 *
 * @throws {FeedError} the feed cannot be used
 */
export async function openTimetable(options: OpenOptions): Promise<Timetable> {
  const { feed, cacheDir, warn, signal } = options;
  if (feed === null) {
    const db = new DatabaseSync(":memory:");
    try {
      await loadFeed(await openFeed(SAMPLE), db, { warn, signal });
      return new Timetable(db);
    } catch (error) {
      db.close();
      throw error;
    }
  }
  await Deno.mkdir(cacheDir, { recursive: true });
  const source = isAddress(feed)
    ? await download(feed, { cacheDir, warn, signal })
    : feed;
  try {
    return await intoFile(source, options);
  } catch (error) {
    if (error instanceof FeedError || signal.aborted) throw error;
    // A system error names paths of this machine: those are for the log only.
    throw new FeedError("the feed cannot be opened", {}, { cause: error });
  }
}
