/**
 * A process dies in the middle of a run, and the next one takes it over: at every
 * place a run can be (decision 8, N4, N8).
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import * as z from "zod";
import type { Tool } from "../../lib/agent/contracts.ts";
import { answerText } from "../../lib/chat/answer.ts";
import { openStore, type Store } from "../../lib/store/mod.ts";
import { calls } from "../helpers/approvals.ts";
import { drain, folded, open, stage } from "../helpers/run_stage.ts";

/** Two tools: one reads, one changes something; what they did, and when they end. */
function work() {
  const did: string[] = [];
  const end = Promise.withResolvers<{ text: string }>();
  const tool = (name: string, effect: Tool["effect"]): Tool => ({
    name,
    description: name,
    input: z.object({}),
    effect,
    run() {
      did.push(name);
      return end.promise;
    },
  });
  return { did, end, tools: [tool("look", "read"), tool("save", "write")] };
}

type Stage = ReturnType<typeof stage>;

/** Lets go of the lease, as a process does that is killed, and sweeps elsewhere. */
async function dies(store: Store, run: string, next: Stage): Promise<void> {
  const { epoch } = (await store.run(run))!;
  await store.renew(run, epoch, -1);
  await next.runs.sweep();
}

/** Resolves once the committed log satisfies this. */
async function until(it: Stage, run: string, is: (last: string) => boolean) {
  const limit = performance.now() + 5_000;
  while (true) {
    const { lastSeq } = (await it.store.run(run))!;
    const [entry] = await it.store.read(run, lastSeq - 1, 1);
    if (is(entry!.json)) return;
    if (performance.now() > limit) throw new Error("Waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function told(it: Stage, run: string) {
  const entries = await drain(await open(it.runs, run));
  return { answer: folded(entries), types: entries.map((e) => e.event.type) };
}

Deno.test("a run whose process died before its first word is asked again by the next one", async () => {
  const store = openStore({ kind: "memory" });
  await using first = stage({ store });
  await using next = stage({ store });
  const { run } = await first.start();
  const lost = await first.model.next();
  lost.emit({ type: "retry", attempt: 2, afterMs: 1, rateLimited: false });
  await until(first, run, (json) => json.includes("data-run"));
  await dies(store, run, next);
  const again = await next.model.next();
  assertEquals(again.request.messages, lost.request.messages);
  again.say("hello").finish();
  const { answer, types } = await told(next, run);
  assertEquals([answer.status, answerText(answer)], ["complete", "hello"]);
  assertEquals(types.filter((type) => type.endsWith("-step")), [
    "start-step",
    "finish-step",
    "start-step",
    "finish-step",
  ]);
  lost.say("too late").finish();
});

Deno.test("safety R02: tool results in the log are facts: they are not fetched again", async () => {
  const store = openStore({ kind: "memory" });
  const before = work();
  const after = work();
  await using first = stage({ store, tools: before.tools });
  await using next = stage({ store, tools: after.tools });
  const { run } = await first.start();
  before.end.resolve({ text: "seen" });
  (await first.model.next()).call("look", {}, "c1");
  await first.model.next();
  await dies(store, run, next);
  const again = await next.model.next();
  assertEquals(again.request.messages.at(-1), {
    role: "tool",
    toolCallId: "c1",
    text: "seen",
  });
  again.say("done").finish();
  const { answer } = await told(next, run);
  assertEquals(calls(answer), [["look", "done", "seen"]]);
  assertEquals([before.did, after.did], [["look"], []]);
});

Deno.test("streaming X02, safety R04, N8: of the tools that were at work a read is run again; what has effects is said to be unknown", async () => {
  const store = openStore({ kind: "memory" });
  const before = work();
  const after = work();
  await using first = stage({ store, tools: before.tools });
  await using next = stage({ store, tools: after.tools });
  const { run } = await first.start();
  const asked = await first.model.next();
  asked.call("save", {}, "c0");
  await until(first, run, (json) => json.includes("finish-step"));
  const open = (await first.runs.view("me", run))!.answer.parts
    .find((part) => part.kind === "tool")!;
  assert(open.kind === "tool");
  await first.runs.decide("me", run, open.approval!.id, "chat");
  before.end.resolve({ text: "saved" });
  const second = await first.model.next();
  const hang = work();
  before.tools[0]!.run = hang.tools[0]!.run;
  before.tools[1]!.run = hang.tools[1]!.run;
  second.finish({
    finishReason: "tool-calls",
    toolCalls: [
      { id: "c1", name: "look", arguments: "{}" },
      { id: "c2", name: "save", arguments: "{}" },
    ],
  });
  await until(first, run, () => hang.did.length === 2);
  await dies(store, run, next);
  after.end.resolve({ text: "again" });
  const again = await next.model.next();
  const [look, save] = again.request.messages.slice(-2);
  assert(look?.role === "tool" && save?.role === "tool");
  assertEquals(look.text, "again");
  assertMatch(save.text, /^Interrupted: it is not known whether/);
  assertEquals(after.did, ["look"]);
  again.finish();
});

Deno.test("a call that was still being typed is closed, and the model asked again", async () => {
  const store = openStore({ kind: "memory" });
  const after = work();
  await using first = stage({ store, tools: work().tools });
  await using next = stage({ store, tools: after.tools });
  const { run } = await first.start();
  const lost = await first.model.next();
  lost.emit({ type: "tool-call-start", id: "c1", name: "save" });
  lost.emit({ type: "tool-call-delta", id: "c1", delta: '{"x' });
  await until(first, run, (json) => json.includes("tool-input-delta"));
  await dies(store, run, next);
  (await next.model.next()).say("never mind").finish();
  const { answer } = await told(next, run);
  assertEquals(calls(answer), [["save", "failed", "aborted"]]);
  assertEquals(answer.status, "complete");
  assertEquals(after.did, []);
});

Deno.test("a run that had begun to speak ends as interrupted, its text kept; the second time any does", async () => {
  const store = openStore({ kind: "memory" });
  await using first = stage({ store });
  await using next = stage({ store });
  await using last = stage({ store });
  const spoke = await first.start();
  (await first.model.next()).say("half a");
  await until(first, spoke.run, (json) => json.includes("half a"));
  await dies(store, spoke.run, next);
  const { answer } = await told(next, spoke.run);
  assertEquals([answer.status, answerText(answer)], ["interrupted", "half a"]);

  const unlucky = await first.start();
  await first.model.next();
  await dies(store, unlucky.run, next);
  await next.model.next();
  await dies(store, unlucky.run, last);
  assertEquals(
    (await told(last, unlucky.run)).answer.status,
    "interrupted",
  );
  assertEquals(last.model.count, 0);
});

Deno.test("a run that had said all, but for its end, is complete", async () => {
  const store = openStore({ kind: "memory" });
  await using next = stage({ store });
  await using first = stage({ store });
  const { append } = store;
  // The process dies with its last commit on the way.
  store.append = (...args) =>
    args[3] === undefined
      ? append.apply(store, args)
      : new Promise<never>(() => {});
  const { run } = await first.start();
  (await first.model.next()).say("all of it").finish({
    finishReason: "length",
    usage: { input: 1, output: 2, total: 3 },
  });
  const seq = (await store.run(run))!.lastSeq;
  const rest = [
    { type: "start-step" },
    { type: "text-start", id: "t1" },
    { type: "text-delta", id: "t1", off: 0, delta: "all of it" },
    { type: "text-end", id: "t1", len: 9 },
    {
      type: "finish-step",
      finishReason: "length",
      usage: { input: 1, output: 2, total: 3 },
    },
  ].slice(seq - 1);
  await append.call(
    store,
    run,
    1,
    rest.map((event, i) => ({ seq: seq + 1 + i, json: JSON.stringify(event) })),
  );
  store.append = append;
  await dies(store, run, next);
  const { answer } = await told(next, run);
  assertEquals(
    [answer.status, answer.finishReason, answerText(answer), answer.usage],
    ["complete", "length", "all of it", { input: 1, output: 2, total: 3 }],
  );
});
