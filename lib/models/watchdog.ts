/**
 * The watchdog of one request: ends waits that nobody else would end (OA2).
 *
 * @module
 */

export interface Watchdog {
  /** Watches for this many milliseconds without a `feed`, then acts once. */
  watch(ms: number, act: () => void): void;
  /** There was progress. Costs one clock reading, no timer. */
  feed(): void;
  /** Watches no more. */
  rest(): void;
}

/** A watchdog that watches nothing yet. */
export function watchdog(): Watchdog {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let fedAt = 0;

  function watch(ms: number, act: () => void) {
    rest();
    fedAt = performance.now();
    const look = () => {
      const left = fedAt + ms - performance.now();
      if (left <= 0) act();
      else timer = setTimeout(look, left);
    };
    timer = setTimeout(look, ms);
  }

  function rest() {
    clearTimeout(timer);
  }

  return { watch, feed: () => fedAt = performance.now(), rest };
}
