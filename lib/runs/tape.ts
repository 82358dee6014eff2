/**
 * The writer of one run's log. Events go in as they happen; they come out
 * committed, in order, coalesced, and closed by exactly one terminal.
 *
 * Coalescing (protocol 2.2, engines.md): the first text goes at once, later
 * deltas at most every {@linkcode WINDOW_MS}; anything that is no delta takes
 * what waits along and goes at once. While a commit is under way everything new
 * gathers for the next, so a slow disk makes larger commits, never a queue.
 *
 * @module
 */
import { type Answer, emptyAnswer } from "../chat/answer.ts";
import { closingEvents } from "../chat/close.ts";
import {
  type AgentEvent,
  isDelta,
  type RunEvent,
  type TerminalEvent,
} from "../chat/events.ts";
import { fold } from "../chat/fold.ts";
import { holdSurrogate, mergeDeltas, splitDelta } from "../chat/merge.ts";
import type { Seal, Store } from "../store/contract.ts";
import type { Entry } from "./entry.ts";

/** Least time between two commits of one run's text: 25 per second (U44). */
export const WINDOW_MS = 40;

/**
 * Marks that mean nothing before what follows them: they never make a commit of
 * their own, so the first word of an answer waits for one commit less and its
 * last for two.
 */
const MARKS = new Set<RunEvent["type"]>([
  "start-step",
  "finish-step",
  "text-start",
  "text-end",
  "reasoning-start",
  "reasoning-end",
  // Read at leisure, and often followed by something else.
  "data-tool-progress",
]);

/** The log has another owner now, or has its terminal: nothing was written. */
export class FencedError extends Error {
  override name = "FencedError";
}

export interface TapeOptions {
  store: Store;
  run: string;
  epoch: number;
  /** Entries already committed, in order; at least the `start`. */
  committed: Entry[];
  /** Rung with what has just become durable. */
  onCommitted: (entries: Entry[]) => void;
  /** Called once when the store refuses; the agent must stop. */
  onFailed: (error: Error) => void;
}

export class Tape {
  /** Everything committed so far, folded. */
  readonly answer: Answer;
  // Not with the log, which may be long: it is in `answer` now.
  #options: Omit<TapeOptions, "committed">;
  #seq: number;
  #waiting: RunEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #committing: Promise<void> | null = null;
  #lastCommit = 0;
  #urgent = false;
  #failure: Error | null = null;
  #closed = false;

  constructor({ committed, ...options }: TapeOptions) {
    this.#options = options;
    this.answer = emptyAnswer(options.run);
    for (const entry of committed) fold(this.answer, entry);
    this.#seq = committed.at(-1)?.seq ?? 0;
  }

  /** Puts an event on the tape. Returns at once; after the end it does nothing. */
  write = (event: AgentEvent): void => {
    if (this.#closed || this.#failure !== null) return;
    this.#gather(event);
    if (MARKS.has(event.type)) return this.#scheduleIn(WINDOW_MS);
    if (!isDelta(event)) this.#urgent = true;
    this.#schedule();
  };

  /** Takes nothing more, as after a crash; what was written still goes in. */
  cut(): void {
    this.#closed = true;
  }

  /**
   * Resolves once everything written so far is durable.
   *
   * @throws FencedError if the log belongs to someone else or is over.
   * @throws StoreError if the store could not commit.
   */
  async settled(): Promise<void> {
    while (this.#failure === null) {
      if (this.#committing === null) this.#flush();
      // Nothing to say, or half a character, whose other half is not here yet.
      if (this.#committing === null) return;
      await this.#committing;
    }
    throw this.#failure;
  }

  /**
   * Closes open parts, writes the terminal and seals the run, in one commit.
   *
   * @throws FencedError if the log belongs to someone else or is over.
   * @throws StoreError if the store could not commit.
   */
  async end(terminal: TerminalEvent): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#committing;
    // Kept until it is durable: a store that refuses once is asked again.
    const waiting = this.#waiting.flatMap(splitDelta);
    // What the log will hold decides what is still open, not what it holds now.
    const whole = structuredClone(this.answer);
    let seq = this.#seq;
    const tell = (events: RunEvent[]) => {
      for (const event of events) {
        fold(whole, { epoch: this.#options.epoch, seq: ++seq, event });
      }
    };
    tell(waiting);
    const closing = closingEvents(whole);
    tell([...closing, terminal]);
    if (whole.status === "running") {
      throw new Error(`Cannot seal run "${whole.run}": its log has a gap`);
    }
    await this.#commit([...waiting, ...closing, terminal], {
      status: whole.status,
      message: JSON.stringify(whole),
    });
  }

  #gather(event: RunEvent): void {
    const last = this.#waiting.at(-1);
    const merged = last === undefined ? null : mergeDeltas(last, event);
    if (merged !== null) this.#waiting[this.#waiting.length - 1] = merged;
    else this.#waiting.push(event);
  }

  #schedule(): void {
    if (this.#committing !== null) return;
    const wait = this.#lastCommit + WINDOW_MS - performance.now();
    if (this.#urgent || wait <= 0) this.#flush();
    else this.#scheduleIn(wait);
  }

  #scheduleIn(ms: number): void {
    if (this.#committing !== null || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#flush(), ms);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#waiting;
    this.#waiting = [];
    this.#urgent = false;
    const last = events.at(-1);
    if (last !== undefined) {
      const [ready, held] = holdSurrogate(last);
      events[events.length - 1] = ready;
      if (held !== null) this.#waiting.push(held);
      if (isDelta(ready) && textLength(ready) === 0) events.pop();
    }
    if (events.length === 0) return;
    this.#lastCommit = performance.now();
    this.#committing = this.#commit(events.flatMap(splitDelta))
      .catch((error) => {
        // Still before everything said since: the end writes both, or neither.
        this.#waiting.unshift(...events);
        this.#failure = error;
        this.#options.onFailed(error);
      })
      .then(() => {
        this.#committing = null;
        if (this.#closed || this.#failure !== null) return;
        if (this.#waiting.length > 0) this.#schedule();
      });
  }

  async #commit(events: RunEvent[], seal?: Seal): Promise<void> {
    const { store, run, epoch } = this.#options;
    const entries = events.map((event, i): Entry => ({
      epoch,
      seq: this.#seq + 1 + i,
      event,
      json: JSON.stringify(event),
    }));
    const outcome = await store.append(run, epoch, entries, seal);
    if (outcome === "fenced") {
      throw new FencedError(`Cannot append to run "${run}": it is not ours`);
    }
    this.#seq += entries.length;
    for (const entry of entries) fold(this.answer, entry);
    this.#options.onCommitted(entries);
  }
}

function textLength(event: RunEvent): number {
  if (!isDelta(event)) return 1;
  return event.type === "tool-input-delta"
    ? event.inputTextDelta.length
    : event.delta.length;
}
