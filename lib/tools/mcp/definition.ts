/**
 * What a server says of one of its tools, looked at before anything is made of
 * it: bounded, with a fingerprint, under a name of ours.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Json } from "../../chat/events.ts";

/** A tool as its server describes it. */
export interface Definition {
  /** The server's own name for it. */
  name: string;
  /** As the server wrote it. */
  description: string;
  /** JSON Schema of the arguments, as the server wrote it. */
  schema: { [key: string]: Json };
  /** SHA-256 of all three: what is pinned (case T06). */
  hash: string;
}

/** Longest description told to a model or shown, in UTF-16 units. */
export const MAX_DESCRIPTION = 4_000;
/** Largest schema, as JSON text in UTF-16 units. */
const MAX_SCHEMA = 64 * 1024;
/** Deeper than any arguments object; bounds every walk that follows. */
const MAX_DEPTH = 40;
/** Longest name a server may give; ours is shortened further. */
const MAX_NAME = 256;

/**
 * Takes a tool from a server's list.
 *
 * @returns what is wrong with it, as a sentence, if it cannot be used.
 */
export function defineTool(
  tool: { name: string; description?: string; inputSchema: unknown },
): Definition | string {
  const { name, description = "", inputSchema } = tool;
  if (name === "" || name.length > MAX_NAME) {
    return "its name is empty or too long";
  }
  let schema: string | null;
  try {
    schema = canonical(inputSchema as Json, MAX_DEPTH);
  } catch {
    schema = null;
  }
  if (schema === null) return "its schema is nested too deeply";
  if (schema.length > MAX_SCHEMA) return "its schema is larger than 64 KB";
  const text = [JSON.stringify([name, description]), schema].join("\n");
  return {
    name,
    description,
    schema: inputSchema as Definition["schema"],
    hash: createHash("sha256").update(text).digest("hex"),
  };
}

/** JSON with sorted keys: a server may list them as it likes. Null: too deep. */
export function canonical(value: Json, depth = MAX_DEPTH): string | null {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (depth === 0) return null;
  const parts: string[] = [];
  if (Array.isArray(value)) {
    for (const item of value) {
      const inner = canonical(item, depth - 1);
      if (inner === null) return null;
      parts.push(inner);
    }
    return `[${parts.join(",")}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const inner = canonical(value[key] as Json, depth - 1);
    if (inner === null) return null;
    parts.push(`${JSON.stringify(key)}:${inner}`);
  }
  return `{${parts.join(",")}}`;
}

/** Longest name OpenAI and its likes take. */
const OUR_NAME = 64;

/**
 * Our name for a server's tool: `server__tool`, `[a-zA-Z0-9_-]{1,64}`. A name
 * that had to be changed ends in a hash of the true one, so that it stays the
 * same from listing to listing and two of them never meet.
 */
export function toolName(server: string, tool: string): string {
  const plain = `${server}__${tool}`;
  if (/^[a-zA-Z0-9_-]+$/.test(plain) && plain.length <= OUR_NAME) return plain;
  const mark = createHash("sha256").update(plain).digest("hex").slice(0, 10);
  const legible = plain.replace(/[^a-zA-Z0-9_-]+/g, "_");
  return `${legible.slice(0, OUR_NAME - mark.length - 1)}_${mark}`;
}

/**
 * What is told to a model of a tool: whose it is, and the description without
 * characters nobody sees, in which orders for the model could hide (I08).
 */
export function describedBy(server: string, description: string): string {
  const text = visible(description).slice(0, MAX_DESCRIPTION);
  return `[MCP server "${server}"] ${text}`.slice(0, MAX_DESCRIPTION)
    .toWellFormed().trimEnd();
}

/**
 * The schema as a model is told of it: an object of arguments, its words without
 * what nobody sees. It must not be too deep ({@linkcode defineTool}).
 */
export function toldSchema(schema: Definition["schema"]): {
  [key: string]: Json;
} {
  // Some providers take no other dialect than their own, named or not.
  const { $schema: _dialect, ...rest } = withoutHidden(
    schema,
  ) as Definition["schema"];
  return { properties: {}, ...rest, type: "object" };
}

function withoutHidden(value: Json, key = ""): Json {
  if (typeof value === "string") {
    return key === "description" || key === "title" ? visible(value) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withoutHidden(item));
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k, withoutHidden(v!, k)]),
  );
}

/**
 * The text without control, formatting and tag characters, and without others
 * that show nothing: any text can be spelled in variation selectors.
 */
export function visible(text: string): string {
  return text.replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(/[^\P{C}\n\t]|\p{Default_Ignorable_Code_Point}/gu, "")
    .trim();
}
