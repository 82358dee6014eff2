/**
 * Runs that wait for a person, where something else happens at the same moment:
 * another owner, Stop, a restart, a store that fails.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import * as z from "zod";
import { createToolbox } from "../../lib/agent/toolbox.ts";
import type { Tool } from "../../lib/agent/contracts.ts";
import { openQuestions } from "../../lib/chat/answer.ts";
import { openStore } from "../../lib/store/mod.ts";
import { calls, effects } from "../helpers/approvals.ts";
import { drain, folded, open, stage, troubled } from "../helpers/run_stage.ts";

const MAIL = { to: "a@example.org", text: "hello" };
const turn = () => new Promise((resolve) => setTimeout(resolve));
/** The store's clock, so that what waits is not found late by a sweep. */
const now = () => new Date();

/** Tools with effects, and one that answers when told to. */
function toolsOf() {
  const slow = Promise.withResolvers<{ text: string }>();
  const { sent, tools } = effects();
  const wait: Tool = {
    name: "wait",
    description: "Waits",
    input: z.object({}),
    effect: "read",
    run: () => slow.promise,
  };
  return { sent, tools: [...tools, wait], slow };
}

type Stage = ReturnType<typeof stage>;

const row = async (it: Stage, run: string) => (await it.store.run(run))!;
const answer = async (it: Stage, run: string) =>
  (await it.runs.view("me", run))!.answer;

async function until(condition: () => boolean | Promise<boolean>) {
  const limit = performance.now() + 5_000;
  while (!await condition()) {
    assert(performance.now() < limit, "waited in vain");
    await turn();
  }
}

/** The open questions, once nobody works on the run any more. */
async function questions(it: Stage, run: string) {
  await until(async () => (await row(it, run)).leaseOwner === null);
  return openQuestions(await answer(it, run));
}

const over = (it: Stage, run: string) =>
  until(async () => (await row(it, run)).status !== "running");

/** A run that waits for a mail to be allowed. */
async function asking(it: Stage) {
  const { run } = await it.start("mail");
  (await it.model.next()).call("send_mail", MAIL, "c1");
  const [asked] = await questions(it, run);
  return { run, asked: asked! };
}

Deno.test("N3 N8: an owner whose run was taken over does not act on what the chat allows", async () => {
  const { sent, tools } = toolsOf();
  await using it = stage({ tools, now, limits: { leaseMs: 60_000 } });
  const { run, asked } = await asking(it);
  await it.runs.decide("me", run, asked.id, "chat");
  const puppet = await it.model.next();
  assertEquals(sent, [MAIL]);
  const { epoch } = await row(it, run);
  await it.store.renew(run, epoch, -1);
  assertEquals((await it.store.takeExpired("other", 60_000)).length, 1);
  puppet.call("send_mail", { ...MAIL, text: "two" }, "c2");
  assertEquals(await puppet.aborted, "lost");
  assertEquals(sent, [MAIL]);
});

Deno.test("N8: what the chat allows is in the log before it happens", async () => {
  const { sent, tools } = toolsOf();
  const store = troubled(openStore({ kind: "memory" }));
  await using it = stage({ store, tools, now });
  const { run, asked } = await asking(it);
  await it.runs.decide("me", run, asked.id, "chat");
  const puppet = await it.model.next();
  const gate = Promise.withResolvers<void>();
  store.trouble = () => gate.promise;
  puppet.call("send_mail", { ...MAIL, text: "two" }, "c2");
  for (let i = 0; i < 20; i++) await turn();
  assertEquals(sent.length, 1);
  gate.resolve();
  (await it.model.next()).finish();
  await over(it, run);
  assertEquals(sent.length, 2);
});

Deno.test("T13: a question whether to go on stays open, the same, until a person answers it", async () => {
  const { tools } = toolsOf();
  await using it = stage({ tools, now });
  const { run } = await it.start("round and round");
  for (let n = 0; n < 8; n++) {
    (await it.model.next()).call("echo", { say: "same" }, `c${n}`);
  }
  const before = await questions(it, run);
  assertEquals(before[0]?.reason, "loop");
  // Somebody takes the run without an answer, as after a crash before parking.
  await it.store.answer(run, "none", "{}");
  await it.runs.sweep();
  await until(async () => (await row(it, run)).epoch === 2);
  assertEquals(await questions(it, run), before);
  assertEquals(it.model.count, 8);
});

Deno.test("U40: an answer given while the run was at work does not put its next question twice", async () => {
  const { sent, tools, slow } = toolsOf();
  await using it = stage({ tools, now, limits: { maxSteps: 1 } });
  const { run } = await it.start("both");
  (await it.model.next()).finish({
    finishReason: "tool-calls",
    toolCalls: [
      { id: "m", name: "send_mail", arguments: JSON.stringify(MAIL) },
      { id: "w", name: "wait", arguments: "{}" },
    ],
  });
  await until(async () => openQuestions(await answer(it, run)).length > 0);
  const [mail] = openQuestions(await answer(it, run));
  assertEquals(await it.runs.decide("me", run, mail!.id, "once"), {
    kind: "recorded",
  });
  const reading = drain(await open(it.runs, run));
  slow.resolve({ text: "waited" });
  await until(async () => (await row(it, run)).epoch === 2);
  const [steps] = await questions(it, run);
  assertEquals(steps?.reason, "steps");
  assertEquals(sent, [MAIL]);
  await it.runs.decide("me", run, steps!.id, "denied");
  const entries = await reading;
  const asked = entries.filter(({ event }) => event.type === "data-approval");
  assertEquals(asked.length, 2);
  assertEquals(folded(entries).error?.code, "max_steps");
});

Deno.test("U40: a pause for a call in the last step allowed does not allow more steps", async () => {
  const { sent, tools } = toolsOf();
  await using it = stage({ tools, now, limits: { maxSteps: 1 } });
  const { run } = await it.start("on");
  (await it.model.next()).call("echo", { say: "1" }, "c1");
  const [first] = await questions(it, run);
  await it.runs.decide("me", run, first!.id, "once");
  (await it.model.next()).call("send_mail", MAIL, "c2");
  const [mail] = await questions(it, run);
  assertEquals(mail?.reason, "effect");
  await it.runs.decide("me", run, mail!.id, "once");
  await until(() => sent.length === 1);
  const [second] = await questions(it, run);
  assertEquals(second?.reason, "steps");
  assertEquals(it.model.count, 2);
});

Deno.test("T05 N7: Stop while an answered run is being taken ends it before anything is run", async () => {
  const { sent, tools } = toolsOf();
  await using it = stage({ tools, now });
  const { run, asked } = await asking(it);
  const gate = Promise.withResolvers<void>();
  const taken = Promise.withResolvers<void>();
  const { runs } = it.store;
  it.store.runs = async (chat) => {
    const rows = await runs.call(it.store, chat);
    taken.resolve();
    await gate.promise;
    return rows;
  };
  await it.runs.decide("me", run, asked.id, "once");
  await taken.promise;
  const stopping = it.runs.stop("me", run);
  await turn();
  gate.resolve();
  assertEquals(await stopping, { kind: "stopping" });
  await over(it, run);
  assertEquals((await row(it, run)).status, "stopped");
  assertEquals(sent, []);
});

Deno.test("N7: Stop ends a waiting run though a server of tools is not there", async () => {
  const { sent, tools } = toolsOf();
  let gone = false;
  await using it = stage({
    now,
    toolbox: () =>
      gone
        ? new Promise<never>(() => {})
        : Promise.resolve(createToolbox(tools, now)),
  });
  const { run } = await asking(it);
  gone = true;
  await it.runs.stop("me", run);
  await over(it, run);
  assertEquals((await row(it, run)).status, "stopped");
  assertEquals(sent, []);
});

Deno.test("what a person answered while the process went down happens in the next one", async () => {
  const { sent, tools } = toolsOf();
  const store = openStore({ kind: "memory" });
  const first = stage({ store, tools, now });
  const { run, asked } = await asking(first);
  const gate = Promise.withResolvers<void>();
  const { take } = store;
  store.take = async (...args) => {
    await gate.promise;
    return await take.apply(store, args);
  };
  await first.runs.decide("me", run, asked.id, "once");
  const closing = first.runs.close();
  gate.resolve();
  await closing;
  assertEquals((await store.run(run))!.status, "running");
  store.take = take;
  await using second = stage({ store, tools, now });
  const taken = (await store.run(run))!;
  await store.renew(run, taken.epoch, -1);
  await second.runs.sweep();
  (await second.model.next()).finish();
  await over(second, run);
  assertEquals(sent, [MAIL]);
  assertEquals((await store.run(run))!.status, "complete");
});

Deno.test("N8: what the chat allowed and a crash cut off may have taken effect, and is said to", async () => {
  const store = openStore({ kind: "memory" });
  let saving: Promise<{ text: string }> = Promise.resolve({ text: "saved" });
  const tools: Tool[] = [{
    name: "save",
    description: "Saves",
    input: z.object({ n: z.number() }),
    effect: "write",
    run: () => saving,
  }];
  await using next = stage({ store, tools, now });
  await using dies = stage({ store, tools, now, limits: { leaseMs: 60_000 } });
  const { run } = await dies.start("save");
  (await dies.model.next()).call("save", { n: 1 }, "c1");
  const [asked] = await questions(dies, run);
  await dies.runs.decide("me", run, asked!.id, "chat");
  const puppet = await dies.model.next();
  saving = new Promise(() => {});
  puppet.call("save", { n: 2 }, "c2");
  await until(async () => calls(await answer(dies, run))[1]?.[1] === "running");
  await store.renew(run, (await row(dies, run)).epoch, -1);
  await next.runs.sweep();
  const { request } = await next.model.next();
  const last = request.messages.at(-1);
  assert(last?.role === "tool");
  assertMatch(last.text, /^Interrupted: it is not known whether/);
  assertEquals(calls(await answer(next, run))[0], ["save", "done", "saved"]);
});

Deno.test("a step that a crash cut off between its question and the pause is closed before the next one begins", async () => {
  const store = openStore({ kind: "memory" });
  const before = toolsOf();
  const after = toolsOf();
  await using next = stage({ store, tools: after.tools, now });
  await using dies = stage({ store, tools: before.tools, now });
  const { run } = await dies.start("both");
  (await dies.model.next()).finish({
    finishReason: "tool-calls",
    toolCalls: [
      { id: "m", name: "send_mail", arguments: JSON.stringify(MAIL) },
      { id: "w", name: "wait", arguments: "{}" },
    ],
  });
  await until(async () => openQuestions(await answer(dies, run)).length > 0);
  await store.renew(run, 1, -1);
  await next.runs.sweep();
  after.slow.resolve({ text: "waited" });
  const [asked] = await questions(next, run);
  await next.runs.decide("me", run, asked!.id, "denied");
  const puppet = await next.model.next();
  assertEquals(puppet.request.messages.slice(-2).map(({ text }) => text), [
    "Not run: the person did not allow this.",
    "waited",
  ]);
  puppet.finish();
  const entries = await drain(await open(next.runs, run));
  const steps = entries.flatMap(({ event: { type } }) =>
    type === "start-step" || type === "finish-step" ? [type] : []
  );
  assertEquals(steps, [
    "start-step",
    "finish-step",
    "start-step",
    "finish-step",
  ]);
  before.slow.resolve({ text: "too late" });
});
