/**
 * The writes of the SQLite engine to a run that is there. Each runs inside a
 * transaction somebody else began and decides there, in SQL, whether it may:
 * leases and epochs hold across processes.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type {
  AppendOutcome,
  Draft,
  ParkOutcome,
  RunRow,
  Seal,
} from "./contract.ts";
import {
  checkDrafts,
  checkPark,
  checkText,
  judgeAppend,
  judgePark,
} from "./rules.ts";
import type { Reads } from "./sqlite_reads.ts";

function prepare(db: DatabaseSync) {
  const sql = (text: string) => db.prepare(text);
  return {
    begin: sql("BEGIN IMMEDIATE"),
    commit: sql("COMMIT"),
    rollback: sql("ROLLBACK"),

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
         AND EXISTS (SELECT 1 FROM head
           WHERE run = ?2 AND epoch = ?3 AND status = 'running')`,
    ),
    takeExpired: sql(
      "UPDATE lease SET owner = ?, until = ? WHERE until <= ? RETURNING run",
    ),
    parkHead: sql("UPDATE head SET status = 'parked' WHERE run = ?"),
    parkLease: sql("UPDATE lease SET until = ? WHERE run = ?"),
    take: sql(
      `UPDATE lease SET owner = ?, until = ? WHERE run =
         (SELECT head.run FROM run JOIN head ON head.run = run.key
           WHERE run.id = ? AND head.status = 'parked')
       RETURNING run`,
    ),
    newEpoch: sql(
      "UPDATE head SET epoch = epoch + 1, status = 'running' WHERE run = ?",
    ),
    answered: sql("SELECT 1 FROM answer WHERE run = ? AND question = ?"),
    // A run that is over has no lease, and one that never was has none either.
    answer: sql(
      `INSERT INTO answer (run, question, json)
       SELECT run.key, ?, ? FROM run JOIN lease ON lease.run = run.key
       WHERE run.id = ? ON CONFLICT DO NOTHING`,
    ),
    keep: sql(
      `REPLACE INTO kept SELECT run.key, ?, ?
       FROM run JOIN head ON head.run = run.key WHERE run.id = ?`,
    ),
    // Whoever sweeps next takes it, should nobody do so at once.
    call: sql(
      `UPDATE lease SET until = min(until, ?) WHERE run =
         (SELECT run.key FROM run JOIN head ON head.run = run.key
          WHERE run.id = ? AND head.status = 'parked')`,
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
  /** Keys of runs at work; a key never changes and never comes back. */
  #keys = new Map<string, number>();

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
        this.#sql.newEpoch.run(run);
        return this.#reads.runByKey(run);
      });
  }

  park(
    id: string,
    epoch: number,
    until: number,
    questions: string[],
  ): ParkOutcome {
    checkPark(id, until, questions);
    const sql = this.#sql;
    const run = this.#key(id);
    // Until somebody takes it, nobody here has a use for its key.
    this.#keys.delete(id);
    const outcome = judgePark(
      this.#reads.run(id),
      epoch,
      () => questions.some((question) => sql.answered.get(run, question)),
    );
    if (outcome === "parked") {
      sql.parkHead.run(run);
      sql.parkLease.run(until, run);
    }
    return outcome;
  }

  take(id: string, leaseOwner: string, leaseMs: number): RunRow | null {
    checkText("lease owner", leaseOwner);
    const until = this.#now() + leaseMs;
    const taken = this.#sql.take.get(leaseOwner, until, id);
    if (taken === undefined) return null;
    const run = taken.run as number;
    this.#sql.newEpoch.run(run);
    return this.#reads.runByKey(run);
  }

  answer(id: string, question: string, json: string): "recorded" | "taken" {
    checkText("question", question);
    checkText("answer", json);
    const { changes } = this.#sql.answer.run(question, json, id);
    if (changes === 0) return "taken";
    this.#sql.call.run(this.#now(), id);
    return "recorded";
  }

  /** Text goes in as a JSON string: SQLite would cut it at a NUL. */
  keep(id: string, name: string, text: string): void {
    this.#sql.keep.run(name, JSON.stringify(text), id);
  }

  requestStop(id: string): RunRow | null {
    this.#sql.requestStop.run(id);
    this.#sql.call.run(this.#now(), id);
    return this.#reads.run(id);
  }

  /** An append that is not simply the next one: rare, so it may cost more. */
  #judge(
    id: string,
    epoch: number,
    entries: Draft[],
    seal: Seal | undefined,
  ): AppendOutcome {
    this.#keys.delete(id);
    const row = this.#reads.run(id);
    if (row === null) return "fenced";
    const stored = () =>
      this.#reads.entries(id, entries[0]!.seq - 1, entries.length);
    return judgeAppend(row, epoch, entries, seal, stored);
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
