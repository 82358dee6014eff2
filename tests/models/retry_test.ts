import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ModelError } from "../../lib/agent/contracts.ts";
import {
  delayBeforeRetry,
  retryAfterMs,
  wait,
} from "../../lib/models/retry.ts";
import {
  failure,
  type FailureDetails,
  type UpstreamCode,
} from "../../lib/models/upstream_errors.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");

const after = (headers: Record<string, string>) =>
  retryAfterMs(new Headers(headers), NOW);

Deno.test("retryAfterMs() reads seconds, an HTTP date and retry-after-ms", () => {
  assertEquals(after({ "retry-after": "2" }), 2000);
  assertEquals(after({ "retry-after": "0.5" }), 500);
  assertEquals(after({ "retry-after": "0" }), 0);
  assertEquals(
    after({ "retry-after": "Sun, 22 Nov 2026 10:00:07 GMT" }),
    7000,
  );
  assertEquals(after({ "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT" }), 0);
  assertEquals(after({ "retry-after-ms": "15.2", "retry-after": "9" }), 16);
});

Deno.test("retryAfterMs() ignores what it cannot read", () => {
  for (const text of ["soon", "-5", "1e9", "", "NaN", "Infinity", "2 s"]) {
    assertEquals(after({ "retry-after": text }), undefined, text);
  }
  assertEquals(after({}), undefined);
  assertEquals(after({ "retry-after-ms": "x", "retry-after": "1" }), 1000);
});

const delay = (error: ModelError, attempts = 1) =>
  delayBeforeRetry(error, {
    attempts,
    backoffMs: 100,
    maxRetryAfterMs: 30_000,
  });

Deno.test("delayBeforeRetry() waits as asked, up to 30 s", () => {
  const asks = (retryAfterMs: number) =>
    failure("upstream_unavailable", { retryAfterMs });
  assertEquals(delay(asks(0)), 0);
  assertEquals(delay(asks(30_000)), 30_000);
  assertEquals(delay(asks(30_001)), null);
});

Deno.test("delayBeforeRetry() backs off with full jitter, and gives up after two", () => {
  const waits = Array.from(
    { length: 300 },
    () => delay(failure("upstream_reset"), 2)!,
  );
  assert(waits.every((ms) => ms >= 0 && ms <= 200));
  assert(Math.min(...waits) < 50 && Math.max(...waits) > 150);
  assertEquals(delay(failure("upstream_reset"), 3), null);
});

Deno.test("delayBeforeRetry() retries what may pass and nothing else", () => {
  const cases: [UpstreamCode, boolean, FailureDetails?][] = [
    ["upstream_rate_limited", true],
    ["upstream_rate_limited", false, { retryable: false }],
    ["upstream_unavailable", true],
    ["upstream_reset", true],
    ["upstream_truncated", true],
    ["upstream_error", true, { retryable: true }],
    ["upstream_auth", false],
    ["upstream_bad_request", false],
    ["context_length_exceeded", false],
    ["upstream_timeout", false],
    ["upstream_stalled", false],
    ["upstream_malformed", false],
    ["upstream_bad_response", false],
  ];
  for (const [code, again, details] of cases) {
    assertEquals(delay(failure(code, details)) !== null, again, code);
  }
});

Deno.test("wait() ends at once when the signal aborts, with its reason", async () => {
  const controller = new AbortController();
  const waiting = wait(60_000, controller.signal);
  const reason = new Error("stop");
  controller.abort(reason);
  assert(await assertRejects(() => waiting) === reason);
  assert(await assertRejects(() => wait(0, controller.signal)) === reason);
});
