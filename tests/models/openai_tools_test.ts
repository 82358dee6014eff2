import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ToolCall } from "../../lib/agent/contracts.ts";
import {
  calls,
  chunk,
  done,
  event,
  finish,
  fragment,
  sse,
  toolCall,
} from "../helpers/scripted_upstream.ts";
import { type Answered, answered } from "./harness.ts";

// Tool calls, in all the shapes providers give them.

const end = [finish("tool_calls"), done()];

/** What every answer with calls must keep: events and turn tell one story. */
function whole(said: Answered): ToolCall[] {
  assert(said.turn, said.error?.message);
  const { finishReason, toolCalls } = said.turn;
  assertEquals(finishReason, "tool-calls");
  const started = said.events.flatMap((event) =>
    event.type === "tool-call-start" ? [[event.id, event.name]] : []
  );
  assertEquals(started, toolCalls.map(({ id, name }) => [id, name]));
  for (const call of toolCalls) {
    assertEquals(said.streamed[call.id], call.arguments);
  }
  assertEquals(new Set(toolCalls.map(({ id }) => id)).size, toolCalls.length);
  return toolCalls;
}

const callsOf = async (...pieces: string[]) =>
  whole(await answered(sse(...pieces, ...end)));

const bus = (index: number, text: string) => ({
  index,
  id: `c${index}`,
  name: "bus",
  arguments: text,
});

Deno.test("an ordinary tool call is heard as start, deltas and a complete call", async () => {
  const said = await answered(
    calls({ id: "c0", name: "bus", arguments: { stop: "火车站" } }),
  );
  assertEquals(said.events, [
    { type: "tool-call-start", id: "c0", name: "bus" },
    { type: "tool-call-delta", id: "c0", delta: '{"stop":"火车站"}' },
  ]);
  assertEquals(whole(said), [
    { id: "c0", name: "bus", arguments: '{"stop":"火车站"}' },
  ]);
});

Deno.test("U29: arguments in one-character pieces are exact", async () => {
  const text = String.raw`{"a":"caf\u00e9 \"q\" \\","b":{"c":[1]}}`;
  const [call, ...more] = await callsOf(
    toolCall(bus(0, "")),
    ...[...text].map((char) => toolCall({ index: 0, arguments: char })),
  );
  assertEquals([call!.arguments, more.length], [text, 0]);
});

Deno.test("U30: two calls interleaved by index are two, in call order", async () => {
  const found = await callsOf(
    toolCall(bus(0, '{"x"')),
    toolCall(bus(1, '{"y"')),
    toolCall({ index: 0, arguments: ":1}" }),
    toolCall({ index: 1, arguments: ":2}" }),
  );
  assertEquals(found.map((call) => [call.id, call.arguments]), [
    ["c0", '{"x":1}'],
    ["c1", '{"y":2}'],
  ]);
});

Deno.test("U31: both calls whole in one chunk, or in the finish chunk", async () => {
  const both = [bus(0, '{"x":1}'), bus(1, '{"y":2}')];
  assertEquals((await callsOf(toolCall(...both))).length, 2);
  const last = await answered(
    sse(finish("tool_calls", { tool_calls: both.map(fragment) }), done()),
  );
  assertEquals(whole(last).length, 2);
});

Deno.test("U31: calls decide, not the reason: stop, eos and none run them too", async () => {
  for (const reason of ["stop", "eos", "function_call"]) {
    const said = await answered(
      sse(toolCall(bus(0, "{}")), finish(reason), done()),
    );
    assertEquals(whole(said).length, 1, reason);
  }
  assertEquals(
    whole(await answered(sse(toolCall(bus(0, "{}")), done()))).length,
    1,
  );
});

Deno.test("U31: tool_calls without a call is a normal finish", async () => {
  const said = await answered(sse(chunk({ content: "Hi" }), ...end));
  assertEquals(said.turn?.finishReason, "stop");
});

Deno.test("U32: id and name null in later pieces", async () => {
  const [call] = await callsOf(
    toolCall(bus(0, '{"x"')),
    toolCall({ index: 0, id: null, name: null, arguments: ":1}" }),
  );
  assertEquals(call, { id: "c0", name: "bus", arguments: '{"x":1}' });
});

Deno.test("U32: id and name repeated in every piece are not doubled", async () => {
  const found = await callsOf(
    ...[...'{"x":1}'].map((char) => toolCall(bus(0, char))),
  );
  assertEquals(found, [{ id: "c0", name: "bus", arguments: '{"x":1}' }]);
});

Deno.test("U32: a new id on every fragment of one index, without a name", async () => {
  const found = await callsOf(
    toolCall({ index: 0, id: "a", name: "bus", arguments: "" }),
    toolCall({ index: 0, id: "b", name: "", arguments: '{"x"' }),
    toolCall({ index: 0, id: "c", arguments: ":1}" }),
  );
  assertEquals(found, [{ id: "a", name: "bus", arguments: '{"x":1}' }]);
});

Deno.test("U33: a missing or empty id is made up once, the same everywhere", async () => {
  for (const id of [undefined, "", null]) {
    const [call] = await callsOf(
      toolCall({ index: 0, id, name: "bus", arguments: "" }),
      toolCall({ index: 0, id, arguments: '{"x":1}' }),
    );
    assertMatch(call!.id, /^call_[0-9a-f]{32}$/);
    assertEquals(call!.arguments, '{"x":1}');
  }
});

Deno.test("U33: an id of an earlier step is replaced", async () => {
  const said = await answered(sse(toolCall(bus(0, "{}")), ...end), {
    messages: [
      { role: "user", text: "When?" },
      {
        role: "assistant",
        text: "",
        toolCalls: [{ id: "c0", name: "bus", arguments: "{}" }],
      },
      { role: "tool", toolCallId: "c0", text: "Now" },
    ],
  });
  const [call] = whole(said);
  assert(call!.id !== "c0");
});

Deno.test("U34: a first index of 1, and no index at all", async () => {
  assertEquals((await callsOf(toolCall(bus(1, '{"x":1}')))).length, 1);
  const [call, ...more] = await callsOf(
    toolCall({ id: "c", name: "bus", arguments: '{"x"' }),
    toolCall({ arguments: ":1}" }),
  );
  assertEquals([call!.arguments, more.length], ['{"x":1}', 0]);
});

Deno.test("U35: arguments as object, null, missing, empty", async () => {
  const variants: [unknown, string][] = [
    [{ x: [1, "é"] }, '{"x":[1,"é"]}'],
    [null, "{}"],
    [undefined, "{}"],
    ["", "{}"],
  ];
  for (const [given, expected] of variants) {
    const [call] = await callsOf(
      toolCall({ index: 0, id: "c", name: "bus", arguments: given }),
    );
    assertEquals(call!.arguments, expected);
  }
});

Deno.test("U39: a call cut by length or content_filter is told as it stands, under that reason", async () => {
  const reasons = { length: "length", content_filter: "content-filter" };
  for (const [reason, finishReason] of Object.entries(reasons)) {
    const said = await answered(sse(
      toolCall(bus(0, '{"x":1}'), bus(1, '{"y')),
      toolCall({ index: 2, arguments: "nameless, so never heard of" }),
      finish(reason),
      done(),
    ));
    assertEquals(said.turn?.finishReason, finishReason);
    assertEquals(said.turn?.toolCalls, [
      { id: "c0", name: "bus", arguments: '{"x":1}' },
      { id: "c1", name: "bus", arguments: '{"y' },
    ]);
    assertEquals(said.streamed, { c0: '{"x":1}', c1: '{"y' });
  }
});

Deno.test("U41: a legacy function_call is a call; other choices are ignored", async () => {
  const said = await answered(sse(
    chunk({ function_call: { name: "bus", arguments: '{"x"' } }),
    event({ choices: [{ index: 1, delta: { content: "not me" } }] }),
    event({
      choices: [
        { index: 1, delta: { content: "nor me" }, finish_reason: "stop" },
        { index: 0, delta: { function_call: { arguments: ":1}" } } },
      ],
    }),
    finish("function_call"),
    done(),
  ));
  const [call, ...more] = whole(said);
  assertEquals([call!.name, call!.arguments], ["bus", '{"x":1}']);
  assertEquals([more.length, said.text], [0, ""]);
});

Deno.test("U41: a finish of another choice does not end ours", async () => {
  const said = await answered(sse(
    event({ choices: [{ index: 1, delta: {}, finish_reason: "stop" }] }),
    chunk({ content: "Hi" }),
  ));
  assertEquals([said.text, said.error?.code], ["Hi", "upstream_truncated"]);
});

Deno.test("a tool call counts as shown: a reset after it is not asked again", async () => {
  const said = await answered(sse(toolCall(bus(0, '{"x'))));
  assertEquals(said.error?.code, "upstream_truncated");
  assertEquals(said.retries, []);
});
