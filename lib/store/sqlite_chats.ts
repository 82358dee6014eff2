/**
 * How the SQLite engine takes a question: chat, run and first entry at once, and
 * what a person chose for a chat. Each write runs inside a transaction somebody
 * else began.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { CreateOutcome, NewRun, RunRow } from "./contract.ts";
import { checkNewRun, checkText, KEY_LIFE_MS, noParent } from "./rules.ts";
import type { Reads } from "./sqlite_reads.ts";

function prepare(db: DatabaseSync) {
  const sql = (text: string) => db.prepare(text);
  return {
    seenKey: sql(
      `SELECT run FROM idempotency
       WHERE owner = ? AND key = ? AND created_at > ?`,
    ),
    newKey: sql("REPLACE INTO idempotency VALUES (?, ?, ?, ?)"),
    dropKeys: sql("DELETE FROM idempotency WHERE created_at <= ?"),
    chat: sql("SELECT key, owner FROM chat WHERE id = ?"),
    newChat: sql(
      `INSERT INTO chat
         (id, owner, title, created_at, updated_at, settings, hidden)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    touchChat: sql(
      "UPDATE chat SET newest_run = ?, updated_at = ? WHERE key = ?",
    ),
    setChat: sql("UPDATE chat SET settings = ? WHERE id = ? AND owner = ?"),
    active: sql("SELECT run FROM lease WHERE chat = ?"),
    parent: sql("SELECT key FROM run WHERE id = ? AND chat = ?"),
    newRun: sql(
      `INSERT INTO run (id, chat, parent, text, options, created_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    newHead: sql(
      "INSERT INTO head (run, epoch, last_seq, last_entry) VALUES (?, 1, 1, ?)",
    ),
    newLease: sql("INSERT INTO lease VALUES (?, ?, ?, ?)"),
    newEntry: sql(
      "INSERT INTO entry (run, seq, epoch, prev, json) VALUES (?, 1, 1, 0, ?)",
    ),
    keep: sql("REPLACE INTO kept VALUES (?, ?, ?)"),
  };
}

export class Chats {
  #sql: ReturnType<typeof prepare>;
  #reads: Reads;
  #now: () => number;
  #swept = -Infinity;

  constructor(db: DatabaseSync, reads: Reads, now: () => number) {
    this.#sql = prepare(db);
    this.#reads = reads;
    this.#now = now;
  }

  create(input: NewRun): CreateOutcome {
    const sql = this.#sql;
    const { owner, idempotencyKey } = input;
    const now = this.#now();
    checkNewRun(input);
    if (idempotencyKey !== null) {
      this.#sweepKeys(now);
      const seen = sql.seenKey.get(owner, idempotencyKey, now - KEY_LIFE_MS);
      if (seen) return { kind: "existing", run: this.#row(seen.run) };
    }
    if (input.newChatTitle !== null && !sql.chat.get(input.chat)) {
      sql.newChat.run(
        input.chat,
        owner,
        JSON.stringify(input.newChatTitle),
        now,
        now,
        input.newChatSettings,
        input.newChatHidden ? 1 : 0,
      );
    }
    const chat = sql.chat.get(input.chat);
    if (chat?.owner !== owner) return { kind: "no-chat" };
    const active = sql.active.get(chat.key!);
    if (active) return { kind: "active", run: this.#row(active.run) };

    const parent = input.parent === null
      ? null
      : sql.parent.get(input.parent, chat.key!)?.key;
    if (parent === undefined) throw noParent(input);
    const run = sql.newRun.run(
      input.run,
      chat.key!,
      parent,
      JSON.stringify(input.text),
      input.options,
      now,
    ).lastInsertRowid as number;
    const entry = sql.newEntry.run(run, JSON.stringify(input.start));
    sql.newHead.run(run, entry.lastInsertRowid);
    sql.newLease.run(run, chat.key!, input.leaseOwner, now + input.leaseMs);
    for (const { name, text } of input.keep) {
      sql.keep.run(run, name, JSON.stringify(text));
    }
    sql.touchChat.run(run, now, chat.key!);
    if (idempotencyKey !== null) {
      sql.newKey.run(owner, idempotencyKey, run, now);
    }
    return { kind: "created", run: this.#row(run) };
  }

  setChat(owner: string, id: string, settings: string): boolean {
    checkText("settings", settings);
    return this.#sql.setChat.run(settings, id, owner).changes === 1;
  }

  /** Forgets idempotency keys older than 24 h, at most once an hour. */
  #sweepKeys(now: number): void {
    if (now - this.#swept < KEY_LIFE_MS / 24) return;
    this.#swept = now;
    this.#sql.dropKeys.run(now - KEY_LIFE_MS);
  }

  #row(key: unknown): RunRow {
    return this.#reads.runByKey(key as number);
  }
}
