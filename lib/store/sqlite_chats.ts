/**
 * How the SQLite engine takes a question: chat, run and first entries at once, and
 * what a person chose for a chat. Each write runs inside a transaction somebody
 * else began.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { CreateOutcome, NewRun, RunRow } from "./contract.ts";
import { checkNewRun, checkText, noParent } from "./rules.ts";
import type { Queue } from "./sqlite_queue.ts";
import type { Reads } from "./sqlite_reads.ts";

function prepare(db: DatabaseSync) {
  const sql = (text: string) => db.prepare(text);
  return {
    newKey: sql("REPLACE INTO idempotency VALUES (?, ?, ?, ?)"),
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
    setLeaf: sql(
      `UPDATE chat SET leaf = run.key FROM run
       WHERE chat.id = ? AND chat.owner = ? AND run.id = ? AND run.chat = chat.key`,
    ),
    active: sql("SELECT run FROM lease WHERE chat = ?"),
    parent: sql("SELECT key FROM run WHERE id = ? AND chat = ?"),
    newRun: sql(
      `INSERT INTO run (id, chat, parent, text, options, created_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    newHead: sql(
      "INSERT INTO head (run, epoch, last_seq, last_entry) VALUES (?, 1, ?, ?)",
    ),
    newLease: sql("INSERT INTO lease VALUES (?, ?, ?, ?)"),
    newEntry: sql(
      "INSERT INTO entry (run, seq, epoch, prev, json) VALUES (?, ?, 1, ?, ?)",
    ),
    keep: sql("REPLACE INTO kept VALUES (?, ?, ?)"),
  };
}

export class Chats {
  #sql: ReturnType<typeof prepare>;
  #reads: Reads;
  #queue: Queue;
  #now: () => number;

  constructor(
    db: DatabaseSync,
    reads: Reads,
    queue: Queue,
    now: () => number,
  ) {
    this.#sql = prepare(db);
    this.#reads = reads;
    this.#queue = queue;
    this.#now = now;
  }

  create(input: NewRun): CreateOutcome {
    const sql = this.#sql;
    const { owner, queued } = input;
    const now = this.#now();
    checkNewRun(input);
    const waiting = queued === null
      ? null
      : this.#queue.find(owner, input.chat, queued);
    if (waiting === undefined) return { kind: "gone" };
    const key = waiting?.idempotencyKey ?? input.idempotencyKey;
    const seen = this.#queue.judge(owner, key, now);
    const itself = seen?.kind === "waiting" && seen.message.id === queued;
    if (seen && !itself) return seen;
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
    let last: number | bigint = 0;
    input.begin.forEach((event, index) => {
      const json = JSON.stringify(event);
      last = sql.newEntry.run(run, index + 1, last, json).lastInsertRowid;
    });
    sql.newHead.run(run, input.begin.length, last);
    sql.newLease.run(run, chat.key!, input.leaseOwner, now + input.leaseMs);
    for (const { name, text } of input.keep) {
      sql.keep.run(run, name, JSON.stringify(text));
    }
    sql.touchChat.run(run, now, chat.key!);
    if (waiting !== null) this.#queue.drop(waiting.key);
    if (key !== null) sql.newKey.run(owner, key, run, now);
    return { kind: "created", run: this.#row(run) };
  }

  setChat(owner: string, id: string, settings: string): boolean {
    checkText("settings", settings);
    return this.#sql.setChat.run(settings, id, owner).changes === 1;
  }

  setLeaf(owner: string, chat: string, run: string): boolean {
    return this.#sql.setLeaf.run(chat, owner, run).changes === 1;
  }

  #row(key: unknown): RunRow {
    return this.#reads.runByKey(key as number);
  }
}
