/**
 * The part of `@std/assert` our tests use, for networks without JSR
 * (`deno.npm.json` maps the name here). Same names, arguments and verdicts.
 *
 * @module
 */
import { equal } from "./equal.ts";

export { equal };

// deno-lint-ignore no-explicit-any
type ErrorType<E> = abstract new (...args: any[]) => E;

/** What a failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

function broken(what: string, msg: string | undefined): never {
  throw new AssertionError(msg === undefined ? `${what}.` : `${what}: ${msg}`);
}

function show(value: unknown): string {
  return Deno.inspect(value, { depth: 20, strAbbreviateSize: 20_000 });
}

/** Throws unless `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Throws unless the two are deeply equal; shows both, lines that differ marked. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  const left = show(actual).split("\n"), right = show(expected).split("\n");
  const gone = left.filter((line) => !right.includes(line));
  const missing = right.filter((line) => !left.includes(line));
  const lines = gone.length + missing.length < left.length + right.length
    ? [
      ...gone.map((line) => `  - ${line}`),
      ...missing.map((line) => `  + ${line}`),
    ]
    : [];
  const marked = lines.length ? `\n\n${lines.join("\n")}` : "";
  broken(
    `Values are not equal${msg === undefined ? "" : ` (${msg})`}\n\n  Actual: ${
      left.join("\n  ")
    }\n  Expected: ${right.join("\n  ")}${marked}\n`,
    undefined,
  );
}

/** Throws if the two are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  broken(
    `Expected actual: ${show(actual)} not to be: ${show(expected)}`,
    msg,
  );
}

/** Throws unless the text contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  broken(`Expected actual: "${actual}" to contain: "${expected}"`, msg);
}

/** Throws unless the text matches. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  broken(`Expected actual: "${actual}" to match: "${expected}"`, msg);
}

/** Fails, always. */
export function fail(msg?: string): never {
  return broken("Failed assertion", msg);
}

function checkError<E extends Error>(
  error: unknown,
  type: ErrorType<E> | undefined,
  includes: string | undefined,
  msg: string | undefined,
): void {
  if (type === undefined) return;
  if (!(error instanceof Error)) {
    broken(`Expected "error" to be an Error object: got ${show(error)}`, msg);
  }
  if (!(error instanceof type)) {
    broken(
      `Expected error to be instance of "${type.name}", but was "${error.constructor.name}"`,
      msg,
    );
  }
  if (includes && !error.message.includes(includes)) {
    broken(
      `Expected error message to include ${JSON.stringify(includes)}, but got ${
        JSON.stringify(error.message)
      }`,
      msg,
    );
  }
}

/** Throws unless `fn` throws (an `E` whose message holds the text, when given); answers what was thrown. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorType<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  typeOrMsg?: ErrorType<E> | string,
  includes?: string,
  msg?: string,
): unknown {
  const type = typeof typeOrMsg === "string" ? undefined : typeOrMsg;
  const note = typeof typeOrMsg === "string" ? typeOrMsg : msg;
  try {
    fn();
  } catch (error) {
    checkError(error, type, includes, note);
    return error;
  }
  return broken("Expected function to throw", note);
}

/** Throws unless `fn` answers a promise that rejects (with an `E` whose message holds the text, when given); answers the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorType<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  typeOrMsg?: ErrorType<E> | string,
  includes?: string,
  msg?: string,
): Promise<unknown> {
  const type = typeof typeOrMsg === "string" ? undefined : typeOrMsg;
  const note = typeof typeOrMsg === "string" ? typeOrMsg : msg;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch {
    return broken("Function throws when expected to reject", note);
  }
  try {
    await promise;
  } catch (error) {
    checkError(error, type, includes, note);
    return error;
  }
  return broken("Expected function to reject", note);
}
