/**
 * Fetches a feed from its address into the cache folder. The last good copy is
 * used when the address does not answer (case T15: "500 from the feed").
 *
 * @module
 */
import { createHash } from "node:crypto";
import { FeedError } from "./errors.ts";
import { MAX_ZIP } from "./read.ts";

export interface DownloadOptions {
  cacheDir: string;
  warn: (message: string) => void;
  signal: AbortSignal;
}

/** Milliseconds a download may take. */
const PATIENCE = 60_000;

/** Scheme and host only: feed addresses often carry a key. */
function host(address: string): string {
  try {
    return new URL(address).host;
  } catch {
    return "an address that cannot be read";
  }
}

interface Kept {
  etag: string | null;
  modified: string | null;
}

async function readKept(path: string): Promise<Kept | null> {
  try {
    await Deno.stat(path);
    return JSON.parse(await Deno.readTextFile(`${path}.json`));
  } catch {
    return null;
  }
}

/** Writes the body to a file, counting what arrives after decoding (case DN12). */
async function save(response: Response, path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, truncate: true });
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > MAX_ZIP) {
      throw new FeedError(`the download is over ${MAX_ZIP / 1024 ** 2} MB`);
    }
    for (let at = 0; at < piece.length;) {
      at += await file.write(piece.subarray(at));
    }
  }
  if (bytes === 0) throw new FeedError("the download is empty");
  await file.sync();
}

/**
 * Downloads the feed unless the kept copy is still the newest; returns the path
 * of a zip file. At most 200 MB and 60 seconds.
 *
 * @throws {FeedError} it cannot be had and there is no earlier copy
 */
export async function download(
  address: string,
  { cacheDir, warn, signal }: DownloadOptions,
): Promise<string> {
  const name = createHash("sha256").update(address).digest("hex").slice(0, 24);
  const path = `${cacheDir}/feed-${name}.zip`;
  const kept = await readKept(path);
  const unfinished = await Deno.makeTempFile({
    dir: cacheDir,
    prefix: "gtfs-",
    suffix: ".part",
  });
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE);
  try {
    const headers = new Headers({ accept: "application/zip, */*" });
    if (kept?.etag) headers.set("if-none-match", kept.etag);
    if (kept?.modified) headers.set("if-modified-since", kept.modified);
    const response = await fetch(address, {
      headers,
      signal: AbortSignal.any([signal, late.signal]),
    });
    if (response.status === 304 && kept) {
      await response.body?.cancel();
      return path;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new FeedError(`${host(address)} answered ${response.status}`);
    }
    await save(response, unfinished);
    await Deno.rename(unfinished, path);
    const now: Kept = {
      etag: response.headers.get("etag"),
      modified: response.headers.get("last-modified"),
    };
    await Deno.writeTextFile(`${path}.json`, JSON.stringify(now));
    return path;
  } catch (error) {
    if (signal.aborted) throw error;
    const reason = error instanceof FeedError
      ? error.message
      : late.signal.aborted
      ? `${host(address)} took longer than ${PATIENCE / 1000} seconds`
      : `${host(address)} cannot be reached`;
    if (!kept) throw new FeedError(reason, {}, { cause: error });
    warn(`bus timetable: ${reason}; the copy of the last download is used`);
    return path;
  } finally {
    clearTimeout(timer);
    await Deno.remove(unfinished).catch(() => {});
  }
}
