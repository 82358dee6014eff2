/**
 * Looks at arguments with the schema a server gave. The server is the judge of
 * what it takes; this finds what is plainly wrong before anybody is asked to
 * approve it, and says so in words a model can act on.
 *
 * A schema of a stranger is not compiled into anything: zod's `fromJSONSchema`
 * was driven out of memory by 25 nested `anyOf`, and a `pattern` can hold up the
 * process for hours (threat 33). So types, required keys, further keys and
 * listed values are checked, by a walk as long as the arguments; `$ref`,
 * combinations, patterns and formats are left to the server.
 *
 * @module
 */
import * as z from "zod";
import type { Json } from "../../chat/events.ts";

type Schema = { [key: string]: Json };
type Tell = (path: PropertyKey[], what: string) => void;

/** Complaints beyond these help nobody. */
const MAX_COMPLAINTS = 20;
/** Listed values compared per place, and named in a complaint. */
const MAX_LISTED = 1_000;
const NAMED = 12;

/** The arguments of a tool, unchanged if they fit its JSON Schema. */
export function argumentsOf(schema: Schema): z.ZodType<unknown> {
  return z.unknown().superRefine((value, context) => {
    let left = MAX_COMPLAINTS;
    const tell: Tell = (path, message) => {
      if (left-- > 0) context.addIssue({ code: "custom", path, message });
    };
    if (kindOf(value as Json) !== "object") tell([], "must be an object");
    else look(schema, value as Json, [], tell);
  });
}

function look(schema: Json, value: Json, path: PropertyKey[], tell: Tell) {
  if (!isObject(schema) || Object.hasOwn(schema, "$ref")) return;
  const kinds = [schema.type ?? []].flat();
  if (schema.nullable === true && value === null) return;
  if (kinds.length > 0 && !kinds.some((kind) => isKind(value, kind))) {
    return tell(path, `must be ${kinds.slice(0, NAMED).join(" or ")}`);
  }
  const listed = Array.isArray(schema.enum)
    ? schema.enum
    : Object.hasOwn(schema, "const")
    ? [schema.const!]
    : null;
  // Objects among the listed are not compared: nobody lists them.
  if (
    listed !== null && listed.length <= MAX_LISTED && !listed.some(isNested) &&
    !listed.includes(value)
  ) {
    const names = listed.slice(0, NAMED).map((item) => JSON.stringify(item));
    const more = listed.length > NAMED ? ", …" : "";
    return tell(path, `must be one of ${names.join(", ")}${more}`);
  }
  if (Array.isArray(value)) {
    if (!isObject(schema.items) || Array.isArray(schema.prefixItems)) return;
    for (const [i, item] of value.entries()) {
      look(schema.items, item, [...path, i], tell);
    }
  } else if (isObject(value)) lookInside(schema, value, path, tell);
}

function lookInside(
  schema: Schema,
  value: Schema,
  path: PropertyKey[],
  tell: Tell,
): void {
  const fields = isObject(schema.properties) ? schema.properties : {};
  if (Array.isArray(schema.required)) {
    for (const key of schema.required) {
      if (typeof key === "string" && !Object.hasOwn(value, key)) {
        tell([...path, key], "is required");
      }
    }
  }
  const closed = schema.additionalProperties === false &&
    schema.patternProperties === undefined;
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(fields, key)) {
      look(fields[key]!, value[key]!, [...path, key], tell);
    } else if (closed) tell([...path, key], "is no argument of this tool");
  }
}

const isObject = (value: Json | undefined): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isNested = (value: Json) => typeof value === "object" && value !== null;

function kindOf(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function isKind(value: Json, kind: Json): boolean {
  // A word we do not know is for the server to judge.
  const known = ["null", "array", "object", "string", "number", "boolean"];
  if (kind === "integer") return Number.isInteger(value);
  return typeof kind !== "string" || !known.includes(kind) ||
    kindOf(value) === kind;
}
