/**
 * Says whether what is left on a disk is what was promised: the store opens, its
 * content is that of some moment between the last promise and the last request,
 * byte for byte, and nothing in it is half.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { openStore, type Store } from "../../../lib/store/mod.ts";
import type { Round, Step } from "./plan.ts";
import { now, perform, shown, wordsOf } from "./steps.ts";
import type { Event } from "./trace.ts";

/** One time a step was asked for, and when (event numbers) that was settled. */
interface Attempt {
  n: number;
  tried: number;
  settled: number;
  refused: boolean;
}

/** What may be in the store at some moment: one of these lists of steps. */
export interface Promised {
  /** Done, whatever happens. */
  kept: number[];
  /** Asked for after that: some of these in a row may be done too. */
  open: number[];
}

const digest = (text: string) =>
  createHash("sha1").update(text).digest("base64");

/** Reads the `try`, `ack` and `not` of a worker's output. */
export class Judge {
  #steps: Step[];
  #attempts: Attempt[] = [];
  #states = new Map<string, string>();

  constructor(plan: Round[], events: Event[]) {
    this.#steps = plan.filter((round) => typeof round !== "string").flat();
    events.forEach((event, at) => {
      if (event.kind === "said") this.#hear(event.line, at);
    });
  }

  /** Steps that were acknowledged in all. */
  get acked(): number {
    return this.#attempts
      .filter((one) => one.settled < Infinity && !one.refused).length;
  }

  #hear(line: string, at: number): void {
    const [word, number] = line.split(" ");
    const n = Number(number);
    if (word === "try") {
      const settled = Infinity;
      this.#attempts.push({ n, tried: at, settled, refused: false });
    } else if (word === "ack" || word === "not") {
      const attempt = this.#attempts.findLast((one) => one.n === n)!;
      attempt.settled = at;
      attempt.refused = word === "not";
    }
  }

  /**
   * What was promised before event `end`. Calls take effect in the order they
   * were made: whatever came before an acknowledged one is done too, unless it
   * was refused.
   */
  promisedBefore(end: number): Promised {
    const before = this.#attempts.filter((one) => one.tried < end);
    const last = before.findLastIndex((one) =>
      one.settled < end && !one.refused
    );
    const isRefused = (one: Attempt) => one.settled < end && one.refused;
    return {
      kept: before.slice(0, last + 1)
        .filter((one) => !isRefused(one)).map(({ n }) => n),
      // A refused one may be on the disk until the next commit overwrites it:
      // the process was told no, and the disk did not hear of it.
      open: before.slice(last + 1).map(({ n }) => n),
    };
  }

  /**
   * Words that were deleted before event `end`, which nobody may find in a file
   * again once the store was opened (P06).
   */
  deletedBefore(end: number): string[] {
    const gone = new Set<string>();
    for (const { n, settled, refused } of this.#attempts) {
      const step = this.#steps[n]!;
      if (step.do === "remove" && settled < end && !refused) {
        gone.add(step.chat);
      }
    }
    return this.#steps.flatMap((step) =>
      step.do === "ask" && gone.has(step.chat) ? [wordsOf(step.run)] : []
    );
  }

  /** A sentence if one of these words is in the database, or in its log. */
  foundIn(path: string, words: string[]): string | null {
    const bytes = Buffer.concat(
      [path, `${path}-wal`].filter(existsSync).map((file) =>
        Deno.readFileSync(file)
      ),
    );
    const found = words.find((word) => bytes.includes(word));
    return found === undefined ? null : `deleted, and still there: "${found}"`;
  }

  /** Opens what is at `path` and compares; a sentence if something is wrong. */
  async verdict(path: string, promise: Promised): Promise<string | null> {
    let is: string;
    try {
      const store = openStore({ kind: "sqlite", path, now });
      try {
        is = await shown(store);
        await store.putNote("after", "crash", "1");
      } finally {
        await store.close();
      }
    } catch (error) {
      return `it does not open: ${error}`;
    }
    const half = audit(path);
    if (half !== null) return half;
    return await this.#isOneOf(promise, digest(is))
      ? null
      : `not what was promised: ${await this.#difference(promise.kept, is)}`;
  }

  async #isOneOf({ kept, open }: Promised, is: string): Promise<boolean> {
    for (let begin = 0; begin <= open.length; begin++) {
      for (let end = open.length; end >= begin; end--) {
        const steps = kept.concat(open.slice(begin, end));
        if (await this.#state(steps) === is) return true;
      }
    }
    return false;
  }

  async #state(steps: number[]): Promise<string> {
    if (this.#states.size === 0) await this.#prepare();
    const key = digest(steps.join());
    let state = this.#states.get(key);
    if (state === undefined) {
      const store = await this.#replay(steps);
      this.#states.set(key, state = digest(await shown(store)));
    }
    return state;
  }

  /** The states the worker's store went through: nearly all that are asked for. */
  async #prepare(): Promise<void> {
    const done: number[] = [];
    const store = await this.#replay(done);
    this.#states.set(digest(""), digest(await shown(store)));
    for (const { n, refused } of this.#attempts) {
      if (refused) continue;
      await perform(store, this.#steps[n]!);
      done.push(n);
      this.#states.set(digest(done.join()), digest(await shown(store)));
    }
  }

  /** The simplest engine says what should be there. */
  async #replay(steps: number[]): Promise<Store> {
    const store = openStore({ kind: "memory", now });
    for (const n of steps) {
      // Asked twice, it may end as a mistake of the caller's.
      await perform(store, this.#steps[n]!).catch(() => {});
    }
    return store;
  }

  async #difference(steps: number[], is: string): Promise<string> {
    const was = (await shown(await this.#replay(steps))).split("\n");
    const lines = is.split("\n");
    const at = lines.findIndex((line, index) => line !== was[index]);
    const cut = (line?: string) => line?.slice(0, 300) ?? "nothing";
    return `line ${at} of ${lines.length} is ${cut(lines[at])}, ` +
      `promised ${cut(was[at])}`;
  }
}

/** Queries that find something half; each must find nothing. */
const HALF: [what: string, sql: string][] = [
  ["foreign keys", "PRAGMA foreign_key_check"],
  [
    "a run without a head",
    `SELECT run.id FROM run LEFT JOIN head ON head.run = run.key
     WHERE head.run IS NULL AND run.key NOT IN (SELECT run FROM removed)`,
  ],
  [
    "a log with a gap, or not as long as its head says",
    `SELECT head.run, last_seq, count(entry.id), max(entry.seq) FROM head
     LEFT JOIN entry ON entry.run = head.run GROUP BY head.run
     HAVING count(entry.id) <> last_seq OR max(entry.seq) <> last_seq
       OR min(entry.seq) <> 1 OR max(entry.id) <> last_entry`,
  ],
  [
    "an entry that does not know the one before it",
    `SELECT entry.id FROM entry LEFT JOIN entry AS before
       ON before.id = entry.prev
     JOIN head ON head.run = entry.run
     WHERE entry.seq > 1 AND
       (before.run IS NOT entry.run OR before.seq IS NOT entry.seq - 1)`,
  ],
  [
    "an entry of no run",
    `SELECT id FROM entry WHERE run NOT IN (SELECT run FROM head)
       AND run NOT IN (SELECT run FROM removed)`,
  ],
  [
    "an end without a message, or a message without an end",
    `SELECT run.id FROM run JOIN head ON head.run = run.key
     WHERE (head.status IN ('running', 'parked')) <> (run.message IS NULL)`,
  ],
  [
    "a lease of a run that is over, or a run without one",
    `SELECT head.run FROM head LEFT JOIN lease ON lease.run = head.run
     WHERE (head.status IN ('running', 'parked')) <> (lease.run IS NOT NULL)`,
  ],
];

/** A sentence about the first thing in the file that is not whole. */
function audit(path: string): string | null {
  const db = new DatabaseSync(path);
  try {
    const check = db.prepare("PRAGMA integrity_check").get()?.integrity_check;
    if (check !== "ok") return `integrity_check: ${check}`;
    for (const [what, sql] of HALF) {
      const found = db.prepare(sql).get();
      if (found !== undefined) return `${what}: ${JSON.stringify(found)}`;
    }
    return null;
  } finally {
    db.close();
  }
}
