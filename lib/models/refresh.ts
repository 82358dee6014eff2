/**
 * Keeps knowledge fresh without asking too often.
 *
 * @module
 */

/**
 * A function that looks again when what was found last is no longer good. Calls
 * while it looks share one look.
 *
 * @param look answers how long, in ms, what it found is good.
 */
export function refresher(
  look: () => Promise<number>,
  now: () => number = () => performance.now(),
): () => Promise<void> {
  let goodUntil = -Infinity;
  let looking: Promise<void> | null = null;
  async function refresh() {
    try {
      const ms = await look();
      goodUntil = now() + ms;
    } finally {
      looking = null;
    }
  }
  return () => {
    if (now() < goodUntil) return Promise.resolve();
    return looking ??= refresh();
  };
}
