/**
 * Chance that can be had again: the seed is printed, or given as
 * `TICKERTAPE_FAULTS_SEED`.
 *
 * @module
 */

export interface Chance {
  seed: number;
  /** From 0 up to 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** True in so many of a hundred cases. */
  percent(share: number): boolean;
}

/** Numbers that are the same for the same seed (mulberry32). */
export function chance(seed: number): Chance {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    seed,
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    percent: (share) => next() * 100 < share,
  };
}

/** A seed of this run's own, printed so that it can be given the next time. */
export function newSeed(): number {
  const given = Deno.env.get("TICKERTAPE_FAULTS_SEED");
  const seed = given
    ? Number(given)
    : crypto.getRandomValues(new Uint32Array(1))[0]!;
  console.log(`seed: TICKERTAPE_FAULTS_SEED=${seed}`);
  return seed;
}
