/**
 * The writes of the SQLite engine. Each runs inside a transaction somebody else
 * began and decides there, in SQL, whether it may: leases and epochs hold across
 * processes.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type {
  AppendOutcome,
  CreateOutcome,
  Draft,
  NewRun,
  RunRow,
  Seal,
} from "./contract.ts";
import {
  checkDrafts,
  checkNames,
  checkText,
  judgeAppend,
  KEY_LIFE_MS,
  noParent,
} from "./rules.ts";
import type { Reads } from "./sqlite_reads.ts";

function prepare(db: DatabaseSync) {
  const sql = (text: string) => db.prepare(text);
  return {
    begin: sql("BEGIN IMMEDIATE"),
    commit: sql("COMMIT"),
    rollback: sql("ROLLBACK"),

    seenKey: sql(
      `SELECT run FROM idempotency
       WHERE owner = ? AND key = ? AND created_at > ?`,
    ),
    newKey: sql("REPLACE INTO idempotency VALUES (?, ?, ?, ?)"),
    dropKeys: sql("DELETE FROM idempotency WHERE created_at <= ?"),
    chat: sql("SELECT key, owner FROM chat WHERE id = ?"),
    newChat: sql(
      `INSERT INTO chat (id, owner, title, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?)`,
    ),
    touchChat: sql(
      "UPDATE chat SET newest_run = ?, updated_at = ? WHERE key = ?",
    ),
    active: sql("SELECT run FROM lease WHERE chat = ?"),
    parent: sql("SELECT key FROM run WHERE id = ? AND chat = ?"),
    newRun: sql(
      `INSERT INTO run (id, chat, parent, text, created_at)
       VALUES (?, ?, ?, ?, ?)`,
    ),
    newHead: sql(
      "INSERT INTO head (run, epoch, last_seq, last_entry) VALUES (?, 1, 1, ?)",
    ),
    newLease: sql("INSERT INTO lease VALUES (?, ?, ?, ?)"),

    // Fencing and writing are one statement: no such head, no entry.
    firstEntry: sql(
      `INSERT INTO entry (run, seq, epoch, prev, json)
       SELECT run, ?1, epoch, last_entry, ?2 FROM head
       WHERE run = ?3 AND epoch = ?4 AND last_seq = ?1 - 1
         AND status = 'running'`,
    ),
    nextEntry: sql(
      "INSERT INTO entry (run, seq, epoch, prev, json) VALUES (?, ?, ?, ?, ?)",
    ),
    moveHead: sql("UPDATE head SET last_seq = ?, last_entry = ? WHERE run = ?"),
    sealHead: sql("UPDATE head SET status = ? WHERE run = ?"),
    sealRun: sql("UPDATE run SET message = ?, ended_at = ? WHERE key = ?"),
    dropLease: sql("DELETE FROM lease WHERE run = ?"),

    renew: sql(
      `UPDATE lease SET until = ?1 WHERE run = ?2
         AND EXISTS (SELECT 1 FROM head WHERE run = ?2 AND epoch = ?3)`,
    ),
    takeExpired: sql(
      "UPDATE lease SET owner = ?, until = ? WHERE until <= ? RETURNING run",
    ),
    raiseEpoch: sql("UPDATE head SET epoch = epoch + 1 WHERE run = ?"),
    keep: sql(
      "REPLACE INTO kept SELECT key, ?, ? FROM run WHERE id = ?",
    ),
    requestStop: sql(
      `UPDATE run SET stop_requested = 1
       WHERE id = ? AND EXISTS (SELECT 1 FROM lease WHERE run = run.key)`,
    ),
  };
}

export class Writes {
  #db: DatabaseSync;
  #sql: ReturnType<typeof prepare>;
  #reads: Reads;
  #now: () => number;
  /** Keys of running runs; a key never changes and never comes back. */
  #keys = new Map<string, number>();
  #swept = -Infinity;

  constructor(db: DatabaseSync, reads: Reads, now: () => number) {
    this.#db = db;
    this.#sql = prepare(db);
    this.#reads = reads;
    this.#now = now;
  }

  begin(): void {
    this.#sql.begin.run();
  }

  commit(): void {
    this.#sql.commit.run();
  }

  rollback(): void {
    // The lost transaction may have made runs, whose keys are free again.
    this.#keys.clear();
    // After some errors SQLite has rolled back by itself.
    if (this.#db.isTransaction) this.#sql.rollback.run();
  }

  create(input: NewRun): CreateOutcome {
    const sql = this.#sql;
    const { owner, idempotencyKey } = input;
    const now = this.#now();
    checkNames(input);
    if (idempotencyKey !== null) {
      this.#sweepKeys(now);
      const seen = sql.seenKey.get(owner, idempotencyKey, now - KEY_LIFE_MS);
      if (seen) return { kind: "existing", run: this.#row(seen.run) };
    }
    if (input.newChatTitle !== null && !sql.chat.get(input.chat)) {
      const title = JSON.stringify(input.newChatTitle);
      sql.newChat.run(input.chat, owner, title, now, now);
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
      now,
    ).lastInsertRowid as number;
    const json = JSON.stringify(input.start);
    const entry = sql.nextEntry.run(run, 1, 1, 0, json).lastInsertRowid;
    sql.newHead.run(run, entry);
    sql.newLease.run(run, chat.key!, input.leaseOwner, now + input.leaseMs);
    sql.touchChat.run(run, now, chat.key!);
    if (idempotencyKey !== null) {
      sql.newKey.run(owner, idempotencyKey, run, now);
    }
    return { kind: "created", run: this.#row(run) };
  }

  append(
    id: string,
    epoch: number,
    entries: Draft[],
    seal?: Seal,
  ): AppendOutcome {
    checkDrafts(id, entries, seal);
    const sql = this.#sql;
    const run = this.#key(id);
    if (run === null) return "fenced";
    const first = entries[0]!;
    const begun = sql.firstEntry.run(first.seq, first.json, run, epoch);
    if (begun.changes === 0) return this.#judge(id, epoch, entries, seal);
    let last = begun.lastInsertRowid;
    for (let index = 1; index < entries.length; index++) {
      const { seq, json } = entries[index]!;
      last = sql.nextEntry.run(run, seq, epoch, last, json).lastInsertRowid;
    }
    sql.moveHead.run(first.seq + entries.length - 1, last, run);
    if (seal !== undefined) {
      sql.sealHead.run(seal.status, run);
      sql.sealRun.run(seal.message, this.#now(), run);
      sql.dropLease.run(run);
      this.#keys.delete(id);
    }
    return "ok";
  }

  renew(id: string, epoch: number, leaseMs: number): boolean {
    const run = this.#key(id);
    if (run === null) return false;
    const until = this.#now() + leaseMs;
    const renewed = this.#sql.renew.run(until, run, epoch).changes === 1;
    if (!renewed) this.#keys.delete(id);
    return renewed;
  }

  takeExpired(leaseOwner: string, leaseMs: number): RunRow[] {
    checkText("lease owner", leaseOwner);
    const now = this.#now();
    const taken = this.#sql.takeExpired.all(leaseOwner, now + leaseMs, now);
    return taken.map(({ run }) => run as number)
      .sort((a, b) => a - b)
      .map((run) => {
        this.#sql.raiseEpoch.run(run);
        return this.#row(run);
      });
  }

  /** Text goes in as a JSON string: SQLite would cut it at a NUL. */
  keep(id: string, name: string, text: string): void {
    this.#sql.keep.run(name, JSON.stringify(text), id);
  }

  requestStop(id: string): RunRow | null {
    this.#sql.requestStop.run(id);
    return this.#reads.run(id);
  }

  /** Forgets idempotency keys older than 24 h, at most once an hour. */
  #sweepKeys(now: number): void {
    if (now - this.#swept < KEY_LIFE_MS / 24) return;
    this.#swept = now;
    this.#sql.dropKeys.run(now - KEY_LIFE_MS);
  }

  /** An append that is not simply the next one: rare, so it may cost more. */
  #judge(
    id: string,
    epoch: number,
    entries: Draft[],
    seal: Seal | undefined,
  ): AppendOutcome {
    this.#keys.delete(id);
    const row = this.#reads.run(id)!;
    const stored = () =>
      this.#reads.entries(id, entries[0]!.seq - 1, entries.length);
    return judgeAppend(id, row, epoch, entries, seal, stored);
  }

  #row(key: unknown): RunRow {
    return this.#reads.runByKey(key as number);
  }

  #key(id: string): number | null {
    let key = this.#keys.get(id) ?? null;
    if (key === null) {
      key = this.#reads.key(id);
      if (key !== null) this.#keys.set(id, key);
    }
    return key;
  }
}
