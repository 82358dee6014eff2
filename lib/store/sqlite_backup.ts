/**
 * A copy of the SQLite database while servers run on it.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { dirname, resolve } from "node:path";
import { StoreError } from "./contract.ts";
import { troubleKind } from "./sqlite_error.ts";
import {
  damage,
  headerProblem,
  logProblem,
  pragma,
  publish,
  run,
  schemaProblem,
  size,
  sync,
} from "./sqlite_file.ts";

/** What a database or a copy of it holds. */
export interface Holding {
  bytes: number;
  chats: number;
  runs: number;
}

const TAKEN = "that file is there already";
/** How long to wait for another process that is just opening the file, ms. */
const BUSY_MS = 5000;

/**
 * Copies the database at `source`, as it is at one moment, to the new file
 * `target` (mode 600; its folder is made, mode 700). Servers go on meanwhile. The
 * copy has its name only once it is whole, checked and on the disk, and holds
 * nothing of what was deleted (case P06).
 *
 * @throws {StoreError} in plain words; then there is no file `target`.
 */
export function backupSqlite(source: string, target: string): Holding {
  const refused = (state: string, kind: StoreError["kind"], cause?: unknown) =>
    new StoreError(kind, `Cannot back up to "${target}": ${state}.`, { cause });
  source = resolve(source);
  const path = resolve(target);
  if (size(source) === null) {
    throw refused(`there is no database "${source}" yet`, "io");
  }
  if (size(path) !== null) throw refused(TAKEN, "io");
  const draft = `${path}.part-${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    Deno.openSync(draft, { write: true, createNew: true, mode: 0o600 }).close();
    copy(source, draft);
    const holding = examine(draft);
    sync(draft);
    if (!publish(draft, path)) throw new Error(TAKEN);
    sync(path);
    return holding;
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof StoreError) {
      throw refused(`database "${source}": ${message}`, error.kind, error);
    }
    const kind = troubleKind(error) ?? "io";
    throw kind === "damaged"
      ? refused(`database "${source}" is damaged (${message})`, kind, error)
      : refused(message, kind, error);
  } finally {
    if (size(draft) !== null) Deno.removeSync(draft);
  }
}

/**
 * One statement, so one moment of the database. SQLite's other way, page by page,
 * begins anew with every commit of another process and never ends on a busy
 * server; it would also copy what deleted rows left in unused places.
 */
function copy(source: string, draft: string): void {
  const problem = headerProblem(source) ?? logProblem(source);
  if (problem !== null) throw new StoreError(problem.kind, problem.state);
  const db = new DatabaseSync(source, { timeout: BUSY_MS });
  try {
    run(db, "VACUUM INTO ?", draft);
  } finally {
    db.close();
  }
}

/**
 * Checks every page of a file nobody writes to, and counts what is in it.
 *
 * @throws {StoreError} `damaged` or `newer`, saying why; for its caller to put
 * into a sentence.
 */
export function examine(path: string): Holding {
  const header = headerProblem(path);
  if (header !== null) throw new StoreError(header.kind, header.state);
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const problem = schemaProblem(db) ?? damage(db, ["quick_check(1)"]);
    if (problem !== null) throw new StoreError(problem.kind, problem.state);
    const count = (text: string) => db.prepare(text).get()!.many as number;
    return {
      bytes: (pragma(db, "page_count") as number) *
        (pragma(db, "page_size") as number),
      // A chat that is being deleted has runs, but they have no heads.
      chats: count(
        `SELECT count(DISTINCT run.chat) AS many
         FROM head JOIN run ON run.key = head.run`,
      ),
      runs: count("SELECT count(*) AS many FROM head"),
    };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const { message } = error as Error;
    const state = `the file is damaged (${message})`;
    throw new StoreError("damaged", state, { cause: error });
  } finally {
    db.close();
  }
}
