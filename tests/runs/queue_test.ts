/**
 * Messages that wait for the answer before them: kept by the store, in order, and
 * sent once, by whoever looks first.
 */
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import { ModelError } from "../../lib/agent/contracts.ts";
import { openStore, QUEUE_LIMIT, StoreError } from "../../lib/store/mod.ts";
import { drain, open, stage, troubled } from "../helpers/run_stage.ts";

type Stage = ReturnType<typeof stage>;

const FREE = { questionsPerMinute: Infinity };

/** A chat whose first answer is being written. */
async function busy(it: Stage) {
  const { run, chat } = await it.start("first");
  return { run, chat, puppet: await it.model.next() };
}

async function wait(it: Stage, chat: string, text: string, key?: string) {
  const outcome = await it.runs.start({
    owner: "me",
    chat,
    text,
    queue: true,
    idempotencyKey: key,
  });
  assert(outcome.kind === "queued", outcome.kind);
  return outcome.message.id;
}

async function over(it: Stage, run: string): Promise<void> {
  await drain(await open(it.runs, run));
}

const waiting = async (it: Stage, chat: string) =>
  (await it.runs.queue("me", chat))!.map(({ text }) => text);

const texts = async (it: Stage, chat: string) =>
  (await it.runs.chat("me", chat))!.turns.map(({ text }) => text);

Deno.test("safety R12: messages sent while an answer is written wait, and are asked one after the other", async () => {
  await using it = stage();
  const { chat, puppet } = await busy(it);
  await wait(it, chat, "second");
  await wait(it, chat, "third");
  assertEquals((await it.runs.chat("me", chat))!.queue.map((m) => m.text), [
    "second",
    "third",
  ]);
  puppet.say("one").finish();
  const second = await it.model.next();
  assertEquals(second.request.messages.at(-1)?.text, "second");
  assertEquals(await waiting(it, chat), ["third"]);
  second.say("two").finish();
  const third = await it.model.next();
  assertEquals(third.request.messages.slice(1).map(({ text }) => text), [
    "first",
    "one",
    "second",
    "two",
    "third",
  ]);
  third.finish();
  assertEquals(await texts(it, chat), ["first", "second", "third"]);
});

Deno.test("a message is asked at once where nothing is in the way, and refused without `queue` where something is", async () => {
  await using it = stage();
  const { run, chat, puppet } = await busy(it);
  const refused = await it.runs.start({ owner: "me", chat, text: "second" });
  assertEquals(refused, { kind: "active", run, chat });
  puppet.finish();
  await over(it, run);
  const asked = await it.runs.start({
    owner: "me",
    chat,
    text: "second",
    queue: true,
  });
  assertEquals(asked.kind, "started");
  (await it.model.next()).finish();
});

Deno.test("safety R11 N10: a waiting message is one however often it is sent, also once it is asked, and after it was taken back", async () => {
  await using it = stage({ limits: FREE });
  const { chat, puppet } = await busy(it);
  const ids = await Promise.all(
    Array.from({ length: 50 }, () => wait(it, chat, "second", "k2")),
  );
  assertEquals(new Set(ids).size, 1);
  const third = await wait(it, chat, "third", "k3");
  assertEquals((await it.runs.withdraw("me", chat, third))?.text, "third");
  assertEquals(await it.runs.withdraw("me", chat, third), null);
  puppet.finish();
  (await it.model.next()).finish();
  const again = (text: string, idempotencyKey: string) =>
    it.runs.start({ owner: "me", chat, text, queue: true, idempotencyKey });
  const second = await again("second", "k2");
  assert(second.kind === "started");
  await over(it, second.run);
  assertEquals(await again("third", "k3"), { kind: "withdrawn" });
  assertEquals(it.model.count, 2);
});

Deno.test("the order of waiting messages can be changed, if it is told whole", async () => {
  await using it = stage();
  const { chat, puppet } = await busy(it);
  const [a, b, c] = [
    await wait(it, chat, "a"),
    await wait(it, chat, "b"),
    await wait(it, chat, "c"),
  ];
  assertEquals(await it.runs.reorder("me", chat, [c, a]), false);
  assertEquals(await it.runs.reorder("me", chat, [c, a, b]), true);
  assertEquals(await waiting(it, chat), ["c", "a", "b"]);
  puppet.finish();
  assertEquals((await it.model.next()).request.messages.at(-1)?.text, "c");
});

Deno.test("after a failed or stopped answer the queue waits for a person; a message asked meanwhile goes before it", async () => {
  await using it = stage();
  const { run, chat, puppet } = await busy(it);
  await wait(it, chat, "later");
  puppet.say("half").fail(
    new ModelError("upstream_reset", "Gone", { retryable: true }),
  );
  await over(it, run);
  await it.runs.sweep();
  assertEquals(await waiting(it, chat), ["later"]);
  const asked = await it.runs.start({
    owner: "me",
    chat,
    continues: run,
    queue: true,
  });
  assertEquals(asked.kind, "started");
  (await it.model.next()).say(" and half").finish();
  const later = await it.model.next();
  assertEquals(later.request.messages.at(-1)?.text, "later");
  assertEquals(later.request.messages.at(-2)?.text, "half and half");
});

Deno.test("send now stops the answer in progress, keeps its text, and asks this message first", async () => {
  await using it = stage();
  const { run, chat, puppet } = await busy(it);
  await wait(it, chat, "second");
  const third = await wait(it, chat, "third");
  puppet.say("half an answer");
  assertEquals(await it.runs.sendNow("me", chat, third), true);
  await puppet.aborted;
  const next = await it.model.next();
  assertEquals(next.request.messages.at(-1)?.text, "third");
  const view = (await it.runs.view("me", run))!;
  assertEquals(
    [view.answer.status, answerText(view.answer)],
    ["stopped", "half an answer"],
  );
  next.finish();
  assertEquals((await it.model.next()).request.messages.at(-1)?.text, "second");
  assertEquals(await it.runs.sendNow("me", chat, third), false);
});

Deno.test("N1 N3: a message a crash has left is asked by the next process, and by one of two only", async () => {
  const store = openStore({ kind: "memory" });
  const first = stage({ store });
  const { run, chat, puppet } = await busy(first);
  await wait(first, chat, "second");
  puppet.say("one");
  // Between the end of the run and the start of the next message.
  const { due } = store;
  store.due = () => Promise.reject(new StoreError("io", "The power failed"));
  puppet.finish();
  await over(first, run);
  await first.runs.close();
  store.due = due;
  await using left = stage({ store });
  await using right = stage({ store });
  await Promise.all([left.runs.sweep(), right.runs.sweep()]);
  while (left.model.count + right.model.count === 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(left.model.count + right.model.count, 1);
  assertEquals(await waiting(left, chat), []);
  assertEquals(await texts(left, chat), ["first", "second"]);
});

Deno.test("N9: a waiting message that cannot be started just now is started later, with its images", async () => {
  const store = troubled(openStore({ kind: "memory" }));
  await using it = stage({ store });
  const { run, chat, puppet } = await busy(it);
  const image = "data:image/png;base64,iVBORw0KGgo=";
  await it.runs.start({
    owner: "me",
    chat,
    text: "look",
    images: [image],
    queue: true,
  });
  const { create } = store;
  store.create = () => Promise.reject(new StoreError("full", "Full"));
  puppet.finish();
  await over(it, run);
  while (it.reports.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(await waiting(it, chat), ["look"]);
  store.create = create;
  await it.runs.sweep();
  const asked = await it.model.next();
  assertEquals(asked.request.messages.at(-1), {
    role: "user",
    text: "look",
    images: [image],
  });
});

Deno.test("the queue has an end, and belongs to its owner", async () => {
  await using it = stage({ limits: FREE });
  const { chat } = await busy(it);
  for (let n = 0; n < QUEUE_LIMIT; n++) await wait(it, chat, `m ${n}`);
  const outcome = await it.runs.start({
    owner: "me",
    chat,
    text: "too much",
    queue: true,
  });
  assertEquals(outcome, { kind: "queue-full" });
  const [{ id } = { id: "" }] = (await it.runs.queue("me", chat))!;
  assertEquals(await it.runs.queue("you", chat), null);
  assertEquals(await it.runs.withdraw("you", chat, id), null);
  assertEquals(await it.runs.sendNow("you", chat, id), false);
  const theirs = await it.runs.start({
    owner: "you",
    chat,
    text: "hello",
    queue: true,
  });
  assertEquals(theirs, { kind: "no-chat" });
});

Deno.test("safety R13: a process that goes down starts nothing more; what waits goes on waiting", async () => {
  const store = openStore({ kind: "memory" });
  const first = stage({ store });
  const { chat, puppet } = await busy(first);
  await wait(first, chat, "second");
  const closing = first.runs.close(5_000);
  puppet.say("one").finish();
  await closing;
  assertEquals(first.model.count, 1);
  await using next = stage({ store });
  await next.runs.sweep();
  const second = await next.model.next();
  assertEquals(second.request.messages.at(-2)?.text, "one");
});
