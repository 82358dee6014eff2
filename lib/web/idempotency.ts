/**
 * Keys under which a question is asked once, however often it is sent (N10).
 *
 * @module
 */
import { HttpProblem } from "./problem.ts";

/** What a key may look like; anything else never reaches the store (case S04). */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;
/** The same in words. */
export const KEY_RULE = "use 1 to 200 visible ASCII characters";

/**
 * The `Idempotency-Key` header; undefined without one.
 *
 * @throws {HttpProblem} 400 for what is no key.
 */
export function idempotencyHeader({ headers }: Request): string | undefined {
  const key = headers.get("idempotency-key");
  if (key === null) return undefined;
  if (IDEMPOTENCY_KEY.test(key)) return key;
  throw new HttpProblem(
    400,
    "invalid_idempotency_key",
    `The header idempotency-key is not valid: ${KEY_RULE}.`,
  );
}
