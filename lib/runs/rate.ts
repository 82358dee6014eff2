/**
 * How many questions one owner may ask in a minute (protocol 2.6).
 *
 * @module
 */
const MINUTE = 60_000;
/** Owners remembered before those that fell silent are forgotten. */
const REMEMBERED = 1_000;

export class Rate {
  #perMinute: number;
  #asked = new Map<string, number[]>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /**
   * Counts one question, if it may be asked.
   *
   * @param now Milliseconds on any clock that only goes forward.
   * @returns 0, or how many milliseconds to wait; then nothing was counted.
   */
  take(owner: string, now: number): number {
    if (this.#perMinute === Infinity) return 0;
    const since = now - MINUTE;
    const recent = (this.#asked.get(owner) ?? []).filter((at) => at > since);
    if (recent.length >= this.#perMinute) return recent[0]! - since;
    recent.push(now);
    this.#asked.set(owner, recent);
    if (this.#asked.size > REMEMBERED) this.#forget(since);
    return 0;
  }

  #forget(since: number): void {
    for (const [owner, asked] of this.#asked) {
      if (asked.at(-1)! <= since) this.#asked.delete(owner);
    }
  }
}
