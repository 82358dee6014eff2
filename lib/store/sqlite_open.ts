/**
 * Opening the database file: what is refused, what is made, what is set.
 *
 * A file that cannot be read is never replaced by an empty one (N11), and
 * nothing is written to a file before it is known to be ours and readable.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { dirname, resolve } from "node:path";
import { StoreError } from "./contract.ts";
import { storeError, troubleKind } from "./sqlite_error.ts";
import {
  damage,
  headerProblem,
  keepName,
  logProblem,
  pragma,
  type Problem,
  publish,
  run,
  schemaProblem,
  schemaVersion,
  size,
} from "./sqlite_file.ts";
import { APPLICATION_ID, MIGRATIONS } from "./sqlite_schema.ts";

/** Patience with a lock of another process while opening, ms. */
const OPEN_BUSY_MS = 5000;
/**
 * The same while serving. SQLite waits by blocking the event loop, so it waits
 * for a neighbour's short commit only; `group_commit.ts` waits without blocking.
 */
const BUSY_MS = 10;
/** Up to this size everything is checked at the start: about a second per GB. */
const FULL_CHECK_BYTES = 5e8;

/**
 * Opens the database at `path`, making it (mode 600) and its directory (mode
 * 700) if there is none, and brings it to the newest schema.
 *
 * Several processes may have one file open; they share it by SQLite's locks.
 *
 * @throws {StoreError} `damaged` for anything that is not a whole database of
 * ours, `newer` for one of a later version, `readonly`, `busy`, `full` or `io`.
 */
export function openDatabase(path: string): DatabaseSync {
  // An absolute path is never taken for a `file:` URI.
  path = resolve(path);
  try {
    if (!exists(path)) createDatabase(path);
    refuse(path, headerProblem(path) ?? logProblem(path));
    inspect(path);
    return connect(path);
  } catch (error) {
    throw openError(path, error);
  }
}

/** What went wrong with the file, told to people. */
function openError(path: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const kind = fileKind(cause) ?? troubleKind(cause) ??
    // A plain SQL error: the tables are not what the schema's number says.
    ((cause as { errcode?: number }).errcode === 1 ? "damaged" : "io");
  // Where SQLite cannot make its -wal it only says that it cannot open a file.
  const writable = kind === "io" ? writeProblem(dirname(path)) : null;
  return storeError("open", path, writable ?? kind, { cause });
}

/** What an error of Deno's own file functions means. */
function fileKind(error: unknown): StoreError["kind"] | null {
  const { code } = error as { code?: string };
  const denied = error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable || code === "EROFS";
  return denied ? "readonly" : code === "ENOSPC" ? "full" : null;
}

/** Why nothing can be written there; null if a page can. */
function writeProblem(dir: string): StoreError["kind"] | null {
  let probe: string | null = null;
  try {
    probe = Deno.makeTempFileSync({ dir });
    Deno.writeFileSync(probe, new Uint8Array(4096));
    return null;
  } catch (error) {
    return fileKind(error);
  } finally {
    if (probe !== null) Deno.removeSync(probe);
  }
}

function refuse(path: string, problem: Problem | null): void {
  if (problem === null) return;
  throw storeError("open", path, problem.kind, { state: problem.state });
}

function exists(path: string): boolean {
  // Looked for first: whoever makes the file now makes its log afterwards.
  const log = size(`${path}-wal`);
  if (size(path) !== null) return true;
  // SQLite would throw such a log away, and the last commits with it.
  if (log) {
    refuse(path, {
      kind: "damaged",
      state: "its log (-wal) is there, but the file itself is not",
    });
  }
  return false;
}

/** Makes the file whole under another name first: a crash leaves no half one. */
function createDatabase(path: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.new-${crypto.randomUUID()}`;
  try {
    // SQLite gives -wal and -shm the mode of the database.
    Deno.openSync(draft, { write: true, createNew: true, mode: 0o600 }).close();
    const db = new DatabaseSync(draft);
    try {
      run(db, `PRAGMA application_id = ${APPLICATION_ID}`);
      migrate(db);
      run(db, "PRAGMA journal_mode = WAL");
    } finally {
      db.close();
    }
    for (let dir = dirname(path); dir !== dirname(dir); dir = dirname(dir)) {
      keepName(dir);
    }
    publish(draft, path);
  } finally {
    if (size(draft) !== null) Deno.removeSync(draft);
  }
  keepName(path);
}

/**
 * Looks at everything through a connection that cannot write: one that can brings
 * the log (-wal) into the file when it is closed, even into one that is refused.
 */
function inspect(path: string): void {
  const db = new DatabaseSync(path, { readOnly: true, timeout: OPEN_BUSY_MS });
  try {
    refuse(path, schemaProblem(db));
    refuse(path, damage(db, checks(path)));
  } finally {
    db.close();
  }
}

function connect(path: string): DatabaseSync {
  const db = new DatabaseSync(path, {
    timeout: OPEN_BUSY_MS,
    enableForeignKeyConstraints: true,
  });
  try {
    // What is deleted is overwritten, so that nobody reads it in the file (P06).
    run(db, "PRAGMA secure_delete = ON");
    run(db, "PRAGMA temp_store = MEMORY");
    migrate(db);
    const mode = pragma(db, "journal_mode = WAL");
    if (mode !== "wal") {
      throw storeError("open", path, "io", {
        state: `it cannot be switched to WAL, its journal mode is ${mode}`,
      });
    }
    run(db, "PRAGMA synchronous = FULL");
    // Cuts the log back after a burst; it stays at its largest size otherwise.
    run(db, "PRAGMA journal_size_limit = 67108864");
    // A write of nothing: if the file cannot be written, this says so now.
    run(db, "DELETE FROM lease WHERE false");
    run(db, `PRAGMA busy_timeout = ${BUSY_MS}`);
    // A log that a crash left may hold what was deleted just before it.
    cutLog(db);
    // The log was made just now.
    keepName(path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A large file has only its small tables checked: a start stays short. */
function checks(path: string): string[] {
  return size(path)! <= FULL_CHECK_BYTES
    ? ["quick_check(1)"]
    : ["head", "lease", "idempotency"].map((table) => `quick_check(${table})`);
}

/** Every step in one transaction with its number, whoever gets there first. */
function migrate(db: DatabaseSync): void {
  while (schemaVersion(db) < MIGRATIONS.length) {
    run(db, "BEGIN IMMEDIATE");
    try {
      const schema = schemaVersion(db);
      for (const statement of MIGRATIONS[schema] ?? []) run(db, statement);
      if (schema < MIGRATIONS.length) {
        run(db, `PRAGMA user_version = ${schema + 1}`);
      }
      run(db, "COMMIT");
    } catch (error) {
      if (db.isTransaction) run(db, "ROLLBACK");
      throw error;
    }
  }
}

/**
 * Brings the log (-wal) into the database and cuts it to nothing; false if that
 * has to wait: another connection is at work in it, or the disk is full.
 */
export function cutLog(db: DatabaseSync): boolean {
  try {
    return pragma(db, "wal_checkpoint(TRUNCATE)") === 0;
  } catch {
    // Whatever it is, reads go on, and the next write says it.
    return false;
  }
}

/** Writes the database anew if it is small; false if that has to wait. */
export function rewrite(db: DatabaseSync, maxBytes: number): boolean {
  try {
    const pages = pragma(db, "page_count") as number;
    const bytes = pages * (pragma(db, "page_size") as number);
    if (bytes <= maxBytes) run(db, "VACUUM");
    return true;
  } catch {
    return false;
  }
}
