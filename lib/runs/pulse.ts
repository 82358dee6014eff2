/**
 * One slow clock for everything that waits: a timer for each of thousands of
 * readers, set anew at every token, would cost more than the tokens.
 *
 * @module
 */
export class Pulse {
  #beats = new Set<(now: number) => void>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #everyMs: number;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Calls `beat` at every tick, with `performance.now()`, until {@linkcode remove}. */
  add(beat: (now: number) => void): void {
    this.#beats.add(beat);
    this.#timer ??= setInterval(() => {
      const now = performance.now();
      for (const each of this.#beats) each(now);
    }, this.#everyMs);
  }

  remove(beat: (now: number) => void): void {
    this.#beats.delete(beat);
    if (this.#beats.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
