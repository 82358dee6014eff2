/**
 * JSON Schemas of tools in the strict subset providers check calls against: every
 * key required, none further. What may be left out may be null instead.
 *
 * @module
 */
import * as z from "zod";

type Schema = Record<string, unknown>;

/**
 * The JSON Schema of a tool's arguments: strict (issue 3, item 3), unless it has
 * an object that takes any key.
 */
export function toolSchema(
  input: z.ZodType,
): { parameters: Schema; strict: boolean } {
  const schema = z.toJSONSchema(input, { io: "input" }) as Schema;
  return isOpen(schema)
    ? { parameters: schema, strict: false }
    : { parameters: strict(schema), strict: true };
}

function isOpen(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(isOpen);
  if (!isSchema(schema)) return false;
  return (schema.additionalProperties ?? false) !== false ||
    Object.values(schema).some(isOpen);
}

function strict(schema: Schema): Schema {
  // `$schema` and `default` are not in the subset.
  const { $schema: _, default: __, ...rest } = schema;
  const result: Schema = {};
  for (const [key, value] of Object.entries(rest)) {
    result[key] = key === "properties"
      ? value
      : Array.isArray(value)
      ? value.map((each) => isSchema(each) ? strict(each) : each)
      : isSchema(value)
      ? strict(value)
      : value;
  }
  if (!isSchema(rest.properties)) return result;
  const required = new Set(rest.required as string[] | undefined);
  result.properties = Object.fromEntries(
    Object.entries(rest.properties).map(([name, property]) => {
      const inner = strict(property as Schema);
      return [name, required.has(name) ? inner : orNull(inner)];
    }),
  );
  result.required = Object.keys(rest.properties);
  result.additionalProperties = false;
  return result;
}

function orNull(schema: Schema): Schema {
  const { description, ...rest } = schema;
  const options = Array.isArray(rest.anyOf) ? rest.anyOf as Schema[] : [rest];
  const nullable = options.some(({ type }) => [type].flat().includes("null"));
  if (nullable) return schema;
  return {
    anyOf: [...options, { type: "null" }],
    ...(description === undefined ? {} : { description }),
  };
}

/**
 * Checks arguments against what the tool takes. In a strict schema "left out" is
 * written null, also where the tool itself knows no null.
 */
export function parseInput(
  input: z.ZodType,
  value: unknown,
): z.ZodSafeParseResult<unknown> {
  const asSent = input.safeParse(value);
  if (asSent.success) return asSent;
  const withoutNulls = input.safeParse(leaveOutNulls(value));
  return withoutNulls.success ? withoutNulls : asSent;
}

function leaveOutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(leaveOutNulls);
  if (!isSchema(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, each]) => each !== null)
      .map(([key, each]) => [key, leaveOutNulls(each)]),
  );
}

/** The names a strict schema does not know. */
export function strangers(schema: Schema, input: unknown): string[] {
  if (!isSchema(input) || !isSchema(schema.properties)) return [];
  const known = schema.properties;
  return Object.keys(input).filter((name) => !Object.hasOwn(known, name));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
