/**
 * Messages that wait, at the moments when somebody else is just about to do
 * something: nobody overtakes, nothing is stopped that should go out, and no chat
 * waits for another.
 */
import { assert, assertEquals } from "@std/assert";
import { createToolbox } from "../../lib/agent/toolbox.ts";
import { answerText } from "../../lib/chat/answer.ts";
import { Runs } from "../../lib/runs/mod.ts";
import { Queue } from "../../lib/runs/queue.ts";
import { openStore, type QueuedRow, type Store } from "../../lib/store/mod.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { drain, NOW, open, stage, troubled } from "../helpers/run_stage.ts";

type Stage = ReturnType<typeof stage>;

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

async function busy(it: Stage) {
  const { run, chat } = await it.start("first");
  return { run, chat, puppet: await it.model.next() };
}

const ask = (it: Stage, chat: string, text: string, key?: string) =>
  it.runs.start({ owner: "me", chat, text, queue: true, idempotencyKey: key });

async function wait(it: Stage, chat: string, text: string, key?: string) {
  const outcome = await ask(it, chat, text, key);
  assert(outcome.kind === "queued", outcome.kind);
  return outcome.message.id;
}

Deno.test("send now never stops the very message that is to be sent", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  await using it = stage({ store });
  const { run, chat, puppet } = await busy(it);
  const second = await wait(it, chat, "second");
  const { hurry } = store;
  store.hurry = async (...args) => {
    const done = await hurry(...args);
    store.hurry = hurry;
    // Just now the answer ends by itself, and the message is asked.
    puppet.say("whole").finish();
    await drain(await open(it.runs, run));
    while (it.model.count < 2) await turn();
    return done;
  };
  assertEquals(await it.runs.sendNow("me", chat, second), true);
  const asked = await it.model.next();
  asked.say("answer").finish();
  while ((await it.runs.active("me", chat)) !== null) await turn();
  const { turns } = (await it.runs.chat("me", chat))!;
  assertEquals(turns.map(({ answer }) => [answer.status, answerText(answer)]), [
    ["complete", "whole"],
    ["complete", "answer"],
  ]);
});

Deno.test("N12: a message does not overtake those that wait, between the end of an answer and the start of the next", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  await using it = stage({ store });
  const { run, chat, puppet } = await busy(it);
  await wait(it, chat, "second", "k2");
  const held = Promise.withResolvers<void>();
  const { due } = store;
  store.due = async (limit) => {
    await held.promise;
    return await due(limit);
  };
  puppet.say("one").finish();
  await drain(await open(it.runs, run));
  const third = await ask(it, chat, "third");
  held.resolve();
  assertEquals(third.kind, "queued");
  const second = await it.model.next();
  assertEquals(second.request.messages.at(-1)?.text, "second");
  second.finish();
  assertEquals((await it.model.next()).request.messages.at(-1)?.text, "third");
  assertEquals(it.model.count, 3);
});

Deno.test("N10: the same waiting message sent again while its turn comes is that message", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  await using it = stage({ store });
  const { run, chat, puppet } = await busy(it);
  await wait(it, chat, "second", "k2");
  store.due = () => Promise.resolve([]);
  puppet.say("one").finish();
  await drain(await open(it.runs, run));
  const again = await ask(it, chat, "second", "k2");
  assert(again.kind === "started" || again.kind === "queued");
  (await it.model.next()).finish();
  assertEquals((await it.runs.queue("me", chat))!.length, 0);
  assertEquals(it.model.count, 2);
});

Deno.test("a look at the queue that is wanted just as another ends is not forgotten", async () => {
  for (let ticks = 0; ticks < 12; ticks++) {
    let looks = 0;
    const queue = new Queue({
      store: {
        due() {
          looks++;
          return Promise.resolve([] as QueuedRow[]);
        },
      } as unknown as Store,
      send: () => Promise.resolve(),
      report: () => {},
    });
    queue.pump();
    for (let n = 0; n < ticks; n++) await Promise.resolve();
    const before = looks;
    await queue.pump();
    await turn();
    assert(ticks === 0 || looks > before, `after ${ticks} turns`);
  }
});

Deno.test("a try whose message waits already is not counted again", async () => {
  await using it = stage({ limits: { questionsPerMinute: 3 } });
  const { chat } = await busy(it);
  for (let n = 0; n < 5; n++) await wait(it, chat, "second", "k2");
});

Deno.test("a waiting message whose model is looked for in vain keeps no other chat waiting", async () => {
  const hang = Promise.withResolvers<null>();
  const store = openStore({ kind: "memory" });
  const model = new PuppetModel();
  const runs = new Runs({
    store,
    models: {
      standard: () => Promise.resolve(model),
      find: (id) => id === "lost" ? hang.promise : Promise.resolve(model),
    },
    toolbox: () => Promise.resolve(createToolbox([], () => NOW)),
    now: () => NOW,
    report: () => {},
  });
  const chats: string[] = [];
  for (const text of ["one", "two"]) {
    const outcome = await runs.start({ owner: "me", text });
    assert(outcome.kind === "started");
    const { chat } = outcome;
    chats.push(chat);
    await runs.start({ owner: "me", chat, text: `${text}, more`, queue: true });
  }
  await runs.configure("me", chats[0]!, { model: "lost" });
  const { due } = store;
  store.due = () => Promise.resolve([]);
  for (const _ of chats) (await model.next()).finish();
  while (
    (await runs.chats("me")).some(({ activeRun }) => activeRun !== null)
  ) await turn();
  store.due = due;
  try {
    const sweeping = runs.sweep();
    const asked = await model.next();
    assertEquals(asked.request.messages.at(-1)?.text, "two, more");
    hang.resolve(null);
    await sweeping;
  } finally {
    hang.resolve(null);
    await runs.close();
    await store.close();
  }
});

Deno.test("what waits is asked on the branch it waited on: no other is chosen meanwhile", async () => {
  await using it = stage();
  const { run, chat, puppet } = await busy(it);
  puppet.say("1").finish();
  await drain(await open(it.runs, run));
  const anew = await it.runs.start({ owner: "me", chat, replaces: run });
  assert(anew.kind === "started");
  const again = await it.model.next();
  await wait(it, chat, "and then?");
  assertEquals(await it.runs.show("me", chat, run), true);
  again.say("one").finish();
  const asked = await it.model.next();
  assertEquals(asked.request.messages.slice(1).map(({ text }) => text), [
    "first",
    "one",
    "and then?",
  ]);
});
