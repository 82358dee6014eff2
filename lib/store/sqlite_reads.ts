/**
 * The reads of the SQLite engine: rows of the file as rows of the contract. A run
 * without a head is as good as deleted (`sqlite_remove.ts`).
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type {
  AnswerRow,
  ChatRow,
  QueuedRow,
  RunRow,
  StoredEntry,
} from "./contract.ts";
import { DamageError } from "./sqlite_error.ts";
import { MARK_EVERY } from "./sqlite_schema.ts";

/** As `node:sqlite` gives them: the columns are the fields of the contract. */
type Row = Record<string, unknown>;

const RUN = `
  SELECT run.id, chat.id AS chat, chat.owner, parent.id AS parent, run.text,
    run.options, head.status, head.epoch, lease.owner AS leaseOwner,
    coalesce(lease.until, 0) AS leaseUntil,
    run.stop_requested AS stopRequested, head.last_seq AS lastSeq,
    run.message, run.created_at AS createdAt, run.ended_at AS endedAt
  FROM run
    JOIN chat ON chat.key = run.chat
    JOIN head ON head.run = run.key
    LEFT JOIN lease ON lease.run = run.key
    LEFT JOIN run AS parent ON parent.key = run.parent`;

const CHAT = `
  SELECT chat.id, chat.owner, chat.title, chat.created_at AS createdAt,
    chat.updated_at AS updatedAt,
    (SELECT run.id FROM lease JOIN run ON run.key = lease.run
      WHERE lease.chat = chat.key) AS activeRun,
    chat.settings, chat.hidden,
    (SELECT run.id FROM run WHERE run.key = chat.leaf) AS leaf
  FROM chat`;

const QUEUED = `
  SELECT queued.id, chat.id AS chat, chat.owner, queued.text, queued.options,
    queued.keep, queued.idempotency_key AS idempotencyKey, queued.now,
    queued.created_at AS createdAt
  FROM queued JOIN chat ON chat.key = queued.chat`;

/**
 * From the entry `?1` back to the one after `?2`, oldest first. Each step goes to
 * the number before, so that a damaged file cannot send it round in circles.
 */
const WALK = `
  WITH RECURSIVE walk (id, seq, prev) AS (
    SELECT id, seq, prev FROM entry WHERE id = ?1
    UNION ALL
    SELECT entry.id, entry.seq, entry.prev
    FROM walk CROSS JOIN entry
      ON entry.id = walk.prev AND entry.seq = walk.seq - 1
    WHERE walk.seq > ?2 + 1
  )
  SELECT entry.epoch, entry.seq, entry.json
  FROM walk CROSS JOIN entry ON entry.id = walk.id
  WHERE walk.seq <= ?3 ORDER BY walk.seq`;

function prepare(db: DatabaseSync) {
  return {
    key: db.prepare("SELECT key FROM run WHERE id = ?"),
    run: db.prepare(`${RUN} WHERE run.id = ?`),
    runByKey: db.prepare(`${RUN} WHERE run.key = ?`),
    runs: db.prepare(
      `${RUN} WHERE run.chat = (SELECT key FROM chat WHERE id = ?)
       ORDER BY run.key`,
    ),
    chat: db.prepare(`${CHAT} WHERE chat.id = ? AND chat.owner = ?`),
    // The condition on `hidden` must read as in the schema, as below.
    listed: db.prepare(
      `${CHAT} WHERE chat.owner = ? AND chat.hidden = 0
       ORDER BY chat.newest_run DESC LIMIT ?`,
    ),
    all: db.prepare(
      `${CHAT} WHERE chat.owner = ? ORDER BY chat.newest_run DESC LIMIT ?`,
    ),
    message: db.prepare(`${QUEUED} WHERE queued.key = ?`),
    queue: db.prepare(
      `${QUEUED} WHERE chat.id = ? AND chat.owner = ? ORDER BY queued.place`,
    ),
    // A chat answers one question at a time, so the run asked last is the one
    // that ended last.
    due: db.prepare(
      `${QUEUED} JOIN head ON head.run = chat.newest_run
       WHERE (queued.now = 1 OR head.status = 'complete')
         AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.chat = queued.chat)
         AND NOT EXISTS (SELECT 1 FROM queued AS before
           WHERE before.chat = queued.chat AND before.place < queued.place)
       ORDER BY queued.key LIMIT ?`,
    ),
    head: db.prepare(
      `SELECT head.run, last_seq AS lastSeq, last_entry AS lastEntry,
         run.message IS NOT NULL AS sealed
       FROM run JOIN head ON head.run = run.key WHERE run.id = ?`,
    ),
    entry: db.prepare("SELECT 1 FROM entry WHERE id = ?"),
    // The last condition must read as in the schema for the index to be used.
    mark: db.prepare(
      "SELECT id FROM entry WHERE run = ? AND seq = ? AND seq & 63 = 0",
    ),
    walk: db.prepare(WALK),
    kept: db.prepare(
      `SELECT kept.text FROM run JOIN kept ON kept.run = run.key
       WHERE run.id = ? AND kept.name = ?`,
    ),
    answers: db.prepare(
      `SELECT answer.question, answer.json
       FROM run JOIN head ON head.run = run.key
         JOIN answer ON answer.run = run.key
       WHERE run.id = ? ORDER BY answer.key`,
    ),
  };
}

/** Every read sees what is committed, or written so far if inside a transaction. */
export class Reads {
  #sql: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#sql = prepare(db);
  }

  key(id: string): number | null {
    return this.#sql.key.get(id)?.key as number | undefined ?? null;
  }

  run(id: string): RunRow | null {
    const row = this.#sql.run.get(id);
    return row === undefined ? null : toRun(row);
  }

  /** For a key this transaction has just seen: the run is there. */
  runByKey(key: number): RunRow {
    return toRun(this.#sql.runByKey.get(key)!);
  }

  runs(chat: string): RunRow[] {
    return this.#sql.runs.all(chat).map(toRun);
  }

  kept(id: string, name: string): string | null {
    const row = this.#sql.kept.get(id, name);
    return row === undefined ? null : JSON.parse(row.text as string);
  }

  answers(id: string): AnswerRow[] {
    return this.#sql.answers.all(id)
      .map((row) => ({ ...row }) as unknown as AnswerRow);
  }

  chat(owner: string, id: string): ChatRow | null {
    const row = this.#sql.chat.get(id, owner);
    return row === undefined ? null : toChat(row);
  }

  chats(owner: string, limit: number, all: boolean): ChatRow[] {
    const { all: every, listed } = this.#sql;
    return (all ? every : listed).all(owner, rows(limit)).map(toChat);
  }

  /** For a key this transaction has just seen: the message is there. */
  message(key: number): QueuedRow {
    return toMessage(this.#sql.message.get(key)!);
  }

  queue(owner: string, chat: string): QueuedRow[] {
    return this.#sql.queue.all(chat, owner).map(toMessage);
  }

  due(limit: number): QueuedRow[] {
    return this.#sql.due.all(rows(limit)).map(toMessage);
  }

  /** Costs `limit` steps and at most 63 more, wherever in the log it begins. */
  entries(id: string, after: number, limit: number): StoredEntry[] {
    const head = this.#sql.head.get(id);
    const lastSeq = head?.lastSeq as number ?? 0;
    const lastEntry = head?.lastEntry as number;
    const until = Math.min(after + limit, lastSeq);
    if (head === undefined || until <= after) return [];
    const mark = Math.ceil(until / MARK_EVERY) * MARK_EVERY;
    const from = mark < lastSeq
      ? this.#sql.mark.get(head.run as number, mark)?.id ?? 0
      : lastEntry;
    const found = this.#sql.walk.all(from as number, after, until);
    // The log of a sealed run may have expired, but only as a whole.
    if (found.length === 0 && head.sealed && !this.#sql.entry.get(lastEntry)) {
      return [];
    }
    if (found.length !== until - after) {
      throw new DamageError(`the log of run "${id}" has a gap`);
    }
    return found.map((row) => ({ ...row }) as unknown as StoredEntry);
  }
}

/** SQL knows neither infinity nor, in a limit, less than nothing. */
export function rows(limit: number): number {
  return Math.min(Math.max(0, limit), Number.MAX_SAFE_INTEGER);
}

function toMessage(row: Row): QueuedRow {
  return {
    ...row,
    text: JSON.parse(row.text as string),
    keep: JSON.parse(row.keep as string),
    now: row.now === 1,
  } as QueuedRow;
}

function toRun(row: Row): RunRow {
  const parked = row.status === "parked";
  return {
    ...row,
    ...(parked && { status: "running", leaseOwner: null }),
    text: JSON.parse(row.text as string),
    stopRequested: row.stopRequested === 1,
  } as RunRow;
}

function toChat(row: Row): ChatRow {
  return {
    ...row,
    title: JSON.parse(row.title as string),
    hidden: row.hidden === 1,
  } as ChatRow;
}
