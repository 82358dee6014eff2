/**
 * An SQLite file from outside: whether it is a whole one of ours, and how a
 * finished one gets its name.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { dirname } from "node:path";
import { APPLICATION_ID, MIGRATIONS } from "./sqlite_schema.ts";
import { damageInLog } from "./sqlite_wal.ts";

/** Why a file cannot be used, in words that complete "the file …: it …". */
export interface Problem {
  kind: "damaged" | "newer";
  state: string;
}

/** Its size, bytes; null if there is no such file. */
export function size(path: string): number | null {
  try {
    const info = Deno.statSync(path);
    return info.isDirectory ? null : info.size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Looks at the first bytes, before SQLite, which might write, touches the file.
 * https://sqlite.org/fileformat.html#the_database_header
 */
export function headerProblem(path: string): Problem | null {
  const damaged = (state: string) => ({ kind: "damaged" as const, state });
  const header = readHeader(path);
  if (header.length === 0) return damaged("it is empty");
  const magic = new TextDecoder().decode(header.subarray(0, 16));
  if (header.length < HEADER || magic !== "SQLite format 3\0") {
    return damaged("it is not an SQLite database");
  }
  if (header[18]! > 2 || header[19]! > 2) {
    return damaged("it has a file format of a newer SQLite");
  }
  if (new DataView(header.buffer).getInt32(68) !== APPLICATION_ID) {
    return damaged("it belongs to another program");
  }
  // Once, it may be a process that just makes it shorter.
  if (isCutOff(path) && isCutOff(path)) return damaged("its end is missing");
  return null;
}

const HEADER = 100;

function readHeader(path: string): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER);
  using file = Deno.openSync(path);
  return header.subarray(0, file.readSync(header) ?? 0);
}

/** Whether there should be more pages; SQLite takes those missing for empty. */
function isCutOff(path: string): boolean {
  const view = new DataView(readHeader(path).buffer);
  // The count of pages holds if these counters agree, and nothing is in the log.
  const counted = view.getUint32(24) === view.getUint32(92);
  const page = view.getUint16(16) === 1 ? 65536 : view.getUint16(16);
  const bytes = page * view.getUint32(28);
  return counted && !size(`${path}-wal`) && size(path)! < bytes;
}

/** Whether SQLite would drop commits of the log (-wal) as if never made. */
export function logProblem(path: string): Problem | null {
  const state = damageInLog(path);
  return state === null ? null : { kind: "damaged", state };
}

/** Whether the schema is one this version knows. */
export function schemaProblem(db: DatabaseSync): Problem | null {
  const schema = schemaVersion(db);
  // A file of ours always has one: it is made under another name first.
  if (schema < 1) return { kind: "damaged", state: `it has schema ${schema}` };
  if (schema <= MIGRATIONS.length) return null;
  return {
    kind: "newer",
    state: "it was written by a newer version of Tickertape (it has " +
      `schema ${schema}, this version knows ${MIGRATIONS.length})`,
  };
}

/** Runs these checks, `quick_check(1)` or the same of a table. */
export function damage(db: DatabaseSync, checks: string[]): Problem | null {
  for (const check of checks) {
    const found = pragma(db, check);
    if (found === "ok") continue;
    const last = String(found).split("\n").at(-1);
    return { kind: "damaged", state: `the file is damaged (${last})` };
  }
  return null;
}

/** Gives the finished file its name; false if another file has it already. */
export function publish(draft: string, path: string): boolean {
  try {
    // Unlike a rename, a link never replaces what is there.
    Deno.linkSync(draft, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    // A file system without hard links.
    Deno.renameSync(draft, path);
  }
  return true;
}

/** Makes a file and its name survive a power cut. */
export function sync(path: string): void {
  using file = Deno.openSync(path);
  file.syncSync();
  keepName(path);
}

/**
 * Makes the name of a file or directory survive a power cut, or throws. SQLite
 * does so for the names it gives itself, and takes no notice if that fails.
 */
export function keepName(path: string): void {
  let dir: Deno.FsFile;
  try {
    dir = Deno.openSync(dirname(path));
  } catch (error) {
    const { PermissionDenied, NotCapable } = Deno.errors;
    // It may not be read; Windows says so of every directory.
    if (error instanceof PermissionDenied || error instanceof NotCapable) {
      return;
    }
    throw error;
  }
  try {
    dir.syncSync();
  } catch (error) {
    // A file system that syncs no directories.
    if ((error as { code?: string }).code !== "EINVAL") throw error;
  } finally {
    dir.close();
  }
}

export function schemaVersion(db: DatabaseSync): number {
  return pragma(db, "user_version") as number;
}

export function pragma(db: DatabaseSync, text: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${text}`).get() ?? {})[0];
}

// Not `exec`: its errors carry no result code in Deno 2.9.
export function run(
  db: DatabaseSync,
  statement: string,
  ...values: string[]
): void {
  db.prepare(statement).run(...values);
}
