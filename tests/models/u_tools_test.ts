/**
 * The upstream cases about tool calls end to end: what a provider sends, what is
 * run, what a client reads, and what the provider is sent back.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import * as z from "zod";
import type { Tool } from "../../lib/agent/contracts.ts";
import type { ToolPart } from "../../lib/chat/answer.ts";
import {
  calls,
  chunk,
  done,
  event,
  finish,
  fragment,
  says,
  type Script,
  sse,
  toolCall,
} from "../helpers/scripted_upstream.ts";
import { JSON_TYPE } from "../helpers/run_client.ts";
import { appStage, fasterClock, type Told } from "./app_stage.ts";

const end = [finish("tool_calls"), done()];

/** Tools, and which were run; `slow` answers after `quick` has begun. */
function tools(): { tools: Tool[]; ran: string[] } {
  const ran: string[] = [];
  const quick = Promise.withResolvers<void>();
  const input = z.looseObject({});
  const tool = (name: string, run: Tool["run"]): Tool => ({
    name,
    description: name,
    input,
    effect: "read",
    run: (input, context) => {
      ran.push(name);
      return run(input, context);
    },
    // Whatever the model sends is taken as it comes.
    parameters: { type: "object" },
  });
  const said = (input: unknown) => ({ text: JSON.stringify(input) });
  return {
    ran,
    tools: [
      tool("echo", said),
      tool("quick", (input) => {
        quick.resolve();
        return said(input);
      }),
      tool("slow", async (input) => {
        await quick.promise;
        return said(input);
      }),
      tool("throws", () => {
        throw new Error("no buses on Mars");
      }),
      tool("hangs", () => new Promise<never>(() => {})),
      // deno-lint-ignore no-explicit-any
      tool("nothing", () => undefined as any),
      tool("long", () => ({ text: "长".repeat(2 ** 20 / 2) })),
    ],
  };
}

interface Worked extends Told {
  parts: ToolPart[];
  ran: string[];
  /** What the provider was sent back: calls, then results. */
  sent: { id: string; name: string; arguments: string; result: string }[];
}

/** One step with these calls, and one that says "Done." */
async function worked(first: Script): Promise<Worked> {
  const { tools: own, ran } = tools();
  await using stage = await appStage([first, says("Done.")], { tools: own });
  const told = await stage.ask();
  assert(told.end.type === "finish", JSON.stringify(told.end));
  assert(told.text.endsWith("Done."), told.text);
  return {
    ...told,
    ...backAndForth(told, stage.upstream.requests[1]!.body),
    ran,
  };
}

/** Frames, calls sent back and results sent back tell one story, in one order. */
function backAndForth(
  { answer }: Told,
  // deno-lint-ignore no-explicit-any
  body: any,
): Pick<Worked, "parts" | "sent"> {
  const parts = answer.parts.filter((part) => part.kind === "tool");
  const at = body.messages.findIndex((message: { tool_calls?: unknown }) =>
    message.tool_calls !== undefined
  );
  const asked = body.messages[at].tool_calls;
  const results = body.messages.slice(at + 1);
  const ids = parts.map(({ id }) => id);
  assertEquals(asked.map(({ id }: { id: string }) => id), ids);
  assertEquals(
    results.map((result: { tool_call_id: string }) => result.tool_call_id),
    ids,
  );
  assertEquals(new Set(ids).size, ids.length);
  return {
    parts,
    sent: parts.map(({ id }, i) => ({
      id,
      name: asked[i].function.name,
      arguments: asked[i].function.arguments,
      result: results[i].content,
    })),
  };
}

const one = (text: unknown, more: Record<string, unknown> = {}) =>
  toolCall({ index: 0, id: "c0", name: "echo", arguments: text, ...more });

/** One step whose only call is `echo`, with exactly this answer. */
async function echoes(says: string, ...pieces: string[]): Promise<Worked> {
  const told = await worked(sse(...pieces, ...end));
  assertEquals(told.parts.length, 1, JSON.stringify(told.parts));
  const [part] = told.parts;
  assertEquals([part!.name, part!.state], ["echo", "done"]);
  assertEquals(part!.output?.text, says);
  assertEquals(told.sent[0]!.result, says);
  return told;
}

Deno.test("U29: arguments in one-character pieces, cut inside an escape and an escaped quote, are exact", async () => {
  const given = { say: 'café "q" \\ 火', deep: { list: [1, "\u0000"] } };
  const text = JSON.stringify(given).replace("é", "\\u00e9");
  await echoes(
    JSON.stringify(given),
    one(""),
    ...[...text].map((char) => toolCall({ index: 0, arguments: char })),
  );
});

Deno.test("U30: two calls interleaved by index both run; results go back in call order, whichever was first", async () => {
  const { sent } = await worked(sse(
    toolCall({ index: 0, id: "a", name: "slow", arguments: '{"x"' }),
    toolCall({ index: 1, id: "b", name: "quick", arguments: '{"y"' }),
    toolCall({ index: 1, arguments: ":2}" }),
    toolCall({ index: 0, arguments: ":1}" }),
    ...end,
  ));
  assertEquals(sent.map(({ name, result }) => [name, result]), [
    ["slow", '{"x":1}'],
    ["quick", '{"y":2}'],
  ]);
});

Deno.test("U31: both calls whole in one chunk, or in the chunk that finishes, both run", async () => {
  const both = [
    { index: 0, id: "a", name: "slow", arguments: '{"x":1}' },
    { index: 1, id: "b", name: "quick", arguments: '{"y":2}' },
  ];
  for (
    const script of [
      sse(toolCall(...both), ...end),
      sse(finish("stop", { tool_calls: both.map(fragment) }), done()),
    ]
  ) {
    const { ran, sent } = await worked(script);
    assertEquals(ran, ["slow", "quick"]);
    assertEquals(sent.map(({ result }) => result), ['{"x":1}', '{"y":2}']);
  }
});

Deno.test("U32: ids and names that are null, repeated or new on every piece are one call", async () => {
  const rest = '{"x":1}';
  await echoes(
    rest,
    one(""),
    ...[...rest].map((char) =>
      toolCall({ index: 0, id: null, name: null, arguments: char })
    ),
  );
  await echoes(rest, one(""), ...[...rest].map((char) => one(char)));
  await echoes(
    rest,
    one(""),
    ...[...rest].map((char, n) =>
      toolCall({ index: 0, id: `new-${n}`, name: "", arguments: char })
    ),
  );
});

Deno.test("U33: an id that is missing or empty is made up once, the same for every reader", async () => {
  for (const id of [undefined, ""]) {
    const { sent } = await echoes("{}", one("{}", { id }));
    assertMatch(sent[0]!.id, /^call_[0-9a-f]{32}$/);
  }
});

Deno.test("U34: a first index of 1, or no index at all, runs", async () => {
  await echoes('{"x":1}', one('{"x":1}', { index: 1 }));
  await echoes(
    '{"x":1}',
    one('{"x"', { index: undefined }),
    toolCall({ arguments: ":1}" }),
  );
});

Deno.test("U35: arguments as an object are taken; null, missing and empty mean {}", async () => {
  await echoes('{"x":[1,"é"]}', one({ x: [1, "é"] }));
  for (const nothing of [null, undefined, ""]) {
    const { sent } = await echoes("{}", one(nothing));
    assertEquals(sent[0]!.arguments, "{}");
  }
});

Deno.test("U36: unreadable arguments are told to the model, which may do better", async () => {
  const { parts, sent, ran } = await worked(sse(one('{"x": 1,'), ...end));
  assertEquals([parts[0]!.state, ran], ["failed", []]);
  assertEquals(sent[0]!.result, parts[0]!.errorText);
  assertMatch(sent[0]!.result, /not valid JSON/);
});

Deno.test("U36: unreadable arguments for ever end the run after the model was told twice", async () => {
  const { tools: own, ran } = tools();
  const bad = () => sse(one('{"x":'), ...end);
  await using stage = await appStage([bad(), bad(), bad()], { tools: own });
  const { end: last, events } = await stage.ask();
  assert(last.type === "error");
  assertEquals([last.code, ran], ["upstream_malformed", []]);
  const told = events.filter(({ type }) => type === "tool-input-error");
  assertEquals(told.length, 3);
});

Deno.test("U37: an unknown tool is an error that names the tools there are, for the model and the reader", async () => {
  for (const name of ["nope", "__proto__"]) {
    const { parts, sent } = await worked(
      calls({ id: "c", name, arguments: {} }),
    );
    assertEquals(parts[0]!.state, "failed");
    assertEquals(sent[0]!.result, parts[0]!.errorText);
    assertMatch(sent[0]!.result, /echo, quick, slow/);
  }
});

Deno.test("U38: a tool that throws or returns nothing is told so; 1 MB is a beginning and a reference", async () => {
  const { tools: own } = tools();
  const names = ["throws", "nothing", "long"];
  await using stage = await appStage([
    calls(...names.map((name) => ({ id: name, name, arguments: {} }))),
    says("Done."),
  ], { tools: own });
  const told = await stage.ask();
  const { parts, sent } = backAndForth(told, stage.upstream.requests[1]!.body);
  assertMatch(sent[0]!.result, /no buses on Mars/);
  assertEquals(parts[0]!.state, "failed");
  assertEquals(sent[1]!.result, "null");
  const { output } = parts[2]!;
  assertEquals(output?.bytes, 3 * 2 ** 20 / 2);
  assert(output!.text.length < 20_000);
  assertEquals(sent[2]!.result, output!.text);
  const whole = await fetch(`${stage.app.url}${output!.ref}`);
  assertEquals(await whole.text(), "长".repeat(2 ** 20 / 2));
  for (const { data } of told.frames) {
    assert(data.length < 32 * 1024, `a frame of ${data.length} characters`);
  }
});

Deno.test("U38: a tool that hangs is an error after 30 s; it holds up nobody, and the run goes on", async () => {
  const { tools: own } = tools();
  await using stage = await appStage([
    calls(
      { id: "c", name: "hangs", arguments: {} },
      { id: "d", name: "echo", arguments: {} },
    ),
    says("Done."),
  ], { tools: own });
  using _ = fasterClock(40);
  const told = await stage.ask();
  const { parts, sent } = backAndForth(told, stage.upstream.requests[1]!.body);
  assertMatch(sent[0]!.result, /longer than 30 s/);
  assertEquals(parts[0]!.state, "failed");
  const seconds = parts[0]!.ms! / 1000;
  assert(seconds > 29.9 && seconds < 45, `${seconds} s`);
  const outputs = told.events.filter(({ type }) =>
    type.startsWith("tool-output")
  );
  assertEquals(outputs.map(({ type }) => type), [
    "tool-output-available",
    "tool-output-error",
  ]);
  assert(told.text.endsWith("Done."));
});

Deno.test("U39: a call cut by length is not run, whole as it may look, and the run finishes with length", async () => {
  const { tools: own, ran } = tools();
  await using stage = await appStage(
    sse(chunk({ content: "Let me" }), one('{"x":1}'), finish("length"), done()),
    { tools: own },
  );
  const { end: last, answer, text } = await stage.ask();
  assert(last.type === "finish");
  assertEquals([last.finishReason, text, ran], ["length", "Let me", []]);
  const part = answer.parts.find((part) => part.kind === "tool");
  assertEquals(part?.state, "failed");
});

Deno.test("U40: tools for ever: after 25 steps a person is asked, and a no ends the run as max_steps", async () => {
  const { tools: own, ran } = tools();
  let n = 0;
  await using stage = await appStage(
    () => calls({ id: "c", name: "echo", arguments: { n: n++ } }),
    { tools: own },
  );
  const { app } = stage;
  const started = await stage.start();
  const asked = async () => {
    const row = await app.services.store.run(started.run_id);
    const view = await app.services.runs.view(row!.owner, row!.id);
    return view!.answer.asked;
  };
  await app.until(async () => await asked() !== null);
  const question = await asked();
  assertEquals([question!.reason, n, ran.length], ["steps", 25, 25]);
  const answered = await fetch(
    `${app.url}/api/runs/${started.run_id}/approvals/${question!.id}`,
    {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify({ decision: "denied" }),
    },
  );
  assertEquals(answered.status, 202);
  await answered.body?.cancel();
  const { end: last } = await stage.read(started);
  assert(last.type === "error", JSON.stringify(last));
  assertEquals([last.code, n], ["max_steps", 25]);
});

Deno.test("U41: a legacy function_call is a call, and other choices are nobody's", async () => {
  const { sent, text } = await worked(sse(
    chunk({ function_call: { name: "echo", arguments: '{"x"' } }),
    event({ choices: [{ index: 1, delta: { content: "not me" } }] }),
    chunk({ function_call: { arguments: ":1}" } }),
    finish("function_call"),
    done(),
  ));
  assertEquals(sent[0]!.result, '{"x":1}');
  assertEquals(text, "Done.");
});

Deno.test("T14: arguments cut at every character, two calls interleaved, a missing index and empty arguments: the right calls, each once", async () => {
  const text = JSON.stringify({ say: 'é "quoted" 你好 \\ \n', n: 1.5 });
  const whole = JSON.parse(text);
  for (let at = 0; at <= text.length; at++) {
    const { ran, sent } = await worked(sse(
      toolCall({ index: 0, id: "a", name: "echo", arguments: "" }),
      toolCall({ index: 1, id: "b", name: "quick", arguments: "" }),
      toolCall({ index: 0, arguments: text.slice(0, at) }),
      toolCall({ index: 1, arguments: text.slice(0, at) }),
      toolCall({ index: 0, arguments: text.slice(at) }),
      toolCall({ index: 1, arguments: text.slice(at) }),
      ...end,
    ));
    assertEquals(ran.toSorted(), ["echo", "quick"], `cut at ${at}`);
    assertEquals(sent.map(({ id, result }) => [id, JSON.parse(result)]), [
      ["a", whole],
      ["b", whole],
    ]);
  }
  const odd = await worked(sse(
    toolCall({ id: "a", name: "echo", arguments: "" }),
    toolCall({ arguments: '{"x":' }),
    toolCall({ arguments: "1}" }),
    toolCall({ id: "b", name: "nothing" }),
    ...end,
  ));
  assertEquals(odd.ran, ["echo", "nothing"]);
  assertEquals(odd.sent.map((call) => call.arguments), ['{"x":1}', "{}"]);
});
