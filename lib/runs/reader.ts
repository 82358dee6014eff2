/**
 * One reader of one run: pulls committed entries after its cursor, from memory
 * while the run is live here and from the store otherwise, and knows when there
 * is nothing more to come.
 *
 * @module
 */
import { retell } from "../chat/close.ts";
import type { Answer, Cursor } from "../chat/answer.ts";
import { isTerminal } from "../chat/events.ts";
import type { RunRow, Store } from "../store/contract.ts";
import { type Entry, fromStored } from "./entry.ts";
import type { LiveRun } from "./live.ts";

/** Entries read from the store at a time; keeps a long replay flat (X09). */
const PAGE = 256;
/** How often a run driven elsewhere is looked at, in milliseconds. */
const POLL_MS = 250;

/** What a pull brings. `beat`: nothing happened for a while. */
export type Pulled =
  | { kind: "entries"; entries: Entry[] }
  | { kind: "beat" }
  /** The terminal was given before: close. */
  | { kind: "over" }
  /** The process lets its readers go; the run goes on. Come back later. */
  | { kind: "leave" };

export interface ReaderOptions {
  store: Store;
  /** The run as it was when the reader came. */
  row: RunRow;
  /** The run as this process drives it, if it does. */
  live: () => LiveRun | undefined;
  /** Sequence after which to read. */
  after: number;
  /** Silence before a `beat`, in milliseconds. */
  beatMs: number;
  onClose: () => void;
}

export class TapeReader {
  readonly run: string;
  #options: ReaderOptions;
  #after: number;
  #over = false;
  #leaving = false;
  #closed = false;
  #wake: (() => void) | null = null;
  #live: LiveRun | undefined;
  #beatAt: number;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.run = options.row.id;
    this.#after = options.after;
    this.#beatAt = performance.now() + options.beatMs;
  }

  /** The next entries; waits for them. One call at a time. */
  async pull(): Promise<Pulled> {
    while (!this.#closed) {
      if (this.#over) return { kind: "over" };
      // Kept once seen: it has the end of the run even after the run is over.
      if (!this.#live?.heard) this.#live = this.#options.live();
      const entries = this.#live?.knows(this.#after)
        ? this.#live.after(this.#after, PAGE)
        : await this.#stored();
      if (entries.length > 0) return this.#give(entries);
      if (this.#over) return { kind: "over" };
      if (this.#leaving) return { kind: "leave" };
      await this.#wait();
      if (performance.now() >= this.#beatAt) {
        this.#beatAt = performance.now() + this.#options.beatMs;
        return { kind: "beat" };
      }
    }
    return { kind: "leave" };
  }

  /** Ends this reader only; the run goes on (N7). */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ring();
    this.#options.onClose();
  }

  /** Asks the reader to come back later: the process is going down. */
  leave(): void {
    this.#leaving = true;
    this.#ring();
  }

  #give(entries: Entry[]): Pulled {
    const last = entries.at(-1)!;
    this.#after = last.seq;
    this.#beatAt = performance.now() + this.#options.beatMs;
    if (isTerminal(last.event)) this.#over = true;
    return { kind: "entries", entries };
  }

  async #stored(): Promise<Entry[]> {
    const { store, row } = this.#options;
    const stored = await store.read(row.id, this.#after, PAGE);
    if (stored.length > 0) return stored.map(fromStored);
    const now = await store.run(row.id);
    if (now === null) {
      this.#over = true;
      return [];
    }
    if (now.status === "running") return [];
    // Sealed with no entries left: the log has expired, the answer has not.
    if (this.#after < now.lastSeq) {
      return (await store.read(row.id, this.#after, 1)).length > 0
        ? []
        : retold(now);
    }
    this.#over = true;
    return [];
  }

  /** Waits for the bell, the next look at the store, or the beat. */
  #wait(): Promise<void> {
    const live = this.#live;
    const beat = Math.max(0, this.#beatAt - performance.now());
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        live?.off(done);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(
        done,
        live === undefined ? Math.min(POLL_MS, beat) : beat,
      );
      this.#wake = done;
      live?.onNext(done);
    });
  }

  #ring(): void {
    this.#wake?.();
  }
}

/** The log of an expired run, told again under the old last sequence. */
export function retold(row: RunRow): Entry[] {
  if (row.message === null) return [];
  const events = retell(JSON.parse(row.message) as Answer, row);
  return events.map((event, i): Entry => ({
    epoch: row.epoch,
    // The terminal keeps its id, so that a cursor at the end stays at the end.
    seq: i === events.length - 1 ? row.lastSeq : i + 1,
    event,
    json: JSON.stringify(event),
  }));
}

export type { Cursor };
