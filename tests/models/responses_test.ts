import { assertEquals } from "@std/assert";
import { pause, sse, type Step } from "../helpers/scripted_upstream.ts";
import {
  added,
  argumentsDelta,
  argumentsDone,
  callAdded,
  callDone,
  completed,
  created,
  ended,
  failed,
  incomplete,
  messageAdded,
  messageDone,
  refusalDelta,
  responds,
  respondsWithCalls,
  said,
  summaryDelta,
  textDelta,
  thought,
  thoughtDelta,
  thoughtDone,
} from "../helpers/responses_events.ts";
import { answered } from "./harness.ts";

// What only the Responses API says, and what servers make of it.

const done = "data: [DONE]\n\n";

/** An ordinary answer made of these events. */
const heard = (...steps: Step[]) =>
  answered(sse(created(), ...steps, completed()), {}, { api: "responses" });

const asked = (...steps: Step[]) =>
  answered(sse(...steps), {}, { api: "responses" });

const reasoning = (text: string) => ({ type: "reasoning", delta: text });

Deno.test("responses: an ordinary tool call is start, deltas and a complete call", async () => {
  const { events, turn } = await answered(
    respondsWithCalls(
      { id: "c0", name: "bus", arguments: { stop: "火车站" } },
      { id: "c1", name: "clock", arguments: {} },
    ),
    {},
    { api: "responses" },
  );
  assertEquals(events, [
    { type: "tool-call-start", id: "c0", name: "bus" },
    { type: "tool-call-delta", id: "c0", delta: '{"stop":"火车站"}' },
    { type: "tool-call-start", id: "c1", name: "clock" },
    { type: "tool-call-delta", id: "c1", delta: "{}" },
  ]);
  assertEquals(turn, {
    finishReason: "tool-calls",
    toolCalls: [
      { id: "c0", name: "bus", arguments: '{"stop":"火车站"}' },
      { id: "c1", name: "clock", arguments: "{}" },
    ],
    usage: { input: 10, output: 10, reasoning: 0, cached: 0, total: 20 },
  });
});

Deno.test("responses: unknown events, items and fields are nobody's business", async () => {
  const { text, turn, warnings } = await heard(
    said("response.queued"),
    said("response.web_search_call.searching", { item_id: "w" }),
    said("response.output_text.annotation.added", { annotation: {} }),
    said("response.brand_new", { delta: "not text" }),
    added(0, "web_search_call", { action: {} }),
    ended(0, "web_search_call", { action: {} }),
    "event: ping\ndata: not even JSON, but no matter\n\n",
    'data: {"no":"type"}\n\ndata: [1]\n\ndata: 5\n\ndata: null\n\n',
    messageAdded(1),
    said("response.content_part.added", { part: { text: "not this" } }),
    textDelta(1, "Hi"),
    textDelta(1, ""),
    said("response.output_text.delta", { item_id: "item_1", delta: null }),
    said("response.output_text.done", { item_id: "item_1", text: "Hi" }),
    messageDone(1, "Hi"),
    said("response.output_item.done", { output_index: 7 }),
    said("response.output_item.added", { output_index: 7 }),
    said("response.output_item.added", { item: "odd" }),
  );
  assertEquals([text, turn?.finishReason, warnings], ["Hi", "stop", []]);
});

Deno.test("responses: a keepalive in the numbered stream is a sign of life", async () => {
  const alive = Array.from({ length: 15 }, () => [
    pause(20),
    said("keepalive"),
  ]).flat();
  const { turn } = await answered(
    sse(created(), ...alive, completed()),
    {},
    { api: "responses", timings: { silenceMs: 200 } },
  );
  assertEquals(turn?.finishReason, "stop");
  const pinged = Array.from({ length: 100 }, () => [
    pause(20),
    'data: {"type":"ping"}\n\n',
  ]).flat();
  const { error } = await answered(
    sse(created(), ...pinged),
    {},
    { api: "responses", timings: { silenceMs: 100 } },
  );
  assertEquals(error?.code, "upstream_stalled");
});

Deno.test("responses: [DONE] is tolerated, and is no end by itself", async () => {
  const whole = await asked(created(), textDelta(0, "Hi"), completed(), done);
  assertEquals([whole.text, whole.warnings], ["Hi", []]);
  const half = await asked(created(), textDelta(0, "Hi"), done);
  assertEquals(half.error?.code, "upstream_truncated");
});

Deno.test("responses: the type counts, with or without an event line", async () => {
  const bare = [created(), textDelta(0, "Hi"), completed()].join("")
    .replace(/^event: .*\n/gm, "");
  assertEquals((await asked(bare)).text, "Hi");
});

Deno.test("responses: a whole item says what its deltas left out", async () => {
  const { text, turn, streamed } = await heard(
    messageDone(0, "All of it. "),
    messageAdded(1),
    textDelta(1, "Half"),
    messageDone(1, "Half a sentence. "),
    textDelta(2, "Never announced."),
    messageDone(2, "Never announced."),
    callDone(3, "c3", "bus", '{"x":1}'),
    callAdded(4, "c4", "tram"),
    argumentsDelta(4, '{"y"'),
    callDone(4, "c4", "tram", '{"y":2}'),
    callAdded(5, "c5", "boat"),
    argumentsDone(5, '{"z":3}'),
  );
  assertEquals(text, "All of it. Half a sentence. Never announced.");
  const args = { c3: '{"x":1}', c4: '{"y":2}', c5: '{"z":3}' };
  assertEquals(streamed, args);
  assertEquals(turn?.toolCalls.map(({ name }) => name), [
    "bus",
    "tram",
    "boat",
  ]);
});

Deno.test("responses: what was shown is not said again in other words", async () => {
  const { text, turn } = await heard(
    textDelta(0, "Hello"),
    messageDone(0, "<b>Hello</b>"),
    messageDone(0, "Hello"),
    callAdded(1, "c1", "bus"),
    argumentsDelta(1, '{"x":1}'),
    argumentsDone(1, '{ "x": 1 }'),
    callDone(1, "c1", "bus", '{ "x": 1 }'),
  );
  assertEquals(text, "Hello");
  assertEquals(turn?.toolCalls, [
    { id: "c1", name: "bus", arguments: '{"x":1}' },
  ]);
});

Deno.test("responses: an answer that comes whole in the last event is heard", async () => {
  const { text, turn, ...rest } = await asked(completed({
    output: [
      thought(0, ["Hm."]),
      { type: "message", content: [{ type: "output_text", text: "Hi" }] },
      { type: "function_call", call_id: "c", name: "bus", arguments: "{}" },
    ],
  }));
  assertEquals([rest.reasoning, text], ["Hm.", "Hi"]);
  assertEquals(turn?.toolCalls, [{ id: "c", name: "bus", arguments: "{}" }]);
  const twice = await heard(
    textDelta(5, "Hi"),
    completed({ output: [{ type: "message", content: [{ text: "Hi" }] }] }),
  );
  assertEquals(twice.text, "Hi");
});

Deno.test("responses: items are found by id or by place, whichever the server keeps", async () => {
  const calls = (id: (n: number) => string, at: (n: number) => number) => [
    said("response.output_item.added", {
      output_index: at(0),
      item: { type: "function_call", id: id(0), call_id: "c0", name: "bus" },
    }),
    said("response.function_call_arguments.delta", {
      item_id: id(1),
      output_index: at(0),
      delta: '{"x"',
    }),
    said("response.output_item.added", {
      output_index: at(1),
      item: { type: "function_call", id: id(10), call_id: "c1", name: "tram" },
    }),
    said("response.function_call_arguments.delta", {
      item_id: id(11),
      output_index: at(1),
      delta: '{"y":2}',
    }),
    said("response.output_item.done", {
      output_index: at(0),
      item: {
        type: "function_call",
        id: id(2),
        call_id: "c0",
        name: "bus",
        arguments: '{"x":1}',
      },
    }),
    said("response.output_item.done", {
      output_index: at(1),
      item: {
        type: "function_call",
        id: id(12),
        call_id: "c1",
        name: "tram",
        arguments: '{"y":2}',
      },
    }),
  ];
  const wanted = { c0: '{"x":1}', c1: '{"y":2}' };
  // A proxy that gives an item a new id in every event.
  const renamed = await heard(...calls((n) => `id_${n}`, (n) => n));
  assertEquals(renamed.streamed, wanted);
  // One that puts everything at the same place.
  const stacked = await heard(
    ...calls((n) => n < 10 ? "first" : "second", () => 0),
  );
  assertEquals(stacked.streamed, wanted);
  const told = ["One. ", "Two."].map((text, n) =>
    messageDone(0, text).replace("item_0", `item_${n}`)
  );
  assertEquals((await heard(...told)).text, "One. Two.");
  // One that leaves out both.
  const bare = await heard(
    ...calls(() => "", () => 0).map((text) =>
      text.replace(/"(?:item_id|id)":"",?/g, "")
        .replace(/"output_index":0,?/g, "")
    ),
  );
  assertEquals(bare.streamed, wanted);
});

Deno.test("responses: text at the place of thoughts is a message of its own", async () => {
  const { events } = await heard(
    summaryDelta(0, 0, "Hm."),
    said("response.output_text.delta", { output_index: 0, delta: "Well" }),
    said("response.output_text.delta", { output_index: 0, delta: "," }),
    messageDone(0, "Well, well.").replace("item_0", "other"),
  );
  assertEquals(events, [
    { type: "reasoning", delta: "Hm." },
    { type: "text", delta: "Well" },
    { type: "text", delta: "," },
    { type: "text", delta: " well." },
  ]);
});

Deno.test("responses: parts of a summary are paragraphs, thoughts behind text begin anew", async () => {
  const { events } = await heard(
    added(0, "reasoning"),
    summaryDelta(0, 0, "First"),
    summaryDelta(0, 0, " part"),
    summaryDelta(0, 1, "Sec"),
    thoughtDone(0, ["First part", "Second"]),
    summaryDelta(1, 0, "Another item"),
    thoughtDone(1, ["Another item, all of it"]),
    textDelta(2, "Text"),
    thoughtDone(3, ["Whole"]),
    thoughtDone(4, ["Paragraphs", "each"]),
  );
  assertEquals(events, [
    ...["First", " part", "\n\n", "Sec", "ond", "\n\n"].map(reasoning),
    ...["Another item", ", all of it"].map(reasoning),
    { type: "text", delta: "Text" },
    ...["Whole", "\n\n", "Paragraphs\n\neach"].map(reasoning),
  ] as never);
});

Deno.test("responses: a thought told both ways is heard once", async () => {
  const { reasoning } = await heard(
    thoughtDelta(0, "Let me see."),
    summaryDelta(0, 0, "It looks."),
    thoughtDone(0, ["It looks."]),
  );
  assertEquals(reasoning, "Let me see.");
});

Deno.test("responses: U24: a refusal that only the whole item tells", async () => {
  const { text, turn } = await heard(
    refusalDelta(0, "I can"),
    ended(0, "message", {
      content: [{ type: "refusal", refusal: "I can't do that." }],
    }),
  );
  assertEquals([text, turn?.finishReason], [
    "I can't do that.",
    "content-filter",
  ]);
  const whole = await heard(
    ended(0, "message", { content: [{ type: "refusal", refusal: "No." }] }),
  );
  assertEquals(whole.turn?.finishReason, "content-filter");
});

Deno.test("responses: U23: whatever cut the answer, its calls are not run", async () => {
  const call = callAdded(0, "c0", "bus") + argumentsDelta(0, '{"x":1}');
  const ends = [
    incomplete("max_output_tokens"),
    incomplete("something new"),
    said("response.incomplete", {}),
    completed({ status: "incomplete", incomplete_details: null }),
  ];
  for (const end of ends) {
    const { turn } = await asked(created(), call, end);
    assertEquals([turn?.finishReason, turn?.toolCalls.length], ["length", 1]);
    assertEquals(turn?.carry, undefined);
  }
});

Deno.test("responses: U12: failures without words are failures", async () => {
  const ends = [
    failed(null),
    said("response.failed"),
    said("error", { message: "no" }),
    said("error", { message: "no" }).replace(/^event: .*\n/, ""),
    completed({ status: "failed", error: { message: "no" } }),
  ];
  for (const end of ends) {
    const { error, text } = await asked(created(), textDelta(0, "Hi"), end);
    assertEquals([error?.code, text], ["upstream_error", "Hi"]);
    assertEquals(error?.message, "The model provider reported an error.");
  }
});

Deno.test("responses: U21: no usage, no figures", async () => {
  const { turn } = await asked(created(), completed({ usage: null }));
  assertEquals(turn, { finishReason: "stop", toolCalls: [] });
});

Deno.test("responses: an ordinary answer has nothing to carry", async () => {
  const { turn } = await answered(responds("Hello"), {}, { api: "responses" });
  assertEquals("carry" in turn!, false);
});
