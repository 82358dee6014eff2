/**
 * The reads of the Postgres engine: its rows as rows of the contract.
 *
 * @module
 */
import type {
  AnswerRow,
  ChatRow,
  NoteRow,
  QueuedRow,
  RunRow,
  StoredEntry,
} from "./contract.ts";
import type { Query, Row, Value } from "./postgres_link.ts";

const RUN = `
  SELECT run.id, chat.id AS chat, chat.owner, parent.id AS parent, run.text,
    run.options, head.status, head.epoch, head.lease_owner AS "leaseOwner",
    head.lease_until AS "leaseUntil", head.stop_requested AS "stopRequested",
    head.last_seq AS "lastSeq", run.message, run.created_at AS "createdAt",
    run.ended_at AS "endedAt"
  FROM tickertape.run
    JOIN tickertape.chat ON chat.key = run.chat
    JOIN tickertape.head ON head.run = run.key
    LEFT JOIN tickertape.run AS parent ON parent.key = run.parent`;

const CHAT = `
  SELECT chat.id, chat.owner, chat.title, chat.created_at AS "createdAt",
    chat.updated_at AS "updatedAt", active.id AS "activeRun", chat.settings,
    chat.hidden, leaf.id AS leaf
  FROM tickertape.chat
    LEFT JOIN tickertape.head
      ON head.chat = chat.key AND head.status = 'running'
    LEFT JOIN tickertape.run AS active ON active.key = head.run
    LEFT JOIN tickertape.run AS leaf ON leaf.key = chat.leaf`;

const MESSAGE = `
  SELECT queued.id, chat.id AS chat, queued.owner, queued.text, queued.options,
    queued.keep, queued.idempotency_key AS "idempotencyKey", queued.now,
    queued.created_at AS "createdAt"
  FROM tickertape.queued JOIN tickertape.chat ON chat.key = queued.chat`;

const NEXT = `NOT EXISTS (SELECT FROM tickertape.queued AS other
  WHERE other.chat = queued.chat
    AND (other.place, other.key) < (queued.place, queued.key))`;

/** The run, whoever owns it. */
export async function findRun(
  query: Query,
  id: string,
): Promise<RunRow | null> {
  const [row] = await query(`${RUN} WHERE run.id = $1`, [id]);
  return row === undefined ? null : toRun(row);
}

/** Runs by their keys, in that order. */
export async function runsByKey(
  query: Query,
  keys: string,
): Promise<RunRow[]> {
  const rows = await query(
    `${RUN} WHERE run.key = ANY ($1::bigint[]) ORDER BY run.key`,
    [keys],
  );
  return rows.map(toRun);
}

export async function runsOf(query: Query, chat: string): Promise<RunRow[]> {
  const rows = await query(`${RUN} WHERE chat.id = $1 ORDER BY run.key`, [
    chat,
  ]);
  return rows.map(toRun);
}

export async function entries(
  query: Query,
  run: string,
  after: number,
  limit: number,
): Promise<StoredEntry[]> {
  const rows = await query(
    `SELECT epoch, seq, json FROM tickertape.entry
     WHERE run = (SELECT key FROM tickertape.run WHERE id = $1) AND seq > $2
     ORDER BY seq LIMIT $3`,
    [run, after, rowLimit(limit)],
  );
  const first = Math.max(after, 0) + 1;
  if (rows.some(({ seq }, index) => seq !== first + index)) {
    throw Object.assign(new Error(`The log of run "${run}" has a gap`), {
      // As the server says it of a damaged table.
      code: "XX001",
    });
  }
  return [...rows] as unknown as StoredEntry[];
}

export async function answersOf(
  query: Query,
  run: string,
): Promise<AnswerRow[]> {
  const rows = await query(
    `SELECT answer.question, answer.json
     FROM tickertape.answer JOIN tickertape.run ON run.key = answer.run
     WHERE run.id = $1 ORDER BY answer.key`,
    [run],
  );
  return [...rows] as unknown as AnswerRow[];
}

export async function keptOf(
  query: Query,
  run: string,
  name: string,
): Promise<string | null> {
  const [row] = await query(
    `SELECT kept.text
     FROM tickertape.kept JOIN tickertape.run ON run.key = kept.run
     WHERE run.id = $1 AND kept.name = $2`,
    [run, name],
  );
  return row === undefined ? null : JSON.parse(row.text as string);
}

export async function findChat(
  query: Query,
  owner: string,
  id: string,
): Promise<ChatRow | null> {
  const [row] = await query(`${CHAT} WHERE chat.id = $1 AND chat.owner = $2`, [
    id,
    owner,
  ]);
  return row === undefined ? null : toChat(row);
}

export async function chatsOf(
  query: Query,
  owner: string,
  limit: number,
  all: boolean,
): Promise<ChatRow[]> {
  const rows = await query(
    `${CHAT} WHERE chat.owner = $1 ${all ? "" : "AND NOT chat.hidden"}
     ORDER BY chat.newest_run DESC LIMIT $2`,
    [owner, rowLimit(limit)],
  );
  return rows.map(toChat);
}

export async function queueOf(
  query: Query,
  owner: string,
  chat: string,
): Promise<QueuedRow[]> {
  const rows = await query(
    `${MESSAGE} WHERE chat.id = $1 AND chat.owner = $2
     ORDER BY queued.place, queued.key`,
    [chat, owner],
  );
  return rows.map(toMessage);
}

/** The message that waits under this idempotency key. */
export async function messageOfKey(
  query: Query,
  owner: string,
  key: string,
): Promise<QueuedRow | null> {
  const [row] = await query(
    `${MESSAGE} WHERE queued.owner = $1 AND queued.idempotency_key = $2`,
    [owner, key],
  );
  return row === undefined ? null : toMessage(row);
}

export async function findMessage(
  query: Query,
  owner: string,
  chat: string,
  id: string,
): Promise<QueuedRow | null> {
  const [row] = await query(
    `${MESSAGE} WHERE queued.id = $1 AND chat.id = $2 AND chat.owner = $3`,
    [id, chat, owner],
  );
  return row === undefined ? null : toMessage(row);
}

/** One run at a time: the last one asked is the last one to have ended. */
export async function dueMessages(
  query: Query,
  limit: number,
): Promise<QueuedRow[]> {
  const rows = await query(
    `${MESSAGE} JOIN tickertape.head ON head.run = chat.newest_run
     WHERE head.status <> 'running' AND (queued.now OR head.status = 'complete')
       AND ${NEXT} ORDER BY queued.key LIMIT $1`,
    [rowLimit(limit)],
  );
  return rows.map(toMessage);
}

export async function noteOf(
  query: Query,
  shelf: string,
  key: string,
): Promise<string | null> {
  const [row] = await query(
    "SELECT json FROM tickertape.note WHERE shelf = $1 AND key = $2",
    [shelf, key],
  );
  return row === undefined ? null : row.json as string;
}

export async function notesOf(query: Query, shelf: string): Promise<NoteRow[]> {
  const rows = await query(
    "SELECT key, json FROM tickertape.note WHERE shelf = $1 ORDER BY key",
    [shelf],
  );
  return [...rows] as unknown as NoteRow[];
}

/** As `LIMIT` takes it: null is all of them. */
function rowLimit(limit: number): Value {
  return Number.isFinite(limit) ? Math.max(0, limit) : null;
}

function toRun(row: Row): RunRow {
  return { ...row, text: JSON.parse(row.text as string) } as RunRow;
}

function toChat(row: Row): ChatRow {
  return { ...row, title: JSON.parse(row.title as string) } as ChatRow;
}

function toMessage(row: Row): QueuedRow {
  return {
    ...row,
    text: JSON.parse(row.text as string),
    keep: JSON.parse(row.keep as string),
  } as QueuedRow;
}
