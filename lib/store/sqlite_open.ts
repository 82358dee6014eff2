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
    checkHeader(path);
    return connect(path);
  } catch (error) {
    throw openError(path, error);
  }
}

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

function writeProblem(dir: string): StoreError["kind"] | null {
  try {
    Deno.removeSync(Deno.makeTempFileSync({ dir }));
    return null;
  } catch (error) {
    return fileKind(error);
  }
}

function damaged(path: string, state: string): StoreError {
  return storeError("open", path, "damaged", { state });
}

function size(path: string): number | null {
  try {
    const info = Deno.statSync(path);
    return info.isDirectory ? null : info.size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function exists(path: string): boolean {
  if (size(path) !== null) return true;
  // SQLite would throw such a log away, and the last commits with it.
  if (size(`${path}-wal`)) {
    throw damaged(path, "its log (-wal) is there, but the file itself is not");
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
    publish(draft, path);
  } finally {
    if (size(draft) !== null) Deno.removeSync(draft);
  }
}

/** Gives the finished file its name, unless another process was faster. */
function publish(draft: string, path: string): void {
  try {
    // Unlike a rename, a link never replaces what is there.
    Deno.linkSync(draft, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    // A file system without hard links.
    Deno.renameSync(draft, path);
  }
}

/** Looks at the first bytes before SQLite, which might write, touches the file. */
function checkHeader(path: string): void {
  const header = new Uint8Array(100);
  using file = Deno.openSync(path);
  const length = file.readSync(header) ?? 0;
  if (length === 0) throw damaged(path, "it is empty");
  const magic = new TextDecoder().decode(header.subarray(0, 16));
  if (length < header.length || magic !== "SQLite format 3\0") {
    throw damaged(path, "it is not an SQLite database");
  }
  // https://sqlite.org/fileformat.html#the_database_header
  if (header[18]! > 2 || header[19]! > 2) {
    throw damaged(path, "it has a file format of a newer SQLite");
  }
  if (new DataView(header.buffer).getInt32(68) !== APPLICATION_ID) {
    throw damaged(path, "it belongs to another program");
  }
}

function connect(path: string): DatabaseSync {
  const db = new DatabaseSync(path, {
    timeout: OPEN_BUSY_MS,
    enableForeignKeyConstraints: true,
  });
  try {
    const schema = schemaVersion(db);
    // A file of ours always has one: it is made under another name first.
    if (schema < 1) throw damaged(path, `it has schema ${schema}`);
    if (schema > MIGRATIONS.length) {
      throw storeError("open", path, "newer", {
        state: "it was written by a newer version of Tickertape (it has " +
          `schema ${schema}, this version knows ${MIGRATIONS.length})`,
      });
    }
    quickCheck(db, path);
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
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A large file has only its small tables checked, so that a start stays short. */
function quickCheck(db: DatabaseSync, path: string): void {
  const checks = size(path)! <= FULL_CHECK_BYTES
    ? ["quick_check(1)"]
    : ["head", "lease", "idempotency"].map((table) => `quick_check(${table})`);
  for (const check of checks) {
    const found = pragma(db, check);
    if (found !== "ok") {
      const last = String(found).split("\n").at(-1);
      throw damaged(path, `the file is damaged (${last})`);
    }
  }
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

function schemaVersion(db: DatabaseSync): number {
  return pragma(db, "user_version") as number;
}

function pragma(db: DatabaseSync, text: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${text}`).get() ?? {})[0];
}

// Not `exec`: its errors carry no result code in Deno 2.9.
function run(db: DatabaseSync, statement: string): void {
  db.prepare(statement).run();
}
