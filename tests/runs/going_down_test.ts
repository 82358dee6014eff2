/** What must not be lost, or must not hang, while a process or a chat goes. */
import { assert, assertEquals } from "@std/assert";
import * as z from "zod";
import type { Model, Tool } from "../../lib/agent/contracts.ts";
import { createToolbox } from "../../lib/agent/toolbox.ts";
import { Runs } from "../../lib/runs/mod.ts";
import { openStore, type Store } from "../../lib/store/mod.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import {
  drain,
  folded,
  NOW,
  open,
  stage,
  troubled,
} from "../helpers/run_stage.ts";

type Stage = ReturnType<typeof stage>;

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

Deno.test("N5 T05: what asks a person while another tool works goes on waiting when the process goes down", async () => {
  const store = openStore({ kind: "memory" });
  const hang = Promise.withResolvers<{ text: string }>();
  const tool = (name: string, effect: Tool["effect"]): Tool => ({
    name,
    description: name,
    input: z.object({}),
    effect,
    run: () => name === "save" ? { text: "saved" } : hang.promise,
  });
  const tools = [tool("look", "read"), tool("save", "write")];
  const first = stage({ store, tools });
  await using next = stage({ store, tools });
  const { run } = await first.start();
  const asked = await first.model.next();
  asked.say("Let me look and save.");
  asked.finish({
    finishReason: "tool-calls",
    toolCalls: [
      { id: "c1", name: "look", arguments: "{}" },
      { id: "c2", name: "save", arguments: "{}" },
    ],
  });
  const question = async (it: Stage) =>
    (await it.runs.view("me", run))!.answer.parts.flatMap((part) =>
      part.kind === "tool" && part.approval?.decision === null
        ? [part.approval.id]
        : []
    )[0];
  while (await question(first) === undefined) await turn();
  await first.runs.close();
  assertEquals((await store.run(run))?.status, "running");
  hang.resolve({ text: "seen" });
  await next.runs.sweep();
  while ((await store.run(run))?.leaseOwner !== null) await turn();
  await next.runs.decide("me", run, (await question(next))!, "once");
  const again = await next.model.next();
  assertEquals(again.request.messages.slice(-2).map(({ text }) => text), [
    "seen",
    "saved",
  ]);
  again.say("Done.").finish();
  const answer = folded(await drain(await open(next.runs, run)));
  assertEquals(answer.status, "complete");
});

Deno.test("safety R13: runs are handed over in time though a waiting message hangs on its model", async () => {
  const store = openStore({ kind: "memory" });
  const model = new PuppetModel();
  const hang = Promise.withResolvers<Model>();
  let stuck = false;
  const runs = new Runs({
    store,
    models: {
      standard: () => stuck ? hang.promise : Promise.resolve(model),
      find: () => Promise.resolve(model),
    },
    toolbox: () => Promise.resolve(createToolbox([], () => NOW)),
    now: () => NOW,
    report: () => {},
  });
  const one = await runs.start({ owner: "me", text: "one" });
  const two = await runs.start({ owner: "me", text: "two" });
  assert(one.kind === "started" && two.kind === "started");
  const [a, b] = [await model.next(), await model.next()];
  const more = { owner: "me", chat: one.chat, text: "more", queue: true };
  assertEquals((await runs.start(more)).kind, "queued");
  stuck = true;
  a.say("1").finish();
  while ((await store.run(one.run))?.status === "running") await turn();
  await turn();
  const closing = runs.close();
  try {
    let told: unknown = "nothing";
    b.aborted.then((reason) => told = reason);
    const late = performance.now() + 500;
    while (told === "nothing" && performance.now() < late) await turn();
    assertEquals(told, "shutdown");
  } finally {
    hang.resolve(model);
    await closing;
  }
  // What hung starts nothing any more.
  assertEquals((await store.queue("me", one.chat)).length, 1);
  await store.close();
});

Deno.test("safety P06 N7: a chat that is deleted here stops its model in another process", async () => {
  const inner = openStore({ kind: "memory" });
  const ears: ((run: string) => void)[] = [];
  const there = Object.assign(troubled(inner), {
    listen: (hear: Parameters<Store["listen"]>[0]) => {
      ears.push((run) => hear({ kind: "call", runs: [run] }));
      return () => {};
    },
  });
  await using other = stage({ store: there });
  await using here = stage({ store: inner });
  const { run, chat } = await other.start();
  const puppet = await other.model.next();
  // Nothing more is written, so no append is refused.
  while ((await inner.run(run))!.lastSeq < 2) await turn();
  await here.runs.remove("me", chat);
  const began = performance.now();
  // The bell is late: there is nothing left to look at.
  for (const ear of ears) ear(run);
  await puppet.aborted;
  assert(performance.now() - began < 250);
});

Deno.test("safety R13 N4: a model that thinks through a rolling restart is asked again by each process; a crash counts, going down in order does not", async () => {
  const store = openStore({ kind: "memory" });
  const first = stage({ store });
  const { run } = await first.start();
  let last: Stage = first;
  for (let n = 0; n < 3; n++) {
    await last.model.next();
    const next = stage({ store });
    await last.runs.close();
    await next.runs.sweep();
    last = next;
  }
  // One crash is forgiven, the second one is not.
  await last.model.next();
  await store.renew(run, (await store.run(run))!.epoch, -1);
  await using after = stage({ store });
  await after.runs.sweep();
  await after.model.next();
  await store.renew(run, (await store.run(run))!.epoch, -1);
  await using end = stage({ store });
  await end.runs.sweep();
  assertEquals((await store.run(run))?.status, "interrupted");
  assertEquals(end.model.count, 0);
  await last.runs.close();
});
