/**
 * One file with everything of ours in a Postgres database, taken while servers
 * run on it, and the way back into an empty one.
 *
 * The file is gzip. Inside, frames: four bytes of length (big-endian), then so
 * many bytes. A header as JSON; for each table a frame that names it and its
 * columns as JSON, frames with its rows as COPY writes them, and an empty one; a
 * last frame as JSON that says how many rows there were.
 *
 * @module
 */
import type { Readable, Writable } from "node:stream";
import { StoreError } from "./contract.ts";
import { postgresError, troubleOf } from "./postgres_error.ts";
import {
  createBackup,
  type FrameReader,
  type FrameWriter,
  openBackup,
} from "./postgres_frames.ts";
import { Line, type Query } from "./postgres_link.ts";
import { openDatabase, schemaVersion, step } from "./postgres_open.ts";
import { COUNTED, MIGRATIONS, TABLES } from "./postgres_schema.ts";
import { readTarget, type Target } from "./postgres_target.ts";

/** What was copied. */
export interface Copied {
  /** Size of the file. */
  bytes: number;
  chats: number;
  runs: number;
}

interface Header {
  format: string;
  schema: number;
}

const FORMAT = "tickertape postgres 1";
/** A statement before or after the rows may wait for locks and indexes. */
const SILENCE_MS = 600_000;
const PATIENCE_MS = 5000;

/**
 * Copies the database at `url` to the new file `file`, as it is at one moment.
 * Writers are not held up.
 *
 * @throws {StoreError} also if there is such a file already.
 */
export async function backupPostgres(
  url: string,
  file: string,
): Promise<Copied> {
  const target = readTarget(url);
  return await onLine(target, "back up", async (line) => {
    await using draft = await createBackup(file);
    const rows = await line.use((query) =>
      copyOut(target, line, query, draft.frames)
    );
    const bytes = await draft.publish();
    return { bytes, chats: rows.chat!, runs: rows.run! };
  });
}

/**
 * Puts what {@linkcode backupPostgres} wrote into the database at `url`, which
 * must have nothing of ours. All or nothing.
 *
 * @throws {StoreError} `newer` or `damaged` if the file cannot be used.
 */
export async function restorePostgres(
  url: string,
  file: string,
): Promise<Copied> {
  const target = readTarget(url);
  const { bytes, frames } = await openBackup(file);
  try {
    const header = await frames.json<Header>();
    if (header.format !== FORMAT) {
      throw new StoreError(
        "damaged",
        `Cannot restore "${file}": it is no backup of a Postgres database`,
      );
    }
    if (header.schema > MIGRATIONS.length) {
      throw new StoreError(
        "newer",
        `Cannot restore "${file}": it was written by a newer version of ` +
          `Tickertape (it has schema ${header.schema}, this version knows ` +
          `${MIGRATIONS.length}). Restore it with that version`,
      );
    }
    const rows = await onLine(target, "restore to", async (line) => {
      await line.use((query) => prepare(target, query, header.schema));
      return await line.use((query) => copyIn(target, line, query, frames));
    });
    // What came after the backup's version.
    await openDatabase(target, PATIENCE_MS);
    return { bytes, chats: rows.chat!, runs: rows.run! };
  } finally {
    await frames.close();
  }
}

async function onLine<T>(
  target: Target,
  action: string,
  work: (line: Line) => Promise<T>,
): Promise<T> {
  const line = new Line(target, { max: 1, silenceMs: SILENCE_MS });
  try {
    return await work(line);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const trouble = troubleOf(error);
    if (trouble === null) throw error;
    throw postgresError(action, target.name, trouble, error);
  } finally {
    await line.close();
  }
}

type Counts = Record<string, number>;

async function copyOut(
  target: Target,
  line: Line,
  query: Query,
  frames: FrameWriter,
): Promise<Counts> {
  // One snapshot for all tables.
  await query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const schema = await schemaVersion(query, target);
  if (schema === 0) {
    throw postgresError("back up", target.name, {
      kind: "io",
      state: "there is nothing of ours in it",
      remedy: "Look at DATABASE_URL",
    });
  }
  if (schema > MIGRATIONS.length) {
    throw postgresError("back up", target.name, { kind: "newer" });
  }
  await frames.json({ format: FORMAT, schema } satisfies Header);
  const rows: Counts = {};
  for (const table of TABLES) {
    const columns = await columnsOf(query, table);
    await frames.json({ table, columns });
    const stream = await line.sql.unsafe(
      `COPY (SELECT ${columns.join(", ")} FROM tickertape.${table}
         WHERE ${kept(table)}) TO STDOUT`,
    ).readable() as Readable;
    let many = 0;
    for await (const chunk of stream) {
      many += countRows(chunk);
      await frames.bytes(chunk);
    }
    // The driver pauses its socket while rows pile up, and leaves it so if they
    // were the last ones: nothing would ever be answered again.
    stream._read(0);
    rows[table] = many;
    await frames.endTable();
  }
  await query("COMMIT");
  await frames.json({ rows });
  await frames.close();
  return rows;
}

/** What was deleted but not yet taken out goes into no backup. */
function kept(table: string): string {
  return table === "entry" || table === "kept"
    ? "run NOT IN (SELECT run FROM tickertape.removed)"
    : "true";
}

async function columnsOf(query: Query, table: string): Promise<string[]> {
  const rows = await query(
    `SELECT quote_ident(column_name) AS name FROM information_schema.columns
     WHERE table_schema = 'tickertape' AND table_name = $1
     ORDER BY ordinal_position`,
    [table],
  );
  return rows.map(({ name }) => name as string);
}

/** Makes the tables as they were when the backup was made. */
async function prepare(
  target: Target,
  query: Query,
  schema: number,
): Promise<void> {
  let now = await schemaVersion(query, target);
  while (now < schema) now = await step(query, target, schema);
}

async function copyIn(
  target: Target,
  line: Line,
  query: Query,
  frames: FrameReader,
): Promise<Counts> {
  await query("BEGIN");
  // No server may begin to use it before it is whole.
  const all = TABLES.map((table) => `tickertape.${table}`).join(", ");
  await query(`LOCK TABLE ${all} IN ACCESS EXCLUSIVE MODE`);
  for (const table of TABLES) {
    const found = await query(`SELECT FROM tickertape.${table} LIMIT 1`);
    if (found.length === 0) continue;
    throw postgresError("restore to", target.name, {
      kind: "io",
      state: "there is something in it already",
      remedy: "It was left as it is. Name an empty database in DATABASE_URL",
    });
  }
  const rows: Counts = {};
  for (const table of TABLES) {
    const named = await frames.json<{ table: string; columns: string[] }>();
    if (named.table !== table) throw frames.damaged();
    const columns = named.columns.join(", ");
    const stream = await line.sql.unsafe(
      `COPY tickertape.${table} (${columns}) FROM STDIN`,
    ).writable() as Writable;
    rows[table] = await pour(frames, stream, query);
  }
  const last = await frames.json<{ rows: Counts }>();
  if (TABLES.some((table) => last.rows?.[table] !== rows[table])) {
    throw frames.damaged();
  }
  await frames.end();
  for (const table of COUNTED) {
    await query(
      `SELECT setval(pg_get_serial_sequence('tickertape.${table}', 'key'),
         coalesce(max(key), 0) + 1, false) FROM tickertape.${table}`,
    );
  }
  await query("COMMIT");
  return rows;
}

/** Writes the rows of one table, and counts them. */
async function pour(
  frames: FrameReader,
  stream: Writable,
  query: Query,
): Promise<number> {
  let many = 0;
  let failure: unknown;
  stream.on("error", (error: unknown) => failure ??= error);
  for (
    let chunk = await frames.bytes();
    chunk !== null;
    chunk = await frames.bytes()
  ) {
    many += countRows(chunk);
    await new Promise<void>((resolve) => {
      stream.write(chunk, () => resolve());
      if (stream.destroyed) resolve();
    });
    if (failure !== undefined) throw failure;
  }
  const done = new Promise<void>((resolve) => stream.end(() => resolve()));
  // Where the server refuses the rows only now, the driver never says so, but
  // what comes behind them is refused too.
  await Promise.race([done, query("SELECT 1")]);
  if (failure !== undefined) throw failure;
  return many;
}

/** COPY ends each row with a line feed, and writes those of texts otherwise. */
function countRows(chunk: Uint8Array): number {
  let many = 0;
  for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
    many++;
  }
  return many;
}
