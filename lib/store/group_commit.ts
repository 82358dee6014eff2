/**
 * Group commit: writes asked for close together share one transaction, because
 * making a commit durable costs about the same for one row as for hundreds.
 *
 * @module
 */
// Not the global timers: a test that stops time must not stop the disk.
import { setImmediate, setTimeout } from "node:timers";
import { StoreError } from "./contract.ts";

/** The engine underneath. All of it is synchronous. */
export interface Transactions {
  /** Starts a transaction that may write, or throws. */
  begin(): void;
  /** Makes it durable, or throws. */
  commit(): void;
  /** Gives up whatever was begun; never throws. */
  rollback(): void;
  /** The engine's trouble as a StoreError; null if one write itself is wrong. */
  trouble(error: unknown): StoreError | null;
}

interface Call {
  write: () => unknown;
  since: number;
  result: unknown;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

/** Longest pause between two commits, ms; a timer may add one. */
const MAX_PAUSE_MS = 23;
/** A pause after a few calls is this many times as long as commits take. */
const PAUSE_PER_COMMIT = 2;
/**
 * A group of more calls than this means many runs write at once: they share
 * commits at the longest pause. With 300 streams at typing pace that took a
 * fifth off all CPU per token; their median wait rose from 3 to 19 ms.
 */
const FEW_CALLS = 3;
/** Calls per transaction: it blocks the event loop for some 5 ms at most. */
const MAX_CALLS = 1000;
/** Between two tries while another process holds the write lock. */
const BUSY_RETRY_MS = 15;

/**
 * Collects writes and commits them together.
 *
 * A write that comes after a quiet moment is committed at the end of the same
 * turn of the event loop. While a few writes keep coming, commits stand apart by
 * twice what one takes; while many do, by 25 ms: a single stream hardly waits, a
 * thousand share their commits.
 */
export class GroupCommit {
  #db: Transactions;
  #patienceMs: number;
  #waiting: Call[] = [];
  #scheduled = false;
  /** How long the last commit took, ms. */
  #took = 0;
  #notBefore = 0;
  #closed: PromiseWithResolvers<void> | null = null;

  /** @param patienceMs How long a call waits for a lock of another process. */
  constructor(db: Transactions, patienceMs: number) {
    this.#db = db;
    this.#patienceMs = patienceMs;
  }

  /**
   * Runs `write` inside the next transaction, after those submitted before it,
   * and resolves with what it returned once that is durable. `write` may run
   * more than once (a transaction is done again without a write that threw), so
   * it must have no effect outside the database.
   *
   * Rejects with what `write` threw, which spoils no other call, or with a
   * StoreError if the transaction could not be committed.
   */
  submit<T>(write: () => T): Promise<T> {
    if (this.#closed !== null) {
      return Promise.reject(new StoreError("io", "The store is closed"));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        write,
        since: performance.now(),
        result: undefined,
        resolve: resolve as (result: unknown) => void,
        reject,
      });
      this.#schedule();
    });
  }

  /** Takes no more calls; resolves when those that wait are settled. */
  close(): Promise<void> {
    if (this.#closed === null) {
      this.#closed = Promise.withResolvers();
      if (this.#waiting.length === 0) this.#closed.resolve();
    }
    return this.#closed.promise;
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    const wait = this.#notBefore - performance.now();
    // A timer is up to two milliseconds late, an immediate runs right after the
    // events that are ready now.
    if (wait < 2) setImmediate(() => this.#flush());
    else setTimeout(() => this.#flush(), wait - 1);
  }

  #flush(): void {
    this.#scheduled = false;
    const calls = this.#waiting.splice(0, MAX_CALLS);
    const start = performance.now();
    try {
      this.#commit(calls);
      const end = performance.now();
      // One slow commit alone is a checkpoint and says nothing of the next.
      const typical = Math.min(this.#took, end - start);
      this.#took = end - start;
      // A full group has waited enough.
      this.#notBefore = calls.length === MAX_CALLS
        ? end
        : calls.length > FEW_CALLS
        ? end + MAX_PAUSE_MS
        : end + Math.min(MAX_PAUSE_MS, PAUSE_PER_COMMIT * typical);
    } catch (error) {
      this.#fail(calls, error);
    }
    this.#schedule();
    if (this.#waiting.length === 0) this.#closed?.resolve();
  }

  /** Commits and settles `calls`; throws if none of them could be committed. */
  #commit(calls: Call[]): void {
    while (calls.length > 0) {
      let current: Call | undefined;
      try {
        this.#db.begin();
        for (current of calls) current.result = current.write();
        current = undefined;
        this.#db.commit();
        for (const call of calls) call.resolve(call.result);
        return;
      } catch (error) {
        this.#db.rollback();
        if (current === undefined || this.#db.trouble(error) !== null) {
          throw error;
        }
        current.reject(error);
        calls.splice(calls.indexOf(current), 1);
      }
    }
  }

  #fail(calls: Call[], error: unknown): void {
    const trouble = this.#db.trouble(error) ??
      new StoreError("io", "The store failed to commit", { cause: error });
    const now = performance.now();
    const patience = trouble.kind === "busy" ? this.#patienceMs : 0;
    // Calls wait in the order they came, so the impatient ones come first.
    const more = calls.findIndex((call) => call.since + patience > now);
    const lost = more === -1 ? calls.length : more;
    for (const call of calls.splice(0, lost)) call.reject(trouble);
    this.#waiting = calls.concat(this.#waiting);
    if (calls.length > 0) this.#notBefore = now + BUSY_RETRY_MS;
  }
}
