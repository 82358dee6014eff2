import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import * as z from "zod";
import type { Json } from "../../lib/chat/events.ts";
import { argumentsOf } from "../../lib/tools/mcp/arguments.ts";
import {
  defineTool,
  describedBy,
  MAX_DESCRIPTION,
  toldSchema,
  toolName,
} from "../../lib/tools/mcp/definition.ts";
import { openTestHub } from "../helpers/mcp_hub.ts";
import { startHttpMcp } from "../helpers/mcp_server.ts";

type Schema = { [key: string]: Json };

const hashOf = (tool: Parameters<typeof defineTool>[0]) => {
  const defined = defineTool(tool);
  return typeof defined === "string" ? defined : defined.hash;
};

Deno.test("T07: toolName() gives every tool of every server a name of its own that models take", () => {
  assertEquals(toolName("files", "read_file"), "files__read_file");
  const part = fc.string({ unit: "binary", minLength: 1, maxLength: 80 });
  const server = fc.stringMatching(/^[a-z0-9]([_-]?[a-z0-9]){0,10}$/);
  fc.assert(
    fc.property(server, part, server, part, (s1, t1, s2, t2) => {
      const [a, b] = [toolName(s1, t1), toolName(s2, t2)];
      assertMatch(a, /^[a-zA-Z0-9_-]{1,64}$/);
      assertEquals(a === b, s1 === s2 && t1 === t2);
      assert(a.startsWith(`${s1}__`));
    }),
    { numRuns: 200 },
  );
});

Deno.test("defineTool() pins name, description and schema, whatever the order of keys", () => {
  const tool = {
    name: "a",
    description: "b",
    inputSchema: {
      type: "object",
      properties: { x: { type: "string" }, y: {} },
    },
  };
  const same = {
    description: "b",
    name: "a",
    inputSchema: {
      properties: { y: {}, x: { type: "string" } },
      type: "object",
    },
  };
  assertMatch(hashOf(tool), /^[0-9a-f]{64}$/);
  assertEquals(hashOf(tool), hashOf(same));
  const others = [
    { ...tool, name: "b" },
    { ...tool, description: "b " },
    { ...tool, description: undefined },
    { ...tool, inputSchema: { type: "object" } },
    { ...tool, name: 'a","b', description: "" },
  ];
  assertEquals(new Set([tool, ...others].map(hashOf)).size, 6);
});

Deno.test("defineTool() refuses what is too large or too deep", () => {
  let deep: Schema = {};
  for (let i = 0; i < 20_000; i++) deep = { properties: deep };
  const object = { type: "object" };
  const long = { ...object, description: "x".repeat(70_000) };
  assertStringIncludes(hashOf({ name: "a", inputSchema: deep }), "too deeply");
  assertStringIncludes(hashOf({ name: "a", inputSchema: long }), "64 KB");
  assertStringIncludes(hashOf({ name: "", inputSchema: object }), "its name");
});

Deno.test("a tool that cannot be used is left out, and the others are not", async () => {
  await using server = startHttpMcp();
  const object = { type: "object" };
  server.script.tools = [
    { name: "huge", inputSchema: { ...object, x: "y".repeat(70_000) } },
    { name: "twice", inputSchema: object },
    { name: "twice", inputSchema: object, description: "another" },
    { name: "schön 好", inputSchema: object },
  ];
  await using test = openTestHub({ s: { url: server.url } });
  const names = (await test.hub.tools("ann")).map(({ name }) => name);
  assertEquals(names.length, 2);
  assertEquals(names[0], "s__twice");
  assertMatch(names[1]!, /^s__sch_n__[0-9a-f]{10}$/);
  assertStringIncludes(test.said.join("\n"), '"huge" is left out');
  assertStringIncludes(test.said.join("\n"), '"twice" is listed twice');
});

Deno.test("what a model is told of a tool names its server, is bounded and hides nothing", () => {
  // Tag characters, a zero-width space and a direction override; variation
  // selectors, in which a text can be spelled; fillers that count as letters.
  const hidden = "\u{e0041}\u{e0042}\u200b\u202e\u0007" +
    "\ufe0f\u{e0141}\u{e01ef}\u034f\u3164\u115f\u180b";
  assertEquals(
    describedBy("s", `Reads${hidden} files`),
    '[MCP server "s"] Reads files',
  );
  assertEquals(describedBy("s", "x".repeat(9_000)).length, MAX_DESCRIPTION);
  assertEquals(
    toldSchema({
      $schema: "http://json-schema.org/draft-07/schema#",
      properties: { a: { type: "string", description: `A${hidden}` } },
    }),
    {
      type: "object",
      properties: { a: { type: "string", description: "A" } },
    },
  );
});

const ARGUMENTS: [string, Schema, Json, string | null][] = [
  ["no object", {}, [], "must be an object"],
  ["anything", { type: "object" }, { a: 1 }, null],
  ["missing", { required: ["a"] }, {}, "is required"],
  ["inherited", { required: ["constructor"] }, {}, "is required"],
  [
    "a type",
    { properties: { a: { type: "string" } } },
    { a: 1 },
    "must be string",
  ],
  [
    "types",
    { properties: { a: { type: ["string", "null"] } } },
    { a: null },
    null,
  ],
  ["nullable", { properties: { a: { type: "string", nullable: true } } }, {
    a: null,
  }, null],
  [
    "integer",
    { properties: { a: { type: "integer" } } },
    { a: 1.5 },
    "must be integer",
  ],
  [
    "a whole number",
    { properties: { a: { type: "integer" } } },
    { a: 2 },
    null,
  ],
  [
    "listed",
    { properties: { a: { enum: ["x", 1, null] } } },
    { a: "y" },
    'must be one of "x", 1, null',
  ],
  [
    "const",
    { properties: { a: { const: false } } },
    { a: true },
    "must be one of false",
  ],
  [
    "closed",
    { properties: {}, additionalProperties: false },
    { a: 1 },
    "is no argument",
  ],
  [
    "patterns",
    { patternProperties: { "^a": {} }, additionalProperties: false },
    { a: 1 },
    null,
  ],
  ["in a list", { properties: { a: { items: { type: "number" } } } }, {
    a: [1, "2"],
  }, "must be number"],
  ["inside", { properties: { a: { properties: { b: { type: "null" } } } } }, {
    a: { b: 1 },
  }, "must be null"],
  [
    "either",
    { oneOf: [{ required: ["a"] }, { required: ["b"] }] },
    { a: 1 },
    null,
  ],
  ["a reference", { properties: { a: { $ref: "#/x" } } }, { a: 1 }, null],
  ["an unknown word", { properties: { a: { type: "date" } } }, { a: 1 }, null],
  [
    "nonsense",
    { properties: 7, required: "a", type: 9, enum: "x" },
    { a: 1 },
    null,
  ],
];

for (const [what, schema, value, expected] of ARGUMENTS) {
  Deno.test(`argumentsOf() checks ${what}, and leaves the rest to the server`, () => {
    const result = argumentsOf(schema).safeParse(value);
    if (expected === null) assertEquals(result, { success: true, data: value });
    else assertStringIncludes(z.prettifyError(result.error!), expected);
  });
}

Deno.test("argumentsOf() hands arguments on unchanged, defaults and strange keys included (T02)", () => {
  const schema = { properties: { a: { type: "string", default: "x" } } };
  const value = JSON.parse('{"b": [1], "__proto__": {"c": 2}}');
  const parsed = argumentsOf(schema).parse(value);
  assertEquals(JSON.stringify(parsed), JSON.stringify(value));
});

Deno.test("argumentsOf() takes no time over a schema made to take for ever (threat 33)", () => {
  const $defs: Schema = { d0: { type: "string", pattern: "^(a+)+$" } };
  for (let i = 1; i < 40; i++) {
    const ref = { $ref: `#/$defs/d${i - 1}` };
    $defs[`d${i}`] = { anyOf: [ref, ref] };
  }
  const schema = {
    $defs,
    properties: {
      a: { $ref: "#/$defs/d39" },
      b: { type: "string", pattern: "^(a+)+$" },
    },
  };
  const began = performance.now();
  const value = { a: 5, b: `${"a".repeat(60)}!`, c: Array(50_000).fill({}) };
  assert(argumentsOf(schema).safeParse(value).success);
  const ms = performance.now() - began;
  assert(ms < 50, `${ms} ms`);
});
