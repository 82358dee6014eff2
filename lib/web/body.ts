/**
 * JSON bodies, parsed strictly: schema first (threats 28, 33, 41; case E05).
 *
 * @module
 */
import type * as z from "zod";
import { limited, tooLarge } from "./limit.ts";
import { HttpProblem } from "./problem.ts";

export interface BodyOptions {
  /** Bytes. Default 256 KiB. */
  limit?: number;
  /** Values in the JSON. Default 10,000. */
  values?: number;
  /**
   * The body brings along what a client was told before, answers of tools among
   * it: there `constructor` and `prototype` are names like any other.
   */
  history?: boolean;
}

const LIMIT = 256 * 1024;
/** Deeper or larger than any request of ours; bounds the work that follows. */
const DEPTH = 32;
const VALUES = 10_000;

const bad = (
  code: string,
  detail: string,
  members: Record<string, unknown> = {},
) => new HttpProblem(400, code, detail, { members });

async function readText(req: Request, limit: number): Promise<string> {
  const body = limited(req, limit);
  let bytes: Uint8Array;
  try {
    bytes = await body.req.bytes();
  } catch (cause) {
    if (body.exceeded()) throw tooLarge(limit);
    if (cause instanceof HttpProblem) throw cause;
    throw new HttpProblem(
      400,
      "incomplete_body",
      "The request body did not arrive completely.",
      { cause },
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw bad("invalid_utf8", "The request body is not valid UTF-8.");
  }
}

/**
 * Looks at the text alone, before anything recursive or costly does: stops at
 * the first brace too many.
 */
function checkShape(text: string, most: number): void {
  let depth = 0, values = 0, inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (inString) {
      if (char === 0x5c) at++; // backslash
      else if (char === 0x22) inString = false;
      continue;
    }
    switch (char) {
      case 0x22: // "
        inString = true;
        break;
      case 0x7b: // {
      case 0x5b: // [
        values++;
        if (++depth > DEPTH) {
          throw bad("too_deep", `The JSON is nested deeper than ${DEPTH}.`);
        }
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
      case 0x2c: // ,
        values++;
        break;
    }
    if (values > most) {
      throw bad("too_many_values", `The JSON has over ${most} values.`);
    }
  }
}

const TRAP = "__proto__";
const ODD_KEYS = ["constructor", "prototype"];

/** A field's name as it may be shown: short, without control characters. */
function shown(path: readonly PropertyKey[]): string {
  return path.map(String).join(".").toWellFormed()
    .replace(/[^\p{L}\p{N}_.$ -]/gu, "?").slice(0, 40);
}

/** What a schema would let through: broken text, overflown numbers, traps. */
function checkValues(
  value: unknown,
  path: string[],
  forbidden: readonly string[],
): void {
  if (typeof value === "string" && !value.isWellFormed()) {
    throw badField("invalid_text", path, "holds half a surrogate pair");
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw badField("invalid_number", path, "is a number too large");
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (forbidden.includes(key) || !key.isWellFormed()) {
      throw badField("forbidden_key", [...path, key], "is not a usable name");
    }
    checkValues(inner, [...path, key], forbidden);
  }
}

function badField(
  code: string,
  path: readonly PropertyKey[],
  what: string,
): HttpProblem {
  const field = shown(path);
  const subject = field === "" ? "The body" : `The field "${field}"`;
  return bad(code, `${subject} ${what}.`, field === "" ? {} : { field });
}

/** The first complaint of the schema, in words that repeat no value. */
function complaint(
  issue: z.core.$ZodIssue,
  body: unknown,
): HttpProblem {
  switch (issue.code) {
    case "invalid_type": {
      const missing = issue.path.length > 0 && !holds(body, issue.path);
      return missing
        ? badField("missing_field", issue.path, "is missing")
        : badField("invalid_field", issue.path, `must be ${a(issue.expected)}`);
    }
    case "too_big":
      return badField(
        "field_too_large",
        issue.path,
        `must be at most ${issue.maximum} ${unit(issue.origin)}`.trim(),
      );
    case "too_small":
      return badField(
        "field_too_small",
        issue.path,
        `must be at least ${issue.minimum} ${unit(issue.origin)}`.trim(),
      );
    case "unrecognized_keys":
      return badField(
        "unknown_field",
        [...issue.path, issue.keys[0] ?? ""],
        "is not known",
      );
    // Our own words in a schema's `refine` and `regex`; they quote no value.
    case "custom":
    case "invalid_format":
      return badField(
        "invalid_field",
        issue.path,
        `is not valid: ${issue.message}`,
      );
    default:
      return badField("invalid_field", issue.path, "is not valid");
  }
}

/** Whether the body has something at this place. */
function holds(body: unknown, path: readonly PropertyKey[]): boolean {
  let at = body;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) {
      return false;
    }
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return true;
}

const a = (type: string): string =>
  /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;

function unit(origin: string): string {
  if (origin === "string") return "characters long";
  return origin === "array" || origin === "set" ? "items long" : "";
}

/**
 * Reads a request's JSON body against a schema.
 *
 * @throws {HttpProblem} 413 above the limit; 400 with one of the codes
 * `empty_body`, `invalid_utf8`, `invalid_json`, `too_deep`, `too_many_values`,
 * `invalid_text`, `invalid_number`, `forbidden_key`, `missing_field`,
 * `invalid_field`, `unknown_field`, `field_too_large`, `field_too_small`,
 * `incomplete_body`. The detail names the field and repeats no value.
 */
export async function readJson<Schema extends z.ZodType>(
  req: Request,
  schema: Schema,
  options: BodyOptions = {},
): Promise<z.output<Schema>> {
  const text = await readText(req, options.limit ?? LIMIT);
  if (text.trim() === "") throw bad("empty_body", "The request body is empty.");
  checkShape(text, options.values ?? VALUES);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // The parser's message quotes the input.
    throw bad("invalid_json", "The request body is not valid JSON.");
  }
  checkValues(body, [], options.history ? [TRAP] : [TRAP, ...ODD_KEYS]);
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw complaint(result.error.issues[0]!, body);
}
