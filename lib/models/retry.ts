/**
 * When a step may be asked for again, and how long to wait first (OA4: the SDK
 * ignores a long `Retry-After` and is told not to retry at all).
 *
 * @module
 */
import type { ErrorCode } from "../chat/events.ts";
import type { ModelError } from "../agent/contracts.ts";

/** Protocol 2.8: at most two, and only while nothing was shown. */
export const MAX_RETRIES = 2;

/** Failures that often pass by themselves. A watchdog's verdict is final: its
 * patience is already longer than a person's. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "upstream_rate_limited",
  "upstream_unavailable",
  "upstream_reset",
  "upstream_truncated",
  "upstream_error",
]);

/** How long to wait before another attempt; null when there shall be none. */
export function delayBeforeRetry(
  error: ModelError,
  options: {
    /** Attempts made so far. */
    attempts: number;
    /** The first backoff's upper bound; doubles with each attempt. */
    backoffMs: number;
    /** A longer `Retry-After` is reported instead of waited for. */
    maxRetryAfterMs: number;
  },
): number | null {
  if (options.attempts > MAX_RETRIES) return null;
  if (!PASSING.has(error.code) || !error.options.retryable) return null;
  const asked = error.options.retryAfterMs;
  if (asked !== undefined) {
    return asked <= options.maxRetryAfterMs ? asked : null;
  }
  // Full jitter: many runs that fail together must not come back together.
  const bound = options.backoffMs * 2 ** (options.attempts - 1);
  return Math.round(Math.random() * bound);
}

/**
 * What the provider asked us to wait, in milliseconds: `retry-after-ms`, else
 * `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3). A date gone by
 * is 0; anything unreadable is undefined.
 */
export function retryAfterMs(
  headers: Headers,
  now: number = Date.now(),
): number | undefined {
  const exact = headers.get("retry-after-ms");
  if (exact !== null && isAmount(exact)) return Math.ceil(Number(exact));
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  if (isAmount(text)) return Math.ceil(Number(text) * 1000);
  // Only dates that name a month: `Date.parse("-5")` is a date too.
  const at = /[a-z]{3}/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

const isAmount = (text: string) => /^\s*\d{1,9}(?:\.\d+)?\s*$/.test(text);

/** Resolves after `ms`; rejects with the signal's reason if it aborts first. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", leave);
      resolve();
    }, ms);
    signal.addEventListener("abort", leave, { once: true });
  });
}
