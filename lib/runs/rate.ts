/**
 * How much may be asked in a minute: by one owner (protocol 2.6), and by all of
 * them together, because in public an owner is no more than a new cookie.
 *
 * @module
 */
const MINUTE = 60_000;
/** Owners remembered before those that fell silent are forgotten. */
const REMEMBERED = 1_000;

export interface RateLimits {
  /** Questions of one owner in a minute. */
  perMinute: number;
  /** Questions of all owners in a minute. */
  allPerMinute: number;
}

interface Asked {
  at: number;
  weight: number;
}

export class Rate {
  #limits: RateLimits;
  #asked = new Map<string, Asked[]>();
  #all: Asked[] = [];

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /**
   * Counts one question, if it may be asked.
   *
   * @param now Milliseconds on any clock that only goes forward.
   * @param weight How many questions it counts for.
   * @returns 0, or how many milliseconds to wait; then nothing was counted. A
   * question that is too heavy for a whole minute waits for a quiet one.
   */
  take(owner: string, now: number, weight = 1): number {
    const { perMinute, allPerMinute } = this.#limits;
    if (perMinute === Infinity) return 0;
    const since = now - MINUTE;
    const recent = (this.#asked.get(owner) ?? []).filter((a) => a.at > since);
    this.#all = this.#all.filter((a) => a.at > since);
    const wait = Math.max(
      waitFor(recent, perMinute, weight, since),
      waitFor(this.#all, allPerMinute, weight, since),
    );
    if (wait > 0) return wait;
    recent.push({ at: now, weight });
    this.#all.push({ at: now, weight });
    this.#asked.set(owner, recent);
    if (this.#asked.size > REMEMBERED) this.#forget(since);
    return 0;
  }

  /** What was counted at `now` was not asked after all: a retry, a busy chat. */
  giveBack(owner: string, now: number): void {
    for (const asked of [this.#asked.get(owner) ?? [], this.#all]) {
      const at = asked.findLastIndex((each) => each.at === now);
      if (at >= 0) asked.splice(at, 1);
    }
  }

  #forget(since: number): void {
    for (const [owner, asked] of this.#asked) {
      if ((asked.at(-1)?.at ?? 0) <= since) this.#asked.delete(owner);
    }
  }
}

/** Until enough of what was asked is a minute ago. */
function waitFor(
  asked: Asked[],
  limit: number,
  weight: number,
  since: number,
): number {
  let over = asked.reduce((sum, each) => sum + each.weight, weight) - limit;
  for (const { at, weight } of asked) {
    if (over <= 0) return 0;
    over -= weight;
    if (over <= 0) return at - since;
  }
  // Alone in its minute it may be asked, however heavy.
  return asked.length === 0 ? 0 : asked.at(-1)!.at - since;
}
