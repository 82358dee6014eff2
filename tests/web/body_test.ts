import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import * as z from "zod";
import { readJson } from "../../lib/web/body.ts";
import { HttpProblem } from "../../lib/web/problem.ts";
import { guarded } from "../helpers/guarded.ts";

const schema = z.object({
  text: z.string().max(100).refine((text) => text.trim() !== "", "it is empty"),
  chat_id: z.string().regex(/^c_/, "it is no chat id").optional(),
  count: z.number().int().min(1).optional(),
  tags: z.array(z.string()).max(3).optional(),
});

const request = (body: BodyInit | null) =>
  new Request("http://localhost/api/runs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });

/** The code a body is refused with, and how long that took (ms). */
async function refusal(body: BodyInit | null) {
  const started = performance.now();
  const error = await assertRejects(
    () => readJson(request(body), schema),
    HttpProblem,
  );
  const ms = performance.now() - started;
  assertEquals(error.status, 400);
  return { code: error.code, detail: error.detail, ms, error };
}

const deep = (open: string, close: string) =>
  open.repeat(20_000) + close.repeat(20_000);

const E05: [string, BodyInit | null, string][] = [
  ["no body", null, "empty_body"],
  ["nothing", "", "empty_body"],
  ["spaces", " \n ", "empty_body"],
  ["an open brace", "{", "invalid_json"],
  ["two values", "{} {}", "invalid_json"],
  ["a bare word", "text=hi", "invalid_json"],
  ["null", "null", "invalid_field"],
  ["a list", "[]", "invalid_field"],
  ["a string", '"x"', "invalid_field"],
  ["a number", "1", "invalid_field"],
  ["FF FE", new Uint8Array([0xff, 0xfe]), "invalid_utf8"],
  [
    "a broken sequence in a string",
    new Uint8Array([0x22, 0xe4, 0xbd, 0x22]),
    "invalid_utf8",
  ],
  ["a lone high half", '{"text":"a\\ud800"}', "invalid_text"],
  ["a lone low half", '{"text":"\\udc00a"}', "invalid_text"],
  ["a lone half in a name", '{"text":"a","\\ud800":1}', "forbidden_key"],
  ["20,000 lists deep", deep("[", "]"), "too_deep"],
  ["20,000 objects deep", deep('{"a":', "}"), "too_deep"],
  ["20,000 open lists", "[".repeat(20_000), "too_deep"],
  ["__proto__", '{"text":"a","__proto__":{"x":1}}', "forbidden_key"],
  [
    "an escaped __proto__",
    '{"text":"a","__pro\\u0074o__":{}}',
    "forbidden_key",
  ],
  [
    "constructor",
    '{"text":"a","constructor":{"prototype":{"x":1}}}',
    "forbidden_key",
  ],
  ["__proto__ inside", '{"text":"a","b":[{"__proto__":1}]}', "forbidden_key"],
  ["1e999", '{"text":"a","count":1e999}', "invalid_number"],
  ["-1e999 in a list", '{"text":"a","x":[-1e999]}', "invalid_number"],
  ["NaN", '{"text":"a","count":NaN}', "invalid_json"],
  ["no text", "{}", "missing_field"],
  ["text null", '{"text":null}', "invalid_field"],
  ["text a number", '{"text":1}', "invalid_field"],
  ["text a VNode", '{"text":{"type":"b","props":{}}}', "invalid_field"],
  ["text empty", '{"text":" "}', "invalid_field"],
  ["text too long", `{"text":"${"x".repeat(101)}"}`, "field_too_large"],
  ["a bad id", '{"text":"a","chat_id":"../x"}', "invalid_field"],
  ["count a fraction", '{"text":"a","count":1.5}', "invalid_field"],
  ["count too small", '{"text":"a","count":0}', "field_too_small"],
  ["too many tags", '{"text":"a","tags":["","","",""]}', "field_too_large"],
  ["a tag of another type", '{"text":"a","tags":[1]}', "invalid_field"],
];

for (const [name, body, code] of E05) {
  Deno.test(`E05: ${name} is 400 ${code}, at once, and nothing is polluted`, async () => {
    const times = [];
    for (let round = 0; round < 3; round++) {
      const found = await refusal(body);
      assertEquals(found.code, code);
      times.push(found.ms);
    }
    assert(Math.min(...times) <= 50, `${times} ms`);
    assertEquals(({} as Record<string, unknown>).x, undefined);
  });
}

Deno.test("E05: a million keys are 413, those that fit are 400, each within 50 ms", async () => {
  const body = (keys: number) =>
    `{"text":"a",${
      Array.from({ length: keys }, (_, at) => `"k${at}":1`).join(",")
    }}`;
  const cases = [
    { bytes: body(1_000_000), status: 413, code: "too_large" },
    { bytes: body(80_000), status: 400, code: "too_many_values" },
  ];
  for (const { bytes, status, code } of cases) {
    const times = [];
    for (let round = 0; round < 3; round++) {
      const req = request(bytes);
      const started = performance.now();
      const error = await assertRejects(
        () => readJson(req, schema, { limit: 1024 * 1024 }),
        HttpProblem,
      );
      times.push(performance.now() - started);
      assertEquals([error.status, error.code], [status, code]);
    }
    assert(Math.min(...times) <= 50, `${times} ms`);
  }
});

Deno.test("readJson() gives what the schema makes of a good body, a BOM or not", async () => {
  const good = '{"text":"几点？😀 \\" { [ ,","extra":1,"count":3}';
  const expected = { text: '几点？😀 " { [ ,', count: 3 };
  for (const body of [good, `\ufeff${good}`, ` \n${good}\n`]) {
    assertEquals(await readJson(request(body), schema), expected);
  }
  const strict = z.strictObject({ text: z.string() });
  const error = await assertRejects(
    () => readJson(request(good), strict),
    HttpProblem,
  );
  assertEquals(error.code, "unknown_field");
});

Deno.test("readJson() names the field and repeats no value", async () => {
  const canary = "canary".repeat(10_000);
  const bodies = [
    `{"text":"${canary}"}`,
    `{"text":"a","chat_id":"${canary}"}`,
    `{"text":"a","tags":[{"${canary}":1}]}`,
    `{"text":["${canary}"]}`,
    `${canary}`,
    `{"${canary}":1e999,"text":"a"}`,
  ];
  for (const body of bodies) {
    const { detail, error } = await refusal(body);
    assert(detail.length < 200, detail);
    assert(!detail.includes("canary".repeat(7)), detail);
    assert(error.message.length < 300);
  }
  const { detail, error } = await refusal('{"text":"a","tags":[1]}');
  assertEquals(detail, 'The field "tags.0" must be a string.');
  assertEquals(error.extra.members, { field: "tags.0" });
  assertEquals((await refusal("{}")).detail, 'The field "text" is missing.');
  assertEquals(
    (await refusal('{"text":" "}')).detail,
    'The field "text" is not valid: it is empty.',
  );
});

Deno.test("E05: the guard answers a refused body with problem details", async () => {
  const { handler } = guarded(async (req) =>
    Response.json(await readJson(req, schema))
  );
  const res = await handler(request('{"text":1}'));
  assertEquals(res.status, 400);
  assertEquals(res.headers.get("content-type"), "application/problem+json");
  const problem = await res.json();
  assertEquals(
    [problem.code, problem.field, problem.status],
    ["invalid_field", "text", 400],
  );
  assertStringIncludes(problem.detail, "must be a string");
  const good = await handler(request('{"text":"hi"}'));
  assertEquals(await good.json(), { text: "hi" });
});

Deno.test("readJson() of a body that breaks off is 400 incomplete_body", async () => {
  const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      controller.error(new TypeError("connection reset"));
    },
  });
  assertEquals((await refusal(broken)).code, "incomplete_body");
});
