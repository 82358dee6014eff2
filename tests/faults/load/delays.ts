/**
 * Many durations in little memory: counts per tenth of a millisecond.
 *
 * @module
 */

const PER_MS = 10;
/** Longer ones count as this long, ms. */
const LONGEST_MS = 30_000;

/** What is told of many durations, in milliseconds; NaN where there are none. */
export interface Spread {
  count: number;
  min: number;
  p50: number;
  p99: number;
  max: number;
}

export class Delays {
  #bins = new Uint32Array(LONGEST_MS * PER_MS + 1);
  #count = 0;
  #min = NaN;
  #max = NaN;

  /** @param ms Below zero counts as zero: clocks are read in two processes. */
  add(ms: number): void {
    const bin = Math.min(LONGEST_MS, Math.max(0, ms)) * PER_MS;
    this.#bins[Math.round(bin)]!++;
    this.#count++;
    if (!(ms >= this.#min)) this.#min = ms;
    if (!(ms <= this.#max)) this.#max = ms;
  }

  reset(): void {
    this.#bins.fill(0);
    this.#count = 0;
    this.#min = this.#max = NaN;
  }

  spread(): Spread {
    return {
      count: this.#count,
      min: this.#min,
      p50: this.#at(0.5),
      p99: this.#at(0.99),
      max: this.#max,
    };
  }

  #at(share: number): number {
    if (this.#count === 0) return NaN;
    let left = Math.ceil(this.#count * share);
    const bin = this.#bins.findIndex((count) => (left -= count) <= 0);
    return bin / PER_MS;
  }
}
