/**
 * One reader of one run: pulls committed entries behind its cursor, from memory
 * while the run is live here and from the store otherwise, and knows when there
 * is nothing more to come.
 *
 * @module
 */
import { retell } from "../chat/close.ts";
import { isTerminal } from "../chat/events.ts";
import type { RunRow, Store } from "../store/contract.ts";
import { type Entry, fromStored } from "./entry.ts";
import type { LiveRun } from "./live.ts";
import { sealedAnswer } from "./log.ts";
import type { Pulse } from "./pulse.ts";

/**
 * Entries given at a time, and about how many characters of them: what is read
 * for one reader is held for it until it takes it (cases R19, D02, X09).
 */
const PAGE = 256;
const SMALLEST_PAGE = 4;
const PAGE_LENGTH = 16 * 1024;

/** What a pull brings. `beat`: nothing happened for a while. */
export type Pulled =
  | { kind: "entries"; entries: Entry[] }
  | { kind: "beat" }
  /** The terminal was given before: close. */
  | { kind: "over" }
  /** This process lets its readers go; the run goes on. Come back later. */
  | { kind: "leave" };

export interface ReaderOptions {
  store: Store;
  run: string;
  /** What will be heard of the run from here on, if anything. */
  live: (after: number) => LiveRun | undefined;
  /** Sequence after which to read. */
  after: number;
  /** Silence before a `beat`, in milliseconds. */
  beatMs: number;
  /** How long a reader may take nothing before it is let go, in milliseconds. */
  stallMs: number;
  /** Ticks some fifteen times per `beatMs`. */
  pulse: Pulse;
  onClose: () => void;
}

const OVER: Pulled = { kind: "over" };
const BEAT: Pulled = { kind: "beat" };
const LEAVE: Pulled = { kind: "leave" };

export class TapeReader {
  readonly run: string;
  /** Called when the reader was let go because it takes nothing (R19). */
  onStalled: () => void = () => {};
  #options: ReaderOptions;
  #after: number;
  #over = false;
  #leaving = false;
  #closed = false;
  #asking = false;
  #live: LiveRun | undefined;
  /** How many entries the next page has. */
  #page = 16;
  #waiting: ((pulled: Pulled) => void) | null = null;
  #failed: ((error: unknown) => void) | null = null;
  /** When something was last given, or asked for. */
  #last = performance.now();

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.run = options.run;
    this.#after = options.after;
    options.pulse.add(this.#tick);
  }

  /**
   * The next entries: at once where there are any, else a promise of them. One
   * call at a time.
   *
   * @throws StoreError (as a rejection) when the store cannot be read.
   */
  pull(): Pulled | Promise<Pulled> {
    this.#last = performance.now();
    return this.#ready() ?? new Promise((resolve, reject) => {
      this.#waiting = resolve;
      this.#failed = reject;
      this.#arm();
    });
  }

  /** Ends this reader only; the run goes on (N7). */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.pulse.remove(this.#tick);
    this.#live?.off(this.#onBell);
    this.#settle(LEAVE);
    this.#options.onClose();
  }

  /** Asks the reader to come back later: the process is going down. */
  leave(): void {
    this.#leaving = true;
    this.#onBell();
  }

  /** Something may be new: whoever drives the run now is in this process. */
  wake(): void {
    this.#onBell();
  }

  /** What can be given without waiting; null if nothing is known to be there. */
  #ready(): Pulled | null {
    if (this.#closed) return LEAVE;
    if (this.#over) return OVER;
    // Kept once seen: it has the end of the run even after the run is over.
    if (!this.#live?.heard && !this.#live?.over) {
      this.#live = this.#options.live(this.#after);
    }
    if (!this.#live?.knows(this.#after)) return null;
    const entries = this.#live.after(this.#after, PAGE);
    if (entries.length > 0) return this.#give(entries);
    return this.#leaving ? LEAVE : null;
  }

  /** Waits for the bell, or asks the store where no bell will ring. */
  #arm(): void {
    if (this.#live?.knows(this.#after)) this.#live.onNext(this.#onBell);
    else this.#ask();
  }

  #onBell = (): void => {
    if (this.#waiting === null) return;
    const ready = this.#ready();
    if (ready !== null) this.#settle(ready);
    else this.#arm();
  };

  /** Looks at the store once, one look at a time; the next tick looks again. */
  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const after = this.#after;
    try {
      const entries = await this.#stored();
      // A slow store: a beat has been given instead, or the run's own memory
      // was faster. What nobody takes must not move the cursor.
      if (this.#waiting === null || this.#after !== after) return;
      if (entries.length > 0) this.#settle(this.#give(entries));
      else if (this.#over) this.#settle(OVER);
      else if (this.#leaving) this.#settle(LEAVE);
    } catch (error) {
      this.#failed?.(error);
      this.close();
    } finally {
      this.#asking = false;
    }
  }

  async #stored(): Promise<Entry[]> {
    const { store, run } = this.#options;
    const read = async () => {
      const page = await store.read(run, this.#after, this.#page);
      if (page.length === 0) return [];
      const length = page.reduce((sum, { json }) => sum + json.length, 0);
      const fit = Math.floor(PAGE_LENGTH * page.length / length);
      this.#page = Math.min(PAGE, Math.max(SMALLEST_PAGE, fit));
      return page.map(fromStored);
    };
    const stored = await read();
    if (stored.length > 0) return stored;
    // Only now: a sealed run brings its whole answer along.
    const now = await store.run(run);
    if (now !== null && now.status === "running") return [];
    // What was sealed by then has no entries to come, but may have had some.
    const last = await read();
    if (last.length > 0) return last;
    // Sealed with no entries left: the log has expired, the answer has not.
    if (now !== null && this.#after < now.lastSeq) return retold(now);
    this.#over = true;
    return [];
  }

  #tick = (now: number): void => {
    const silence = now - this.#last;
    if (this.#waiting === null) {
      if (silence < this.#options.stallMs) return;
      this.close();
      return this.onStalled();
    }
    if (silence >= this.#options.beatMs) return this.#settle(BEAT);
    if (!this.#live?.knows(this.#after)) this.#onBell();
  };

  #give(entries: Entry[]): Pulled {
    const last = entries.at(-1)!;
    this.#after = last.seq;
    if (isTerminal(last.event)) this.#over = true;
    return { kind: "entries", entries };
  }

  #settle(pulled: Pulled): void {
    const resolve = this.#waiting;
    this.#waiting = this.#failed = null;
    this.#live?.off(this.#onBell);
    resolve?.(pulled);
  }
}

/** The log of an expired run, told again under the old last sequence. */
function retold(row: RunRow): Entry[] {
  const answer = sealedAnswer(row);
  if (answer === null) return [];
  const events = retell(answer, row);
  return events.map((event, i): Entry => ({
    epoch: row.epoch,
    // The terminal keeps its id, so that a cursor at the end stays at the end.
    seq: i === events.length - 1 ? row.lastSeq : i + 1,
    event,
    json: JSON.stringify(event),
  }));
}
