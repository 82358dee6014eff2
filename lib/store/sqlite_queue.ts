/**
 * Messages that wait in the SQLite engine, and what idempotency keys stand for.
 * Each write runs inside a transaction somebody else began.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import {
  type EnqueueOutcome,
  type NewMessage,
  QUEUE_LIMIT,
  type QueuedRow,
} from "./contract.ts";
import {
  checkNewMessage,
  isOrderOf,
  type Judged,
  KEY_LIFE_MS,
} from "./rules.ts";
import type { Reads } from "./sqlite_reads.ts";

function prepare(db: DatabaseSync) {
  const sql = (text: string) => db.prepare(text);
  return {
    ofRun: sql(
      `SELECT run FROM idempotency
       WHERE owner = ? AND key = ? AND created_at > ?`,
    ),
    ofMessage: sql(
      "SELECT key FROM queued WHERE owner = ? AND idempotency_key = ?",
    ),
    ofWithdrawn: sql(
      "SELECT 1 FROM withdrawn WHERE owner = ? AND key = ? AND at > ?",
    ),
    forgetRuns: sql("DELETE FROM idempotency WHERE created_at <= ?"),
    forgetWithdrawn: sql("DELETE FROM withdrawn WHERE at <= ?"),

    chat: sql("SELECT key FROM chat WHERE id = ? AND owner = ?"),
    active: sql("SELECT 1 FROM lease WHERE chat = ?"),
    find: sql(
      `SELECT queued.key, queued.idempotency_key AS idempotencyKey
       FROM queued JOIN chat ON chat.key = queued.chat
       WHERE queued.id = ? AND chat.id = ? AND chat.owner = ?`,
    ),
    places: sql(
      `SELECT count(*) AS many, coalesce(max(place), 0) AS last
       FROM queued WHERE chat = ?`,
    ),
    enqueue: sql(
      `INSERT INTO queued (id, chat, place, owner, idempotency_key, created_at,
         text, options, keep)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    drop: sql("DELETE FROM queued WHERE key = ?"),
    withdraw: sql(
      `REPLACE INTO withdrawn
       SELECT owner, idempotency_key, chat, ? FROM queued
       WHERE key = ? AND idempotency_key IS NOT NULL`,
    ),
    place: sql("UPDATE queued SET place = ? WHERE id = ?"),
    hurry: sql(
      `UPDATE queued SET now = 1, place =
         (SELECT min(place) - 1 FROM queued AS any WHERE any.chat = queued.chat)
       WHERE key = ?`,
    ),
  };
}

export class Queue {
  #sql: ReturnType<typeof prepare>;
  #reads: Reads;
  #now: () => number;
  #swept = -Infinity;

  constructor(db: DatabaseSync, reads: Reads, now: () => number) {
    this.#sql = prepare(db);
    this.#reads = reads;
    this.#now = now;
  }

  /** What the key stands for (N10); null if it is free. */
  judge(owner: string, key: string | null, now: number): Judged | null {
    if (key === null) return null;
    this.#sweepKeys(now);
    const sql = this.#sql;
    const since = now - KEY_LIFE_MS;
    const message = sql.ofMessage.get(owner, key)?.key as number | undefined;
    if (message !== undefined) {
      return { kind: "waiting", message: this.#reads.message(message) };
    }
    const run = sql.ofRun.get(owner, key, since)?.run as number | undefined;
    if (run !== undefined) {
      return { kind: "existing", run: this.#reads.runByKey(run) };
    }
    return sql.ofWithdrawn.get(owner, key, since)
      ? { kind: "withdrawn" }
      : null;
  }

  enqueue(input: NewMessage): EnqueueOutcome {
    checkNewMessage(input);
    const sql = this.#sql;
    const { owner, idempotencyKey } = input;
    const now = this.#now();
    const seen = this.judge(owner, idempotencyKey, now);
    if (seen) return seen;
    const chat = sql.chat.get(input.chat, owner)?.key as number | undefined;
    if (chat === undefined) return { kind: "no-chat" };
    if (!sql.active.get(chat)) return { kind: "idle" };
    const { many, last } = sql.places.get(chat) as Record<string, number>;
    if (many! >= QUEUE_LIMIT) return { kind: "full" };
    const key = sql.enqueue.run(
      input.id,
      chat,
      last! + 1,
      owner,
      idempotencyKey,
      now,
      JSON.stringify(input.text),
      input.options,
      JSON.stringify(input.keep.map(({ name, text }) => ({ name, text }))),
    ).lastInsertRowid as number;
    return { kind: "queued", message: this.#reads.message(key) };
  }

  /** The waiting message if it waits in this owner's chat. */
  find(owner: string, chat: string, id: string) {
    return this.#sql.find.get(id, chat, owner) as
      | { key: number; idempotencyKey: string | null }
      | undefined;
  }

  /** It waits no more. */
  drop(key: number): void {
    this.#sql.drop.run(key);
  }

  withdraw(owner: string, chat: string, id: string): QueuedRow | null {
    const found = this.find(owner, chat, id);
    if (found === undefined) return null;
    const message = this.#reads.message(found.key);
    this.#sql.withdraw.run(this.#now(), found.key);
    this.drop(found.key);
    return message;
  }

  reorder(owner: string, chat: string, ids: string[]): boolean {
    const waiting = this.#reads.queue(owner, chat);
    if (!this.#sql.chat.get(chat, owner) || !isOrderOf(waiting, ids)) {
      return false;
    }
    ids.forEach((id, index) => this.#sql.place.run(index, id));
    return true;
  }

  hurry(owner: string, chat: string, id: string): boolean {
    const found = this.find(owner, chat, id);
    if (found === undefined) return false;
    this.#sql.hurry.run(found.key);
    return true;
  }

  /** Forgets keys older than 24 h, at most once an hour. */
  #sweepKeys(now: number): void {
    if (now - this.#swept < KEY_LIFE_MS / 24) return;
    this.#swept = now;
    this.#sql.forgetRuns.run(now - KEY_LIFE_MS);
    this.#sql.forgetWithdrawn.run(now - KEY_LIFE_MS);
  }
}
