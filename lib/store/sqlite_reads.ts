/**
 * The reads of the SQLite engine: rows of the file as rows of the contract.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { AnswerRow, ChatRow, RunRow, StoredEntry } from "./contract.ts";
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
    chat.settings, chat.hidden
  FROM chat`;

/** From the entry `?1` back to the one after `?2`, oldest first. */
const WALK = `
  WITH RECURSIVE walk (id, seq, prev) AS (
    SELECT id, seq, prev FROM entry WHERE id = ?1
    UNION ALL
    SELECT entry.id, entry.seq, entry.prev
    FROM walk CROSS JOIN entry ON entry.id = walk.prev
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
    chats: db.prepare(
      `${CHAT} WHERE chat.owner = ? AND chat.hidden = 0
       ORDER BY chat.newest_run DESC LIMIT ?`,
    ),
    head: db.prepare(
      `SELECT head.run, last_seq AS lastSeq, last_entry AS lastEntry
       FROM run JOIN head ON head.run = run.key WHERE run.id = ?`,
    ),
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
       FROM run JOIN answer ON answer.run = run.key
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

  chats(owner: string, limit: number): ChatRow[] {
    return this.#sql.chats.all(owner, Math.max(0, limit)).map(toChat);
  }

  /** Costs `limit` steps and at most 63 more, wherever in the log it begins. */
  entries(id: string, after: number, limit: number): StoredEntry[] {
    const head = this.#sql.head.get(id);
    const lastSeq = head?.lastSeq as number ?? 0;
    const until = Math.min(after + limit, lastSeq);
    if (head === undefined || until <= after) return [];
    const mark = Math.ceil(until / MARK_EVERY) * MARK_EVERY;
    const from = mark < lastSeq
      ? this.#sql.mark.get(head.run as number, mark)!.id
      : head.lastEntry;
    return this.#sql.walk.all(from as number, after, until)
      .map((row) => ({ ...row }) as unknown as StoredEntry);
  }
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
