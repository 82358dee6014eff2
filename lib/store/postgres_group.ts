/**
 * Group commit on a server: calls made close together share one transaction, and
 * appends and renewals among them one statement. One connection writes, so the
 * calls take effect in the order they were made.
 *
 * A lost connection leaves it open whether something was committed. That is
 * found out before anybody is told: a transaction by its number, a statement
 * that is one by itself by doing it again (what is there already is a
 * duplicate).
 *
 * @module
 */
// Not the global timers: a test that stops time must not stop the commits.
import { setImmediate, setTimeout } from "node:timers";
import { StoreError } from "./contract.ts";
import {
  type Append,
  bulk,
  type Renew,
  type Settled,
} from "./postgres_bulk.ts";
import { type Trouble, troubleOf } from "./postgres_error.ts";
import type { Line } from "./postgres_link.ts";
import {
  CommitLost,
  type Rings,
  transact,
  type Tx,
  wasCommitted,
} from "./postgres_transaction.ts";

/** A write that is no append and no renewal. May be done more than once. */
export interface Other {
  kind: "other";
  write: (tx: Tx) => Promise<unknown>;
}

type Work = Append | Renew | Other;

interface Call {
  work: Work;
  since: number;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

export interface GroupOptions {
  line: Line;
  /** Instead of the database's clock. */
  now: (() => number) | undefined;
  /** How long a call waits for the server, ms. */
  patienceMs: number;
  /** Told of what was committed. */
  onCommitted: (rings: Rings) => void;
  /** The error people get. */
  explain: (trouble: Trouble, cause: unknown) => StoreError;
}

/** Longest pause between two commits, ms; a timer may add one. */
const MAX_PAUSE_MS = 23;
/** A pause after a few calls is this many times as long as commits take. */
const PAUSE_PER_COMMIT = 2;
/** More calls than this in a group: many runs write at once, and may share. */
const FEW_CALLS = 3;
const MAX_CALLS = 1000;
/** A group takes no further call beyond this, in characters. */
const MAX_CHARS = 8e6;
/** Between two tries while the server cannot be reached. */
const RETRY_MS = 100;

/** A call itself is wrong, and leaves the transaction unfit to be committed. */
class Fault extends Error {
  constructor(readonly call: Call, override readonly cause: unknown) {
    super("A call is wrong", { cause });
  }
}

/** See `group_commit.ts`, which does the same for an engine in the process. */
export class PostgresGroup {
  #options: GroupOptions;
  #waiting: Call[] = [];
  #scheduled = false;
  /** How long the last commit took, ms. */
  #took = 0;
  #notBefore = 0;
  #closed: PromiseWithResolvers<void> | null = null;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the work is durable, with what came of it. Rejects with what
   * was wrong with it, which spoils no other call, or with a StoreError.
   */
  submit<T>(work: Work): Promise<T> {
    if (this.#closed !== null) {
      return Promise.reject(new StoreError("io", "The store is closed"));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        work,
        since: performance.now(),
        resolve: resolve as (result: unknown) => void,
        reject,
      });
      this.#schedule();
    });
  }

  /** Takes no more calls; resolves when those that wait are settled. */
  close(): Promise<void> {
    this.#closed ??= Promise.withResolvers();
    if (!this.#scheduled) this.#closed.resolve();
    return this.#closed.promise;
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    const wait = this.#notBefore - performance.now();
    if (wait < 2) setImmediate(() => this.#flush());
    else setTimeout(() => this.#flush(), wait - 1);
  }

  async #flush(): Promise<void> {
    const calls = this.#take();
    const start = performance.now();
    await this.#settle(calls.slice());
    const end = performance.now();
    const typical = Math.min(this.#took, end - start);
    this.#took = end - start;
    this.#notBefore = calls.length === MAX_CALLS
      ? end
      : calls.length > FEW_CALLS
      ? start + MAX_PAUSE_MS
      : end + Math.min(MAX_PAUSE_MS, PAUSE_PER_COMMIT * typical);
    this.#scheduled = false;
    this.#schedule();
    if (!this.#scheduled) this.#closed?.resolve();
  }

  #take(): Call[] {
    let chars = 0;
    let many = 0;
    for (const { work } of this.#waiting) {
      if (many === MAX_CALLS || chars > MAX_CHARS) break;
      many++;
      if (work.kind !== "append") continue;
      for (const { json } of work.entries) chars += json.length;
      chars += work.seal?.message.length ?? 0;
    }
    return this.#waiting.splice(0, many);
  }

  /** Settles every one of `calls`; never throws. */
  async #settle(calls: Call[]): Promise<void> {
    let alone = false;
    while (calls.length > 0) {
      try {
        const settled = await this.#commit(calls, alone);
        calls.forEach((call, index) => {
          const result = settled[index]!;
          if ("error" in result) call.reject(result.error);
          else call.resolve(result.value);
        });
        return;
      } catch (error) {
        if (error instanceof Fault) {
          error.call.reject(wrong(error.cause));
          calls.splice(calls.indexOf(error.call), 1);
          continue;
        }
        if (!alone && troubleOf(error) === null && calls.length > 1) {
          // One of those that shared a statement is wrong: the next try tells.
          alone = true;
          continue;
        }
        this.#fail(calls, error);
        if (calls.length > 0) await pause(RETRY_MS);
      }
    }
  }

  /** Rejects the calls whose patience is over, or all if waiting is no use. */
  #fail(calls: Call[], error: unknown): void {
    const { explain, patienceMs } = this.#options;
    const unknown = error instanceof CommitLost;
    const cause = unknown ? error.cause : error;
    const trouble = troubleOf(cause) ?? { kind: "io" as const };
    const useful = !unknown &&
      (trouble.lost || trouble.again || trouble.kind === "busy");
    const now = performance.now();
    // Calls wait in the order they came, so the impatient ones come first.
    const more = useful
      ? calls.findIndex(({ since }) => since + patienceMs > now)
      : -1;
    const lost = more === -1 ? calls.length : more;
    const told = cause instanceof StoreError ? cause : explain(trouble, cause);
    for (const call of calls.splice(0, lost)) call.reject(told);
  }

  async #commit(calls: Call[], alone: boolean): Promise<Settled[]> {
    const { line, patienceMs, onCommitted } = this.#options;
    const now = this.#options.now?.() ?? null;
    const groups = plan(calls, alone);
    const settled = new Map<Call, Settled>();
    // A statement is a transaction by itself: one way there and back, and no
    // lock is ever held while the server waits for us.
    if (groups.length === 1 && isBulk(groups[0]!)) {
      const rings = await share(line.query, groups[0], now, settled);
      onCommitted(rings);
      return calls.map((call) => settled.get(call)!);
    }
    let rings: Rings = [];
    try {
      rings = await transact(line, now, async (tx) => {
        settled.clear();
        for (const group of groups) {
          if (!isBulk(group)) {
            settled.set(group[0]!, await single(tx, group[0]!));
            continue;
          }
          const more = await share(tx.query, group, tx.now, settled);
          for (const { kind, run } of more) tx.ring(kind, run);
        }
      });
    } catch (error) {
      if (!(error instanceof CommitLost)) throw error;
      const until = performance.now() + patienceMs;
      const done = await wasCommitted(line, error.xid, until)
        // Still not known, and doing it again could do it twice.
        .catch(() => Promise.reject(error));
      if (!done) throw error.cause;
      rings = error.rings;
    }
    onCommitted(rings);
    return calls.map((call) => settled.get(call)!);
  }
}

type Bulk = (Call & { work: Append | Renew })[];

function isBulk(group: Call[]): group is Bulk {
  return group[0]!.work.kind !== "other";
}

/**
 * Calls that may share a statement, in order: neighbours that append or renew,
 * each for another run.
 */
function plan(calls: Call[], alone: boolean): Call[][] {
  const groups: Call[][] = [];
  let runs: Set<string> | null = null;
  for (const call of calls) {
    const { work } = call;
    if (work.kind === "other") {
      groups.push([call]);
      runs = null;
    } else if (runs === null || runs.has(work.run) || alone) {
      groups.push([call]);
      runs = new Set([work.run]);
    } else {
      groups.at(-1)!.push(call);
      runs.add(work.run);
    }
  }
  return groups;
}

async function single(tx: Tx, call: Call): Promise<Settled> {
  try {
    return { value: await (call.work as Other).write(tx) };
  } catch (error) {
    throw troubleOf(error) === null ? new Fault(call, error) : error;
  }
}

/** What the database refuses (a name that is taken) is the caller's mistake. */
function wrong(error: unknown): unknown {
  const { name, message } = error as Error;
  if (name !== "PostgresError") return error;
  return new RangeError(`The database refuses the call: ${message}`, {
    cause: error,
  });
}

/** @returns the news, for those who wait for these runs. */
async function share(
  query: Tx["query"],
  group: Bulk,
  now: number | null,
  settled: Map<Call, Settled>,
): Promise<Rings> {
  let results: Settled[];
  try {
    results = await bulk(query, group.map(({ work }) => work), now);
  } catch (error) {
    if (group.length > 1 || troubleOf(error) !== null) throw error;
    throw new Fault(group[0]!, error);
  }
  const rings: Rings = [];
  group.forEach((call, index) => {
    const result = results[index]!;
    settled.set(call, result);
    const { kind, run } = call.work;
    const value = "value" in result ? result.value : null;
    // A duplicate too: the connection may have been lost before the news went.
    if (kind === "append" && (value === "ok" || value === "duplicate")) {
      rings.push({ kind: "log", run });
    }
  });
  return rings;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
