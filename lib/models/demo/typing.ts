/**
 * How the demo model types: text cut into the pieces a real model would send,
 * and the clock that lets them go one by one.
 *
 * @module
 */

// One or two Han characters with the punctuation behind them; a word with the
// space before it, at most 12 letters; white space that no word takes along.
const PIECE =
  /\p{Script=Han}{1,2}[，。！？；：、）》」]{0,4}| ?[^\s\p{Script=Han}]{1,12}|\s{1,16}?(?= ?\S)|\s{1,16}/gu;

/** Cuts text into tokens; joined again they are exactly the text. */
export function pieces(text: string): string[] {
  return text.match(PIECE) ?? [];
}

/** Cuts a call's arguments into the uneven fragments providers send. */
export function fragments(text: string, size = 6): string[] {
  const cut: string[] = [];
  for (let at = 0, n = 0; at < text.length; n++) {
    const end = at + 1 + (n * 5 + 3) % size;
    cut.push(text.slice(at, end));
    at = end;
  }
  return cut;
}

/** Lets tokens go at a steady rate. */
export interface Pace {
  /**
   * Waits until a token is due and tells how many may go now (at least 1).
   * Rejects with `signal.reason` when the signal aborts.
   */
  due(signal: AbortSignal): Promise<number>;
}

/** After a pause by the reader, at most this much typing is made up for. */
const CATCH_UP_MS = 50;

/**
 * A pace of `tokensPerSecond` (Infinity: no waiting at all) whose first token
 * comes after `firstTokenMs`. `clock` counts milliseconds, from anywhere.
 */
export function createPace(
  tokensPerSecond: number,
  firstTokenMs: number,
  clock: () => number = () => performance.now(),
): Pace {
  const interval = 1000 / tokensPerSecond;
  let next = clock() + firstTokenMs;
  return {
    async due(signal) {
      signal.throwIfAborted();
      const wait = next - clock();
      if (wait > 0) await sleep(wait, signal);
      if (interval === 0) return Infinity;
      // Timers come late under load: what they missed goes along.
      const late = Math.min(clock() - next, CATCH_UP_MS);
      const count = 1 + Math.max(0, Math.floor(late / interval));
      next = Math.max(next, clock() - CATCH_UP_MS) + count * interval;
      return count;
    },
  };
}

/** Waits, unless the signal ends the waiting; then rejects with its reason. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => {
    clearTimeout(timer);
    reject(signal.reason);
  };
  const timer = setTimeout(() => {
    signal.removeEventListener("abort", onAbort);
    resolve();
  }, ms);
  signal.addEventListener("abort", onAbort, { once: true });
  return promise;
}

/** Waits for the signal alone: how a stalled provider behaves. */
export function never(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}
