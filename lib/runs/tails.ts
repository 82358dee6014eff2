/**
 * Runs that another process drives, or that wait for a person, as readers here
 * see them: one look at the store feeds all readers of a run, at the bell of the
 * store and, should that be missed, at a slow clock (protocol 2.5).
 *
 * @module
 */
import type { Store } from "../store/contract.ts";
import { fromStored } from "./entry.ts";
import { LiveRun } from "./live.ts";

/** Entries read at a time. */
const PAGE = 256;
/** The net under the bell, in milliseconds. */
const LOOK_MS = 1_000;

interface Tail {
  live: LiveRun;
  /** Sequence of the last entry read. */
  last: number;
  looking: boolean;
  /** The bell rang while somebody was looking. */
  again: boolean;
}

export class Tails {
  readonly #store: Store;
  readonly #report: (message: string, error: unknown) => void;
  readonly #tails = new Map<string, Tail>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    store: Store,
    report: (message: string, error: unknown) => void,
  ) {
    this.#store = store;
    this.#report = report;
  }

  /** The run from `after` on, or from where its other readers are. */
  live(run: string, after: number): LiveRun {
    let tail = this.#tails.get(run);
    if (tail === undefined) {
      const live = new LiveRun(after);
      tail = { live, last: after, looking: false, again: false };
      this.#tails.set(run, tail);
      this.#timer ??= setInterval(() => this.#lookAtAll(), LOOK_MS);
      this.#look(run, tail);
    }
    return tail.live;
  }

  /** There is news of the run: looks at once, if anybody reads it here. */
  ring(run: string): void {
    const tail = this.#tails.get(run);
    if (tail !== undefined) this.#look(run, tail);
  }

  /** Nobody reads the run here any more, it goes on in this process, or is over. */
  end(run: string, over = false): void {
    const tail = this.#tails.get(run);
    if (tail === undefined) return;
    this.#tails.delete(run);
    if (this.#tails.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    tail.live.abandon(over);
  }

  close(): void {
    for (const run of [...this.#tails.keys()]) this.end(run);
  }

  #lookAtAll(): void {
    for (const [run, tail] of this.#tails) this.#look(run, tail);
  }

  async #look(run: string, tail: Tail): Promise<void> {
    tail.again = true;
    if (tail.looking) return;
    tail.looking = true;
    try {
      while (tail.again && tail.live.heard) {
        tail.again = false;
        const over = await this.#read(run, tail) === "over";
        if (over && this.#tails.get(run) === tail) this.end(run, true);
      }
    } catch (error) {
      // The clock looks again; readers do not hang on a store that is away.
      this.#report("A run of another process could not be read", error);
    } finally {
      tail.looking = false;
    }
  }

  async #read(run: string, tail: Tail): Promise<"over" | "more"> {
    // Asked before the log is read: what is sealed then has no entries to come.
    const row = await this.#store.run(run);
    while (tail.live.heard) {
      const page = await this.#store.read(run, tail.last, PAGE);
      if (page.length === 0) break;
      tail.last = page.at(-1)!.seq;
      tail.live.publish(page.map(fromStored));
    }
    return row?.status === "running" ? "more" : "over";
  }
}
