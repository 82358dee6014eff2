/** A run's life without HTTP: its tape, its readers, its end. */
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import { isTerminal } from "../../lib/chat/events.ts";
import { newChatId, newRunId } from "../../lib/chat/ids.ts";
import { openStore, StoreError } from "../../lib/store/mod.ts";
import {
  drain,
  folded,
  NOW,
  open,
  stage,
  troubled,
} from "../helpers/run_stage.ts";

Deno.test("U44: 20,000 tokens as fast as possible become at most 25 appends a second", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  await using it = stage({ store });
  const { run } = await it.start();
  const reading = drain(await open(it.runs, run));
  const puppet = await it.model.next();
  const began = performance.now();
  let text = "";
  for (let i = 0; i < 20_000; i++) {
    const token = `t${i} `;
    text += token;
    puppet.say(token);
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  puppet.finish();
  const entries = await reading;
  const seconds = (performance.now() - began) / 1000;
  assertEquals(answerText(folded(entries)), text);
  // The first words, the part's end, the terminal and the start are their own.
  assert(store.appends <= 25 * seconds + 5, `${store.appends} in ${seconds} s`);
});

Deno.test("P15: an emoji the provider cut in two is never shown in two", async () => {
  await using it = stage();
  const { run } = await it.start();
  const reading = drain(await open(it.runs, run));
  const puppet = await it.model.next();
  for (const unit of "a👩‍👩‍👧b👍".split("")) {
    puppet.say(unit);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  puppet.finish();
  const entries = await reading;
  for (const { event } of entries) {
    if (event.type === "text-delta") assert(event.delta.isWellFormed());
  }
  assertEquals(answerText(folded(entries)), "a👩‍👩‍👧b👍");
});

Deno.test("N2: nothing is readable before the store has it", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  await using it = stage({ store });
  const { run } = await it.start();
  const puppet = await it.model.next();
  while ((await it.store.run(run))!.lastSeq < 2) {
    await new Promise((r) => setTimeout(r));
  }
  const reader = await open(it.runs, run);
  const first = await reader.pull();
  assert(first.kind === "entries" && first.entries.length === 2);
  const gate = Promise.withResolvers<void>();
  store.trouble = () => gate.promise;
  puppet.say("unsafe");
  let pulled = false;
  const next = Promise.resolve(reader.pull()).then((p) => (pulled = true, p));
  for (let i = 0; i < 20; i++) await new Promise((r) => setTimeout(r));
  assert(!pulled);
  assertEquals((await it.store.run(run))!.lastSeq, 2);
  gate.resolve();
  assert((await next).kind === "entries");
  reader.close();
  puppet.finish();
});

Deno.test("N9: a store that refuses ends the run once it can be told, with the shown text kept", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  await using it = stage({ store });
  const { run } = await it.start();
  const reading = drain(await open(it.runs, run));
  const puppet = await it.model.next();
  puppet.say("kept");
  while ((await it.store.run(run))!.lastSeq < 4) {
    await new Promise((r) => setTimeout(r));
  }
  let failures = 0;
  store.trouble = () => {
    if (++failures > 2) return Promise.resolve();
    return Promise.reject(new StoreError("full", "The disk is full"));
  };
  puppet.say(" and written late");
  const answer = folded(await reading);
  assertEquals(answer.error?.code, "engine_unavailable");
  assertEquals(answerText(answer), "kept and written late");
  assertEquals(await puppet.aborted, "store");
});

Deno.test("N9: a question that cannot be saved starts nothing", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  await using it = stage({ store });
  store.create = () =>
    Promise.reject(new StoreError("full", "The disk is full"));
  const outcome = await it.runs.start({ owner: "me", text: "hello" });
  assertEquals(outcome, { kind: "unsaved", full: true });
  assertEquals(it.model.count, 0);
});

Deno.test("N4 N5: a run whose owner died is closed as interrupted with its text, once", async () => {
  const store = openStore({ kind: "memory" });
  await using it = stage({ store });
  const run = newRunId();
  const chat = newChatId();
  await store.create({
    run,
    chat,
    newChatTitle: "t",
    owner: "me",
    text: "hello",
    options: "{}",
    newChatSettings: "{}",
    newChatHidden: false,
    keep: [],
    parent: null,
    idempotencyKey: null,
    leaseOwner: "dead",
    leaseMs: 0,
    begin: [{
      type: "start",
      messageId: run,
      messageMetadata: {
        chat_id: chat,
        model: "m",
        created_at: NOW.toISOString(),
      },
    }],
    queued: null,
  });
  await store.append(
    run,
    1,
    [
      { type: "start-step" },
      { type: "text-start", id: "t1" },
      { type: "text-delta", id: "t1", off: 0, delta: "half a sen" },
    ].map((event, i) => ({ seq: 2 + i, json: JSON.stringify(event) })),
  );
  // A lease of no length is over a moment later by any clock.
  await new Promise((resolve) => setTimeout(resolve, 2));
  await Promise.all([it.runs.sweep(), it.runs.sweep()]);
  const entries = await drain(await open(it.runs, run));
  const answer = folded(entries);
  assertEquals(answer.status, "interrupted");
  assertEquals(answer.error?.code, "run_interrupted");
  assertEquals(answerText(answer), "half a sen");
  assertEquals(entries.filter((entry) => isTerminal(entry.event)).length, 1);
  assertEquals(entries.at(-1)!.epoch, 2);
});

Deno.test("N3: an owner whose run was taken over stops writing", async () => {
  const store = openStore({ kind: "memory" });
  await using it = stage({ store, limits: { leaseMs: 60_000 } });
  const { run } = await it.start();
  const puppet = await it.model.next();
  puppet.say("mine");
  while ((await store.run(run))!.lastSeq < 4) {
    await new Promise((r) => setTimeout(r));
  }
  await store.renew(run, 1, 0);
  await new Promise((resolve) => setTimeout(resolve, 2));
  const [taken] = await store.takeExpired("other", 60_000);
  assertEquals(taken?.epoch, 2);
  puppet.say(" not mine");
  assertEquals(await puppet.aborted, "lost");
  const log = await store.read(run, 0, 100);
  assert(!log.some((entry) => entry.json.includes("not mine")));
});

Deno.test("a run ends with abort timeout when its time is over", async () => {
  await using it = stage({ limits: { runMs: 20 } });
  const { run } = await it.start();
  const answer = folded(await drain(await open(it.runs, run)));
  assertEquals(answer.abortReason, "timeout");
  assertEquals(answer.status, "interrupted");
});

Deno.test("close() ends runs as interrupted, sends readers away and takes nothing new", async () => {
  const it = stage();
  const { run } = await it.start();
  const reader = await open(it.runs, run);
  const puppet = await it.model.next();
  puppet.say("half");
  const reading = drain(reader);
  await it.runs.close();
  await reading;
  assertEquals(await puppet.aborted, "shutdown");
  const row = await it.store.run(run);
  assertEquals(row?.status, "interrupted");
  assertEquals(answerText(JSON.parse(row!.message!)), "half");
  assertEquals(
    (await it.runs.start({ owner: "me", text: "x" })).kind,
    "closing",
  );
  await it.store.close();
});

Deno.test("streaming X09: a reader of a long log pulls it page by page", async () => {
  const store = openStore({ kind: "memory" });
  await using it = stage({ store });
  const { run } = await it.start();
  const puppet = await it.model.next();
  for (let i = 0; i < 3_000; i++) {
    // A change of kind is a part of its own and cannot be merged.
    puppet.emit({ type: i % 2 ? "text" : "reasoning", delta: `${i} ` });
  }
  puppet.finish();
  while ((await store.run(run))!.status === "running") {
    await new Promise((r) => setTimeout(r));
  }
  const reader = await open(it.runs, run);
  let largest = 0;
  let total = 0;
  while (true) {
    const pulled = await reader.pull();
    if (pulled.kind !== "entries") break;
    largest = Math.max(largest, pulled.entries.length);
    total += pulled.entries.length;
  }
  reader.close();
  assert(total > 9_000);
  assert(largest <= 256);
});

Deno.test("streaming R10: a run stops when the wish was written by another process", async () => {
  await using it = stage({ limits: { leaseMs: 60 } });
  const { run } = await it.start();
  const puppet = await it.model.next();
  await it.store.requestStop(run);
  assertEquals(await puppet.aborted, "user");
});

Deno.test("streaming R03: an answer sealed by an older version is told again when its log is gone", async () => {
  await using it = stage();
  const { run } = await it.start();
  (await it.model.next()).say("old").finish();
  while ((await it.store.run(run))!.status === "running") {
    await new Promise((r) => setTimeout(r));
  }
  const sealed = (await it.store.run(run))!;
  const { asked: _, ...old } = JSON.parse(sealed.message!);
  it.store.run = () =>
    Promise.resolve({ ...sealed, message: JSON.stringify(old) });
  it.store.read = () => Promise.resolve([]);
  const told = folded(await drain(await open(it.runs, run)));
  assertEquals([told.status, answerText(told)], ["complete", "old"]);
});

Deno.test("a question with images counts for as many questions as it is heavy", async () => {
  await using it = stage({ limits: { questionsPerMinute: 5 } });
  const ask = async (size: number) =>
    (await it.runs.start({
      owner: "me",
      text: "see",
      images: [`data:image/png;base64,${"A".repeat(size)}`],
    })).kind;
  // A quarter of a megabyte is one more.
  assertEquals(await ask(300 * 1024), "started");
  assertEquals(await ask(300 * 1024), "started");
  assertEquals(await ask(300 * 1024), "too-many");
  assertEquals(await ask(100), "started");
  assertEquals(await ask(100), "too-many");
});
