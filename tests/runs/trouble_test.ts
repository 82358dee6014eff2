/** What a run makes of a store that fails, waits or is closed around it. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import * as z from "zod";
import type { Tool } from "../../lib/agent/contracts.ts";
import { answerText } from "../../lib/chat/answer.ts";
import { isTerminal } from "../../lib/chat/events.ts";
import { openStore, StoreError } from "../../lib/store/mod.ts";
import { ask, created } from "../store/helpers.ts";
import { drain, folded, open, stage, troubled } from "../helpers/run_stage.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve));
const full = () => Promise.reject(new StoreError("full", "The disk is full"));

/** A run that has shown "one", over a store that fails on demand. */
async function speaking() {
  const store = troubled(openStore({ kind: "memory" }));
  const it = stage({ store });
  const { run } = await it.start();
  const puppet = await it.model.next();
  puppet.say("one");
  while ((await store.run(run))!.lastSeq < 4) await turn();
  /** The next append waits here, and then fails; all after it succeed. */
  const failing = () => {
    const gate = Promise.withResolvers<void>();
    const waits = Promise.withResolvers<void>();
    store.trouble = () => {
      store.trouble = () => Promise.resolve();
      waits.resolve();
      return gate.promise.then(full);
    };
    return { waits: waits.promise, fail: () => gate.resolve() };
  };
  const ended = async () => {
    while ((await store.run(run))!.status === "running") await turn();
    return folded(await drain(await open(it.runs, run)));
  };
  return { it, store, run, puppet, failing, ended };
}

Deno.test("safety R05, N4: text said while a commit fails leaves no gap, and the run still ends", async () => {
  const { it, puppet, failing, ended } = await speaking();
  await using _ = it;
  const { waits, fail } = failing();
  puppet.say(" two");
  await waits;
  puppet.say(" three");
  // Something that goes at once, and took " three" along without " two".
  puppet.emit({ type: "retry", attempt: 2, afterMs: 0, rateLimited: false });
  fail();
  const answer = await ended();
  assertEquals(answer.error?.code, "engine_unavailable");
  assertEquals(answerText(answer), "one two three");
});

Deno.test("safety R05, N3: an answer that ended while a commit failed is complete with all of its text", async () => {
  const { it, puppet, failing, ended } = await speaking();
  await using _ = it;
  const { waits, fail } = failing();
  puppet.say(" two");
  await waits;
  puppet.finish();
  for (let i = 0; i < 5; i++) await turn();
  fail();
  const answer = await ended();
  assertEquals(answer.status, "complete");
  assertEquals(answerText(answer), "one two");
});

Deno.test("safety R05, N3: an end that is written at the second try loses no text", async () => {
  const { it, puppet, failing, ended } = await speaking();
  await using _ = it;
  const { waits, fail } = failing();
  puppet.say(" two");
  puppet.finish();
  await waits;
  fail();
  const answer = await ended();
  assertEquals(answer.status, "complete");
  assertEquals(answerText(answer), "one two");
});

Deno.test("safety R05: whichever write fails, the log has one terminal, no gap, and complete means whole", async () => {
  for (let nth = 1;; nth++) {
    const store = troubled(openStore({ kind: "memory" }));
    await using it = stage({ store });
    store.trouble = () => store.appends === nth ? full() : Promise.resolve();
    const { run } = await it.start();
    const reading = drain(await open(it.runs, run));
    const running = async () => (await store.run(run))!.status === "running";
    const puppet = await it.model.next();
    let said = "";
    for (const word of ["one", " two", " three"]) {
      said += word;
      const { appends } = store;
      puppet.say(word);
      while (await running() && store.appends === appends) await turn();
    }
    // Committed together with the terminal.
    puppet.say(" and four").finish();
    said += " and four";
    const entries = await reading;
    const answer = folded(entries);
    assertEquals(entries.filter(({ event }) => isTerminal(event)).length, 1);
    // The sealed message is what the log folds into.
    const { run: _, ...sealed } = JSON.parse((await store.run(run))!.message!);
    const { run: __, ...told } = JSON.parse(JSON.stringify(answer));
    assertEquals(told, sealed);
    assert(said.startsWith(answerText(answer)), `write ${nth}`);
    if (answer.status === "complete") assertEquals(answerText(answer), said);
    // Fewer writes than that: none of them failed.
    if (store.appends < nth) break;
  }
});

Deno.test("safety R13: close() hands over a run that was being created meanwhile", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  const it = stage({ store });
  const gate = Promise.withResolvers<void>();
  const { create } = store;
  store.create = async (input) => {
    await gate.promise;
    return await create(input);
  };
  const starting = it.start();
  const closing = it.runs.close();
  gate.resolve();
  const { run } = await starting;
  await closing;
  await using next = stage({ store });
  await next.runs.sweep();
  assertEquals((await store.run(run))?.epoch, 2);
  (await next.model.next()).say("here").finish();
  const entries = await drain(await open(next.runs, run));
  assertEquals(folded(entries).status, "complete");
});

Deno.test("safety R05: a reader whose store fails is let go at once", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  await using it = stage({ store, limits: { maxStreams: 1 } });
  const { run } = await it.start();
  (await it.model.next()).finish();
  while ((await store.run(run))!.status === "running") await turn();
  const reader = await open(it.runs, run);
  const { read } = store;
  store.read = full;
  await assertRejects(async () => await reader.pull(), StoreError);
  store.read = read;
  assertEquals(it.runs.readers, 0);
});

Deno.test("safety R08: a reader of a slow store gets every entry once, beats in between or not", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  // Beats at 30 ms, looks at 2 ms; an answer of the store takes 50 ms.
  await using it = stage({ store, limits: { beatMs: 30 } });
  const { run } = await it.start();
  const puppet = await it.model.next();
  for (let i = 0; i < 150; i++) {
    puppet.emit({ type: i % 2 ? "text" : "reasoning", delta: `${i} ` });
  }
  puppet.finish();
  while ((await store.run(run))!.status === "running") await turn();
  const { lastSeq } = (await store.run(run))!;
  const reader = await open(it.runs, run);
  const { read } = store;
  store.read = async (...args) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return await read(...args);
  };
  const entries = await drain(reader);
  assertEquals(
    entries.map(({ seq }) => seq),
    [
      ...Array(lastSeq).keys(),
    ].map((i) => i + 1),
  );
  assert(lastSeq > 256, "more than one page");
});

Deno.test("N9: a tool's long answer that cannot be kept ends the run, and tells nobody where the store is", async () => {
  const tools: Tool[] = [{
    name: "long",
    description: "Says too much",
    input: z.object({}),
    effect: "read",
    run: () => ({ text: "x".repeat(100_000) }),
  }];
  await using it = stage({ tools });
  it.store.keep = () =>
    Promise.reject(new StoreError("full", 'Cannot write to "/srv/t.db"'));
  const { run } = await it.start("long");
  (await it.model.next()).call("long", {}, "c1");
  while ((await it.store.run(run))!.status === "running") await turn();
  const entries = await drain(await open(it.runs, run));
  assertEquals(folded(entries).error?.code, "engine_unavailable");
  assert(!entries.some(({ json }) => json.includes("/srv/")));
});

Deno.test("N4: a run whose log cannot be read keeps no other run from being ended", async () => {
  const store = openStore({ kind: "memory" });
  await using next = stage({ store });
  const first = await created(store, ask({ leaseMs: 0 }));
  const second = await created(store, ask({ leaseMs: 0 }));
  const spoken = [
    { type: "start-step" },
    { type: "text-start", id: "t1" },
    { type: "text-delta", id: "t1", off: 0, delta: "half" },
  ];
  await store.append(
    second.id,
    1,
    spoken.map((event, i) => ({ seq: 2 + i, json: JSON.stringify(event) })),
  );
  const { read } = store;
  store.read = (run, ...args) =>
    run === first.id
      ? Promise.reject(new StoreError("damaged", "no"))
      : read.call(store, run, ...args);
  await next.runs.sweep();
  assertEquals((await store.run(second.id))!.status, "interrupted");
  store.read = read;
});
