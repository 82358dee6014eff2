/** Messages that wait for the answer before them, over a real socket (R12). */
import { assert, assertEquals } from "@std/assert";
import { QUEUE_LIMIT } from "../../lib/store/contract.ts";
import { answered, call, chatOf, queued } from "../helpers/api_client.ts";
import { type App, startApp } from "../helpers/app.ts";
import { type Puppet, PuppetModel } from "../helpers/puppet_model.ts";
import { ask, started } from "../helpers/run_client.ts";

const asked = (puppet: Puppet) => puppet.request.messages.at(-1)!.text;

/** A chat whose first question is being answered. */
async function busy(app: App, model: PuppetModel) {
  const { run_id, chat_id } = await started(app, { text: "one" });
  return { run: run_id, chat: chat_id, puppet: await model.next() };
}

const waiting = async (app: App, chat: string) =>
  (await call(app, "GET", `/api/chats/${chat}/queue`)).body.queue
    .map(({ text }: { text: string }) => text);

Deno.test("safety R12: what is sent to a busy chat with queue waits, is seen by every tab, and goes on in order after each answer", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat, puppet } = await busy(app, model);
  const response = await ask(app, { chat_id: chat, text: "two", queue: true }, {
    accept: "text/event-stream",
    "idempotency-key": "k-2",
  });
  // There is no run yet whose events could be streamed.
  assertEquals(response.status, 202);
  assertEquals(response.headers.get("location"), `/api/chats/${chat}/queue`);
  const { queued: two, ...rest } = await response.json();
  assertEquals(rest, { chat_id: chat });
  assertEquals(two, {
    id: two.id,
    text: "two",
    images: 0,
    key: "k-2",
    now: false,
  });
  const three = await queued(app, chat, "three");
  assertEquals((await chatOf(app, chat)).queue, [two, three]);
  assertEquals(
    (await call(app, "GET", `/api/chats/${chat}/queue`)).body,
    { queue: [two, three] },
  );
  puppet.say("1").finish();
  for (const text of ["two", "three"]) {
    const next = await model.next();
    assertEquals(asked(next), text);
    next.say(text).finish();
  }
  await app.until(async () => (await chatOf(app, chat)).activeRun === null);
  const { queue, turns } = await chatOf(app, chat);
  assertEquals([queue, turns.map(({ text }) => text)], [
    [],
    ["one", "two", "three"],
  ]);
  assertEquals(model.count, 3);
});

Deno.test("streaming R11, N10: two tabs and a retrying one send at once to a busy chat: every message waits once, under its key", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run, chat, puppet } = await busy(app, model);
  const send = (key: string) =>
    queued(app, chat, `message ${key}`, { idempotency_key: key });
  const sent = await Promise.all(
    Array.from({ length: 50 }, (_, i) => send(i % 2 === 0 ? "a" : "b")),
  );
  assertEquals(new Set(sent.map(({ id }) => id)).size, 2);
  assertEquals((await waiting(app, chat)).length, 2);
  puppet.finish();
  await app.over(run);
  const texts: string[] = [];
  for (const _ of ["a", "b"]) {
    const next = await model.next();
    texts.push(asked(next)!);
    next.finish();
  }
  assertEquals(texts.sort(), ["message a", "message b"]);
  await app.until(async () => (await chatOf(app, chat)).activeRun === null);
  // The key still stands for its message, which is a run by now.
  const late = await started(app, {
    chat_id: chat,
    text: "message a",
    queue: true,
    idempotency_key: "a",
  });
  const { turns } = await chatOf(app, chat);
  assert(turns.some(({ answer }) => answer.run === late.run_id));
  assertEquals([turns.length, model.count], [3, 3]);
});

Deno.test("streaming R11: with queue, of two tabs that begin at once one asks and the other waits; neither is lost", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const first = await answered(app, model, { text: "one" }, "1");
  const both = await Promise.all(["a", "b"].map(async (text) => {
    const response = await ask(app, { chat_id: first.chat, text, queue: true });
    assertEquals(response.status, 202);
    return await response.json();
  }));
  assertEquals(both.map((body) => Object.keys(body).sort()).sort(), [
    ["chat_id", "events", "run_id", "stop"],
    ["chat_id", "queued"],
  ]);
  const texts: string[] = [];
  for (const _ of both) {
    const next = await model.next();
    texts.push(asked(next)!);
    next.finish();
  }
  assertEquals(texts.sort(), ["a", "b"]);
});

Deno.test("PUT queue puts what waits into another order, and 409 tells what waits now", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat } = await busy(app, model);
  const [a, b, c] = [
    await queued(app, chat, "a"),
    await queued(app, chat, "b"),
    await queued(app, chat, "c"),
  ];
  const path = `/api/chats/${chat}/queue`;
  const put = (order: unknown) => call(app, "PUT", path, { order });
  const done = await put([c.id, a.id, b.id]);
  assertEquals([done.status, done.body], [200, { queue: [c, a, b] }]);
  for (const order of [[c.id, a.id], [a.id, a.id, b.id], []]) {
    const { status, body } = await put(order);
    assertEquals([status, body.code, body.queue], [409, "queue_changed", [
      c,
      a,
      b,
    ]]);
  }
  for (const order of [["m_\r\n"], "abc", null, [5], Array(500).fill(a.id)]) {
    assertEquals((await put(order)).status, 400, JSON.stringify(order));
  }
  assertEquals(await waiting(app, chat), ["c", "a", "b"]);
});

Deno.test("DELETE of a waiting message gives its text back, once; its key is never asked again", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat, puppet } = await busy(app, model);
  const message = await queued(app, chat, "二", { idempotency_key: "k" });
  const path = `/api/chats/${chat}/queue/${message.id}`;
  const taken = await call(app, "DELETE", path);
  assertEquals([taken.status, taken.body], [200, message]);
  const again = await call(app, "DELETE", path);
  assertEquals([again.status, again.body.code], [404, "not_waiting"]);
  const resent = await call(app, "POST", "/api/runs", {
    chat_id: chat,
    text: "二",
    queue: true,
    idempotency_key: "k",
  });
  assertEquals([resent.status, resent.body.code], [410, "withdrawn"]);
  puppet.finish();
  await app.until(async () => (await chatOf(app, chat)).activeRun === null);
  assertEquals(model.count, 1);
});

Deno.test("send now makes a waiting message the next one and stops the answer in progress; others wait for a person after that", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run, chat, puppet } = await busy(app, model);
  puppet.say("half");
  await app.shows(run, "half");
  await queued(app, chat, "later");
  const urgent = await queued(app, chat, "urgent");
  const path = `/api/chats/${chat}/queue/${urgent.id}`;
  const now = await call(app, "POST", `${path}/now`);
  assertEquals([now.status, now.body], [202, { status: "sending" }]);
  assertEquals(await puppet.aborted, "user");
  const next = await model.next();
  assertEquals(asked(next), "urgent");
  assertEquals(await waiting(app, chat), ["later"]);
  const gone = await call(app, "POST", `${path}/now`);
  assertEquals([gone.status, gone.body.code], [404, "not_waiting"]);
  // Stopped: what waits does not go on by itself.
  const { activeRun } = await chatOf(app, chat);
  await call(app, "POST", `/api/runs/${activeRun}/stop`);
  await app.over(activeRun!);
  const { queue: [later] } = await chatOf(app, chat);
  assertEquals([later!.text, later!.now, model.count], ["later", false, 2]);
  await call(app, "POST", `/api/chats/${chat}/queue/${later!.id}/now`);
  const last = await model.next();
  assertEquals(asked(last), "later");
  last.finish();
});

Deno.test("safety R12: a chat where too many wait says so and keeps what waits", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat } = await busy(app, model);
  for (let i = 0; i < QUEUE_LIMIT; i++) await queued(app, chat, String(i));
  const body = { chat_id: chat, text: "one too many", queue: true };
  const refused = await call(app, "POST", "/api/runs", body);
  assertEquals([refused.status, refused.body.code], [409, "queue_full"]);
  assertEquals((await waiting(app, chat)).length, QUEUE_LIMIT);
});

Deno.test("safety R12: a message with a picture waits with it", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat, puppet } = await busy(app, model);
  const png = "data:image/png;base64,iVBORw0KGgo=";
  const message = await queued(app, chat, "see", { images: [png] });
  assertEquals(message.images, 1);
  puppet.finish();
  const next = await model.next();
  assertEquals(next.request.messages.at(-1), {
    role: "user",
    text: "see",
    images: [png],
  });
  next.finish();
});
