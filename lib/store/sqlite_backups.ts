/**
 * Where the backups of a database lie, and which is the newest.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { APPLICATION_ID, MIGRATIONS } from "./sqlite_schema.ts";

/** `2027-01-15T08-00-00Z`: a time that may stand in a file name. */
export function stamp(at: Date): string {
  return at.toISOString().replace(/\.\d+/, "").replaceAll(":", "-");
}

/** The folder of the backups of the database at `path`. */
export function backupsOf(path: string): string {
  return join(dirname(path), "backups");
}

/**
 * The newest file there that this version can put back, going by its first
 * bytes; null if there is none.
 */
export function newestBackup(path: string): string | null {
  const dir = backupsOf(path);
  let newest: { file: string; at: number } | null = null;
  try {
    for (const { name, isFile } of Deno.readDirSync(dir)) {
      const file = join(dir, name);
      if (!isFile || !name.endsWith(".db") || !isOurs(file)) continue;
      const at = Deno.statSync(file).mtime?.getTime() ?? 0;
      if (newest === null || at > newest.at) newest = { file, at };
    }
  } catch {
    // A folder that is not there, or cannot be read, has none to offer.
  }
  return newest?.file ?? null;
}

// https://sqlite.org/fileformat.html#the_database_header
function isOurs(path: string): boolean {
  const header = new Uint8Array(100);
  using file = Deno.openSync(path);
  if (file.readSync(header) !== header.length) return false;
  const view = new DataView(header.buffer);
  return view.getInt32(68) === APPLICATION_ID &&
    view.getInt32(60) <= MIGRATIONS.length;
}
