/**
 * Deleting in the SQLite engine. A chat is unlinked in one small transaction:
 * from then on nobody finds it, and it is written down what is left of it. That
 * is overwritten and taken out in many short transactions, after a crash by
 * whoever opens the file next; in the end the log (-wal) is cut, which holds
 * copies of its own.
 *
 * SQLite overwrites the place a row was deleted from, not those it once moved
 * away from as its page was divided. So a small file is written anew as well; in
 * a large one a torn piece may stay where no query reads it, until a backup,
 * which has none of them, is put in the file's place.
 *
 * @module
 */
// Not the global timers: a test that stops time must not stop the disk.
import { clearTimeout, setTimeout } from "node:timers";
import type { DatabaseSync } from "node:sqlite";
import { cutLog, rewrite } from "./sqlite_open.ts";
import { rows } from "./sqlite_reads.ts";

/** How long one transaction of the sweep may block the event loop, ms. */
const SLICE_MS = 5;
/** Up to this size the file is written anew: it blocks for some 70 ms then. */
const REWRITE_BYTES = 16e6;
/** How long a deletion waits for others to be done with the log, ms. */
const CUT_PATIENCE_MS = 1000;
const CUT_RETRY_MS = 20;
/** Afterwards, and after a full disk, it is tried again this often, ms. */
const LATER_MS = 1000;

function prepare(db: DatabaseSync) {
  const sql = (text: string) => db.prepare(text);
  const itsRuns = "(SELECT key FROM run WHERE chat = ?)";
  return {
    chat: sql("SELECT key FROM chat WHERE id = ? AND owner = ?"),
    older: sql(
      `SELECT key FROM chat WHERE updated_at < ? AND owner <> ''
         AND NOT EXISTS (SELECT 1 FROM lease WHERE chat = chat.key)
         AND NOT EXISTS (SELECT 1 FROM queued WHERE chat = chat.key)
       ORDER BY updated_at, key LIMIT ?`,
    ),
    note: sql(
      `INSERT INTO removed SELECT run.key, run.chat, head.last_entry
       FROM run JOIN head ON head.run = run.key WHERE run.chat = ?`,
    ),
    unlink: [
      "DELETE FROM lease WHERE chat = ?",
      "DELETE FROM queued WHERE chat = ?",
      "DELETE FROM withdrawn WHERE chat = ?",
      `DELETE FROM idempotency WHERE run IN ${itsRuns}`,
      `DELETE FROM head WHERE run IN ${itsRuns}`,
      // Its row stays as long as its runs point to it. Nobody's owner is "".
      `UPDATE chat SET id = 'removed-' || key, owner = '', title = '""',
         settings = '{}', hidden = 1, leaf = NULL WHERE key = ?`,
    ].map(sql),

    // Later runs first: they point to earlier ones.
    next: sql("SELECT run, chat, entry FROM removed ORDER BY run DESC LIMIT 1"),
    dropEntry: sql("DELETE FROM entry WHERE id = ? AND run = ? RETURNING prev"),
    moveNext: sql("UPDATE removed SET entry = ? WHERE run = ?"),
    dropKept: sql(
      `DELETE FROM kept WHERE run = ?1
         AND name = (SELECT name FROM kept WHERE run = ?1 LIMIT 1)`,
    ),
    dropRun: [
      "DELETE FROM answer WHERE run = ?",
      "DELETE FROM run WHERE key = ?",
      "DELETE FROM removed WHERE run = ?",
    ].map(sql),
    dropChat: sql(
      `DELETE FROM chat WHERE key = ?1
         AND NOT EXISTS (SELECT 1 FROM run WHERE chat = ?1)`,
    ),
  };
}

/** The steps; those without a word about it are for within a transaction. */
export class Removals {
  #db: DatabaseSync;
  #sql: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = prepare(db);
  }

  unlink(owner: string, id: string): boolean {
    const chat = this.#sql.chat.get(id, owner)?.key as number | undefined;
    if (chat === undefined) return false;
    this.#unlink(chat);
    return true;
  }

  unlinkOlder(before: number, limit: number): number {
    const chats = this.#sql.older.all(before, rows(limit));
    for (const { key } of chats) this.#unlink(key as number);
    return chats.length;
  }

  #unlink(chat: number): void {
    this.#sql.note.run(chat);
    for (const step of this.#sql.unlink) step.run(chat);
  }

  /** Whether something is unlinked and not yet gone. */
  any(): boolean {
    return this.#sql.next.get() !== undefined;
  }

  /** Takes a little more of it out; false if nothing is left. */
  slice(): boolean {
    const until = performance.now() + SLICE_MS;
    do {
      const left = this.#sql.next.get() as Record<string, number> | undefined;
      if (left === undefined) return false;
      this.#take(left.run!, left.chat!, left.entry!, until);
    } while (performance.now() < until);
    return true;
  }

  #take(run: number, chat: number, entry: number, until: number): void {
    const sql = this.#sql;
    while (entry !== 0 && performance.now() < until) {
      entry = sql.dropEntry.get(entry, run)?.prev as number ?? 0;
    }
    sql.moveNext.run(entry, run);
    if (entry !== 0 || sql.dropKept.run(run).changes > 0) return;
    for (const step of sql.dropRun) step.run(run);
    sql.dropChat.run(chat);
  }

  /** Outside a transaction; false if it has to wait for another connection. */
  wipe(): boolean {
    return rewrite(this.#db, REWRITE_BYTES) && cutLog(this.#db);
  }
}

/** Takes out what was unlinked, without holding up anybody for long. */
export class Sweep {
  #removals: Removals;
  #submit: <T>(write: () => T) => Promise<T>;
  #running: Promise<void> = Promise.resolve();
  #busy = 0;
  #closed = false;
  #pause: { timer: ReturnType<typeof setTimeout>; end: () => void } | null =
    null;
  #later: ReturnType<typeof setTimeout> | undefined;

  /** @param submit Runs a write in a transaction of its own or of others too. */
  constructor(
    removals: Removals,
    submit: <T>(write: () => T) => Promise<T>,
  ) {
    this.#removals = removals;
    this.#submit = submit;
  }

  /**
   * Resolves when everything unlinked so far is overwritten, or when that has to
   * wait: for a full disk, or for another program at work in the file. It is
   * then tried again until it is done or the store is closed.
   */
  run(): Promise<void> {
    clearTimeout(this.#later);
    this.#busy++;
    return this.#running = this.#running.then(async () => {
      const done = this.#closed || await this.#finish().catch(() => false);
      this.#busy--;
      if (done || this.#closed) return;
      this.#later = setTimeout(() => this.run(), LATER_MS);
      this.#later.unref();
    });
  }

  /** Starts unless it is at work already. */
  join(): void {
    if (this.#busy === 0) this.run();
  }

  /** Stops where it is; the next one to open the file goes on. */
  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#later);
    clearTimeout(this.#pause?.timer);
    this.#pause?.end();
    return this.#running;
  }

  async #finish(): Promise<boolean> {
    while (await this.#submit(() => this.#removals.slice())) {
      if (this.#closed) return true;
    }
    const until = performance.now() + CUT_PATIENCE_MS;
    while (!this.#closed) {
      if (this.#removals.wipe()) return true;
      if (performance.now() > until) return false;
      await this.#wait(CUT_RETRY_MS);
    }
    return true;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((end) => {
      this.#pause = { timer: setTimeout(end, ms), end };
    });
  }
}
