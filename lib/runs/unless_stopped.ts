/**
 * Waiting for what may never come.
 *
 * @module
 */

/**
 * What was promised; who is stopped does not wait for it.
 *
 * @throws signal.reason once `signal` is aborted.
 */
export async function unlessStopped<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  // An abort that is over is not heard of any more.
  if (signal.aborted) reject(signal.reason);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
