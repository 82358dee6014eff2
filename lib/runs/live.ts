/**
 * Runs this process drives, as their readers see them: the last committed
 * entries and a bell. Readers far behind, or of runs that are over, read the
 * store; both give the same entries.
 *
 * @module
 */
import type { Entry } from "./entry.ts";

/**
 * Entries kept in memory per run; older ones are read from the store. Enough for
 * readers that keep up: 512 were half of all memory of a stream.
 */
const KEPT = 64;

export class LiveRun {
  /** Everything committed is known here from this sequence on. */
  #first: number;
  #entries: Entry[];
  #bells = new Set<() => void>();
  /** False once this process no longer hears what is committed. */
  heard = true;
  /** Nothing will be heard of it anywhere: all there is is in the store. */
  over = false;

  /**
   * @param after Sequence after which everything is known.
   * @param committed What is known of that so far, without a gap.
   */
  constructor(after: number, committed: Entry[] = []) {
    this.#entries = committed;
    this.#first = after + 1;
  }

  /** Adds what was just committed and rings every reader. */
  publish(entries: Entry[]): void {
    this.#entries.push(...entries);
    // Trimmed at twice the size, so that the cost per entry stays constant.
    if (this.#entries.length > KEPT * 2) {
      this.#entries.splice(0, this.#entries.length - KEPT);
      this.#first = this.#entries[0]!.seq;
    }
    this.#ring();
  }

  /** The run goes on elsewhere, or (`over`) not at all. */
  abandon(over = false): void {
    this.heard = false;
    this.over = over;
    this.#ring();
  }

  /** Whether the entries after `seq` are all here. */
  knows(seq: number): boolean {
    return this.heard && seq >= this.#first - 1;
  }

  /** At most `limit` entries after `seq`; only if {@linkcode knows} says so. */
  after(seq: number, limit: number): Entry[] {
    const from = seq + 1 - this.#first;
    return this.#entries.slice(from, from + limit);
  }

  /** Rings `bell` once, at the next commit. */
  onNext(bell: () => void): void {
    this.#bells.add(bell);
  }

  off(bell: () => void): void {
    this.#bells.delete(bell);
  }

  #ring(): void {
    if (this.#bells.size === 0) return;
    const bells = this.#bells;
    this.#bells = new Set();
    for (const bell of bells) bell();
  }
}
