/**
 * Putting a backup in the place of the SQLite database. What was there is kept
 * under another name.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { dirname, resolve } from "node:path";
import { StoreError } from "./contract.ts";
import { examine, type Holding } from "./sqlite_backup.ts";
import { stamp } from "./sqlite_backups.ts";
import { troubleKind } from "./sqlite_error.ts";
import {
  headerProblem,
  logProblem,
  pragma,
  publish,
  size,
  sync,
} from "./sqlite_file.ts";

/** How long a server may take to let go of the database, ms. */
const BUSY_MS = 1000;

/** What came of it. */
export interface Restored extends Holding {
  /** The database that was there, under its new name; null if there was none. */
  kept: string | null;
}

/**
 * Puts a copy of `file` in the place of the database at `path`, whose servers
 * must have been stopped. There is one of the two at `path` at every moment.
 *
 * @throws {StoreError} in plain words; then nothing was changed.
 */
export function restoreSqlite(
  file: string,
  path: string,
  now = new Date(),
): Restored {
  const draft = `${resolve(path)}.new-${crypto.randomUUID()}`;
  try {
    const source = resolve(file);
    path = resolve(path);
    if (size(source) === null) throw new Error("there is no such file");
    if (source === path) throw new Error("that is the database itself");
    if (size(`${source}-wal`)) {
      throw new Error(
        "its log (-wal) is beside it, so a server uses it, or it was copied " +
          "from one that did. Make a copy with deno task backup",
      );
    }
    const holding = examine(source);
    Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    Deno.copyFileSync(source, draft);
    Deno.chmodSync(draft, 0o600);
    sync(draft);
    const kept = `${path}.before-restore-${stamp(now)}`;
    const was = swap(draft, path, kept);
    sync(path);
    return { ...holding, kept: was ? kept : null };
  } catch (error) {
    const { message } = error as Error;
    const kind = error instanceof StoreError ? error.kind : "io";
    throw new StoreError(
      kind,
      `Cannot restore "${file}": ${
        message.replace(/\.$/, "")
      }. Nothing was changed.`,
      { cause: error },
    );
  } finally {
    if (size(draft) !== null) Deno.removeSync(draft);
  }
}

/** Whether there was something in the place. */
function swap(draft: string, path: string, kept: string): boolean {
  const ends = ["", "-wal"].filter((end) => size(path + end) !== null);
  for (const end of ["", "-wal"]) {
    if (size(kept + end) === null) continue;
    throw new Error(`"${kept + end}" is there already`);
  }
  if (ends.includes("")) settle(path);
  // A log that stayed would be taken for the new file's.
  if (size(`${path}-wal`) !== null) {
    Deno.renameSync(`${path}-wal`, `${kept}-wal`);
  }
  if (size(`${path}-shm`) !== null) Deno.removeSync(`${path}-shm`);
  if (ends.includes("")) {
    // With two names, so that the next step replaces it and loses nothing.
    if (!publish(path, kept)) throw new Error(`"${kept}" is there already`);
  }
  Deno.renameSync(draft, path);
  return ends.length > 0;
}

/**
 * Brings the log (-wal) into the database and lets go of it, which SQLite does
 * only for who has the file alone.
 */
function settle(path: string): void {
  // Not one of ours, or past reading: it is kept as it is.
  if (headerProblem(path) ?? logProblem(path)) return;
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    pragma(db, "journal_mode = DELETE");
  } catch (error) {
    const kind = troubleKind(error);
    if (kind === "damaged") return;
    if (kind !== "busy") throw error;
    throw new StoreError(
      "busy",
      `a server has the database "${path}" open. Stop it first`,
    );
  } finally {
    db.close();
  }
}
