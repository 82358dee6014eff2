import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import * as z from "zod";
import { before } from "../../lib/agent/history.ts";
import { runAgent } from "../../lib/agent/loop.ts";
import { ModelError, type Tool } from "../../lib/agent/contracts.ts";
import { Repeats } from "../../lib/agent/repeats.ts";
import { createToolbox, MAX_OUTPUT } from "../../lib/agent/toolbox.ts";
import type { AgentEvent } from "../../lib/chat/events.ts";
import { emptyAnswer } from "../../lib/chat/answer.ts";
import { fold } from "../../lib/chat/fold.ts";
import { calls, says, ScriptedModel } from "../helpers/scripted_model.ts";

const NOW = new Date("2026-03-02T08:00:00Z");

function tool(
  name: string,
  run: Tool["run"],
  more: Partial<Tool> = {},
): Tool {
  return {
    name,
    description: name,
    input: z.object({ x: z.number().optional() }),
    effect: "read",
    run,
    ...more,
  };
}

function stage(model: ScriptedModel, tools: Tool[] = [], maxSteps = 25) {
  const events: AgentEvent[] = [];
  const abort = new AbortController();
  const result = runAgent({
    model,
    toolbox: createToolbox(tools, () => NOW),
    messages: [{ role: "user", text: "hi" }],
    temperature: 0,
    emit: (event) => events.push(event),
    signal: abort.signal,
    maxSteps,
    recorded: () => Promise.resolve(),
    keep: (text) => Promise.resolve(`kept:${text.length}`),
    keepCarry: (carry) => Promise.resolve(JSON.stringify(carry)),
    trust: { attended: false, allowed: new Set(), strangers: new Set() },
    repeats: new Repeats(),
    ask: (question) => ({ ...question, id: "a_1", expiresAt: "" }),
    before: before(emptyAnswer("r"), new Set()),
  }).then((result) => {
    assert(result.kind === "finished");
    return result;
  });
  return { events, abort, result };
}

const types = (events: AgentEvent[]) => events.map((event) => event.type);

/** Every event applies without a gap: what the loop says can be folded. */
function folded(events: AgentEvent[]) {
  const answer = emptyAnswer("r");
  events.forEach((event, i) => {
    const change = fold(answer, { epoch: 1, seq: i + 1, event });
    assert(change.kind !== "gap", `gap at ${JSON.stringify(event)}`);
  });
  return answer;
}

Deno.test("runAgent() says text in one part with growing offsets", async () => {
  const { events, result } = stage(
    new ScriptedModel(says("Hel", "lo 👍", "!")),
  );
  assertEquals((await result).finishReason, "stop");
  assertEquals(types(events), [
    "start-step",
    "text-start",
    "text-delta",
    "text-delta",
    "text-delta",
    "text-end",
    "finish-step",
  ]);
  assertEquals(events[4], { type: "text-delta", id: "t1", off: 8, delta: "!" });
  assertEquals(events[5], { type: "text-end", id: "t1", len: 9 });
});

Deno.test("U27: runAgent() never mixes reasoning and text", async () => {
  const { events, result } = stage(
    new ScriptedModel({
      say: [
        { type: "reasoning", delta: "hm" },
        { type: "text", delta: "A" },
        { type: "reasoning", delta: "no" },
        { type: "text", delta: "B" },
      ],
    }),
  );
  await result;
  assertEquals(
    folded(events).parts.map((p) => p.kind === "step" ? "step" : p.kind),
    ["step", "reasoning", "text", "reasoning", "text"],
  );
});

Deno.test("U30: runAgent() runs parallel calls at once and answers in call order", async () => {
  const slow = Promise.withResolvers<void>();
  const model = new ScriptedModel(
    calls(
      { id: "a", name: "slow", arguments: "{}" },
      { id: "b", name: "quick", arguments: '{"x":2}' },
    ),
    says("done"),
  );
  const { events, result } = stage(model, [
    tool("slow", async () => {
      await slow.promise;
      return { text: "S" };
    }),
    tool("quick", () => {
      slow.resolve();
      return { text: "Q" };
    }),
  ]);
  assertEquals((await result).steps, 2);
  const tools = model.requests[1]!.messages.filter((m) => m.role === "tool");
  assertEquals(tools.map((m) => [m.toolCallId, m.text]), [["a", "S"], [
    "b",
    "Q",
  ]]);
  const outputs = events.filter((e) => e.type === "tool-output-available");
  assertEquals(outputs.map((e) => e.toolCallId), ["b", "a"]);
  model.assertPlayed();
});

Deno.test("U36: runAgent() answers unreadable arguments and ends after two such steps", async () => {
  const bad = () => calls({ id: "a", name: "t", arguments: '{"x":' });
  const model = new ScriptedModel(bad(), bad(), bad());
  const { events, result } = stage(model, [tool("t", () => ({ text: "" }))]);
  const error = await assertRejects(() => result, ModelError);
  assertEquals(error.code, "upstream_malformed");
  assertEquals(types(events).filter((t) => t === "tool-input-error").length, 3);
  const told = model.requests[1]!.messages.at(-1)!;
  assert(told.role === "tool" && told.text.includes("not valid JSON"));
  // Providers that parse the arguments they are told again refuse broken ones.
  const call = model.requests[1]!.messages.at(-2)!;
  assert(call.role === "assistant");
  assertEquals(call.toolCalls[0]!.arguments, "{}");
});

Deno.test("U36: runAgent() tells the model which argument is wrong and goes on", async () => {
  const model = new ScriptedModel(
    calls({ id: "a", name: "t", arguments: '{"x":"three"}' }),
    says("sorry"),
  );
  const { result } = stage(model, [tool("t", () => ({ text: "" }))]);
  assertEquals((await result).finishReason, "stop");
  const told = model.requests[1]!.messages.at(-1)!;
  assert(told.role === "tool" && told.text.includes("x"));
});

Deno.test("U37 T07 T10: runAgent() answers an unknown tool with the names that exist", async () => {
  for (const name of ["nope", "__proto__", "constructor"]) {
    const model = new ScriptedModel(
      calls({ id: "a", name, arguments: "{}" }),
      says("ok"),
    );
    const { events, result } = stage(model, [
      tool("bus", () => ({ text: "" })),
      tool("clock", () => ({ text: "" })),
    ]);
    await result;
    const error = events.find((e) => e.type === "tool-output-error")!;
    assert(error.errorText.includes("bus, clock"), error.errorText);
  }
});

Deno.test("U38: runAgent() survives a tool that throws, hangs, returns nothing or far too much", async () => {
  const model = new ScriptedModel(
    calls(
      { id: "throws", name: "throws", arguments: "{}" },
      { id: "hangs", name: "hangs", arguments: "{}" },
      { id: "nothing", name: "nothing", arguments: "{}" },
      { id: "large", name: "large", arguments: "{}" },
      { id: "cycle", name: "cycle", arguments: "{}" },
    ),
    says("ok"),
  );
  let sawAbort = false;
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const { events, result } = stage(model, [
    tool("throws", () => {
      throw new Error("no buses on Mars");
    }),
    tool("hangs", (_input, { signal }) => {
      signal.addEventListener("abort", () => sawAbort = true);
      return new Promise(() => {});
    }, { deadlineMs: 20 }),
    // deno-lint-ignore no-explicit-any
    tool("nothing", () => undefined as any),
    tool("large", () => ({ text: "x".repeat(1 << 20) })),
    // deno-lint-ignore no-explicit-any
    tool("cycle", () => cycle as any),
  ]);
  await result;
  assert(sawAbort, "the hanging tool heard of its deadline");
  const texts = Object.fromEntries(
    model.requests[1]!.messages.flatMap((m) =>
      m.role === "tool" ? [[m.toolCallId, m.text]] : []
    ),
  );
  assertEquals(texts.throws, "The tool failed: no buses on Mars");
  assertEquals(
    texts.hangs,
    "The tool failed: The tool took longer than 0.02 s",
  );
  assertEquals(texts.nothing, "null");
  assertEquals(texts.cycle, "null");
  assert(texts.large!.length < MAX_OUTPUT + 100);
  assert(texts.large!.includes("of 1048576 characters"));
  const large = events.find((event) =>
    event.type === "tool-output-available" && event.toolCallId === "large"
  );
  assert(large?.type === "tool-output-available");
  assertEquals(large.output.ref, "kept:1048576");
  assertEquals(large.output.bytes, 1_048_576);
  assertEquals(types(events).filter((t) => t === "finish-step").length, 2);
});

Deno.test("U39: runAgent() does not run a call that was cut off", async () => {
  let ran = false;
  const cut = calls({ id: "a", name: "t", arguments: '{"x":1}' });
  cut.turn!.finishReason = "length";
  const { events, result } = stage(new ScriptedModel(cut), [
    tool("t", () => {
      ran = true;
      return { text: "" };
    }),
  ]);
  assertEquals((await result).finishReason, "length");
  assert(!ran);
  assertEquals(folded(events).parts.at(-1)?.kind, "tool");
});

Deno.test("U40: runAgent() gives up after 25 steps where nobody can be asked", async () => {
  const step = (_: unknown, n: number) =>
    calls({ id: "same", name: "t", arguments: `{"x":${n}}` });
  const model = new ScriptedModel(...Array.from({ length: 25 }, step));
  const { events, result } = stage(model, [tool("t", () => ({ text: "1" }))]);
  const error = await assertRejects(() => result, ModelError);
  assertEquals(error.code, "max_steps");
  model.assertPlayed();
  const ids = events.flatMap((e) =>
    e.type === "tool-input-start" ? [e.toolCallId] : []
  );
  assertEquals(new Set(ids).size, 25, "ids are unique in the run");
});

Deno.test("T13: runAgent() stops after 8 steps of the same call, and runs it three times", async () => {
  const step = () => calls({ id: "same", name: "t", arguments: '{"x":1}' });
  const model = new ScriptedModel(...Array.from({ length: 8 }, step));
  let runs = 0;
  const { events, result } = stage(model, [
    tool("t", () => {
      runs++;
      return { text: "1" };
    }),
  ]);
  const error = await assertRejects(() => result, ModelError);
  assertEquals(error.code, "max_steps");
  assertMatch(error.message, /8 steps.*repeating/);
  model.assertPlayed();
  assertEquals(runs, 3);
  const told = events.flatMap((e) =>
    e.type === "tool-output-error" ? [e.errorText] : []
  );
  assertEquals(told.length, 5);
  assertMatch(told[0]!, /^Not run: t was called .* 3 times/);
});

Deno.test("T13: a call that says something new each time is no loop", async () => {
  const step = () => calls({ id: "same", name: "t", arguments: "{}" });
  const model = new ScriptedModel(
    ...Array.from({ length: 9 }, step),
    says("done"),
  );
  let runs = 0;
  const { result } = stage(model, [
    tool("t", () => ({ text: `${++runs} of 9` })),
  ]);
  assertEquals((await result).steps, 10);
  assertEquals(runs, 9);
});

Deno.test("runAgent() sums usage over steps", async () => {
  const first = calls({ id: "a", name: "t", arguments: "" });
  first.turn!.usage = { input: 10, output: 2, total: 12, cached: 4 };
  const second = says("ok");
  second.turn = { usage: { input: 20, output: 3, total: 23, reasoning: 1 } };
  const { result } = stage(new ScriptedModel(first, second), [
    tool("t", () => ({ text: "1" })),
  ]);
  assertEquals((await result).usage, {
    input: 30,
    output: 5,
    total: 35,
    cached: 4,
    reasoning: 1,
  });
});

Deno.test("streaming R09: runAgent() rejects with the stop's reason while the model speaks and while a tool runs", async () => {
  const hold = new Promise<void>(() => {});
  const speaking = stage(new ScriptedModel({ ...says("Hel"), hold }));
  speaking.abort.abort("user");
  assertEquals(await speaking.result.catch((reason) => reason), "user");

  const running = Promise.withResolvers<void>();
  let aborted = false;
  const tooling = stage(
    new ScriptedModel(calls({ id: "a", name: "t", arguments: "{}" })),
    [
      tool("t", (_input, { signal }) => {
        signal.addEventListener("abort", () => aborted = true);
        running.resolve();
        return new Promise(() => {});
      }),
    ],
  );
  await running.promise;
  tooling.abort.abort("user");
  assertEquals(await tooling.result.catch((reason) => reason), "user");
  assert(aborted, "the tool heard of the stop");
});

Deno.test("a tool that floods with progress is heard a few times a second, and its end once", async () => {
  const { events, result } = stage(
    new ScriptedModel(
      calls({ id: "a", name: "t", arguments: "{}" }),
      says("ok"),
    ),
    [
      tool("t", (_input, { progress }) => {
        for (let n = 0; n <= 5_000; n++) {
          progress({ done: Math.min(n, 2_500), total: 2_500, message: "x" });
        }
        progress({ done: NaN });
        return { text: "1" };
      }),
    ],
  );
  await result;
  const told = events.filter((e) => e.type === "data-tool-progress");
  assertEquals(told.map((e) => e.data.done), [0, 2_500]);
  folded(events);
});
