/** Messages that wait for the end of an answer: kept, shown, moved, sent once. */
import { assert, assertEquals } from "@std/assert";
import type { ChatModel } from "../../lib/ui/chat_model.ts";
import { Device, settle } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";
import { CHAT, kept, load, RUN, said } from "./loaded_page.ts";
import { FINISH, runId, text } from "./scripts.ts";

const STOPPED = { type: "abort", reason: "user" } as const;

const waiting = (model: ChatModel) =>
  model.queue.items.value.map(({ text }) => text);

const queued = (server: FakeServer) =>
  server.kept.queue(CHAT).map(({ text }) => text);

/** A page whose first question is being answered. */
async function answering(server = new FakeServer(), device = new Device()) {
  const tab = await load({ server, device });
  tab.model.send("first");
  await settle();
  return tab;
}

/** Another tab that opens the same chat now. */
const another = async (server: FakeServer, device: Device) => {
  const view = await server.receive(`/api/chats/${CHAT}`, {});
  return load({ server, device, chat: await view.json() });
};

Deno.test("safety R12: what is sent while an answer is written waits in the queue, also after a reload", async () => {
  const { server, device, model, close } = await answering();
  assert(model.send("second"));
  assert(model.send("third"));
  assertEquals(waiting(model), ["second", "third"], "at once");
  assertEquals(model.queue.items.value[0]!.state, "sending", "and honestly");
  await settle();
  assertEquals(queued(server), ["second", "third"]);
  assertEquals(
    model.queue.items.value.map(({ state }) => state),
    ["waiting", "waiting"],
  );
  assertEquals(model.queue.news.value, { kind: "queued", place: 2, of: 2 });
  assertEquals(model.phase.value, "running");
  assertEquals(kept(device), [], "the server has them");
  close();
  const again = await another(server, device);
  assertEquals(waiting(again.model), ["second", "third"]);
  again.close();
});

Deno.test("after a complete answer the page finds the next one by itself, in order, each once", async () => {
  const { server, page, model, close } = await answering();
  model.send("second");
  model.send("third");
  await settle();
  server.append(RUN, ...text("t", "one"), FINISH);
  await settle();
  const second = server.next(CHAT);
  await page.advance(60);
  assertEquals(said(model), [["first", "one"], ["second", ""]]);
  assertEquals(waiting(model), ["third"]);
  assertEquals(model.phase.value, "running");
  server.append(second, ...text("t", "two"), FINISH);
  await settle();
  // A crash before it could start: a sweep does, two seconds later.
  await page.advance(1_900);
  assertEquals(waiting(model), ["third"]);
  assertEquals(model.queue.held.value, false);
  server.append(server.next(CHAT), ...text("t", "three"), FINISH);
  await page.advance(4_100);
  assertEquals(said(model), [
    ["first", "one"],
    ["second", "two"],
    ["third", "three"],
  ]);
  const looks = server.heard.length;
  await page.advance(60_000);
  assertEquals(server.heard.length, looks, "nobody looks any more");
  close();
});

for (
  const [name, end] of [
    ["stopped", STOPPED],
    ["interrupted", { type: "abort", reason: "shutdown" }],
    ["failed", {
      type: "error",
      errorText: "x",
      code: "upstream_reset",
      retryable: true,
    }],
  ] as const
) {
  Deno.test(`after an answer that was ${name} the queue waits for a person, who sends it with one press`, async () => {
    const { server, page, model, close } = await answering();
    model.send("none");
    model.send("second");
    await settle();
    server.append(RUN, end);
    await settle();
    model.queue.remove(model.queue.items.value[0]!);
    assertEquals(model.queue.held.value, true, "the other one goes on waiting");
    await settle();
    assertEquals(model.queue.held.value, true);
    const looks = server.to(/chats\/c_/).length;
    await page.advance(30_000);
    assertEquals(server.to(/chats\/c_/).length, looks, "nothing to look for");
    model.queue.sendNow(model.queue.items.value[0]!);
    assertEquals(model.queue.held.value, false);
    server.next(CHAT);
    await settle();
    assertEquals(said(model), [["first", ""], ["second", ""]]);
    assertEquals(waiting(model), []);
    assertEquals(model.phase.value, "running");
    close();
  });
}

Deno.test("send now: the message is next, and its answer is found when the other has stopped", async () => {
  const { server, page, model, close } = await answering();
  model.send("second");
  model.send("third");
  await settle();
  model.queue.sendNow(model.queue.items.value[1]!);
  assertEquals(waiting(model), ["third", "second"], "at once");
  assertEquals(model.queue.items.value[0]!.state, "next");
  await settle();
  assertEquals(waiting(model), ["third", "second"]);
  server.append(RUN, STOPPED);
  await settle();
  assertEquals(model.queue.held.value, false, "it was said to go on");
  server.next(CHAT);
  await page.advance(60);
  assertEquals(said(model).map(([text]) => text), ["first", "third"]);
  assertEquals(waiting(model), ["second"]);
  close();
});

Deno.test("the order is changed at once, and the last one is what the server has", async () => {
  const { server, page, model, close } = await answering();
  for (const text of ["a", "b", "c"]) model.send(text);
  await settle();
  const slow = Promise.withResolvers<Response>();
  server.replies.push({ path: /queue$/, reply: slow.promise });
  const c = model.queue.items.value[2]!;
  model.queue.move(c, -1);
  assertEquals(waiting(model), ["a", "c", "b"]);
  assertEquals(model.queue.news.value, { kind: "moved", place: 2, of: 3 });
  await settle();
  model.queue.move(c, -1);
  // The other tab makes this one look while its change is on the way.
  await page.happens("visible");
  assertEquals(waiting(model), ["c", "a", "b"]);
  slow.resolve(Response.json({}));
  await settle();
  assertEquals(queued(server), ["c", "a", "b"]);
  assertEquals(waiting(model), ["c", "a", "b"]);
  model.queue.move(c, -1);
  await settle();
  assertEquals(waiting(model), ["c", "a", "b"], "the first stays the first");
  close();
});

Deno.test("a row that is moved while an older word of the server's is on its way stays where it was moved", async () => {
  const { server, model, close } = await answering();
  for (const text of ["a", "b", "c"]) model.send(text);
  await settle();
  const old = await server.receive(`/api/chats/${CHAT}`, {});
  const slow = Promise.withResolvers<Response>();
  server.replies.push({ path: /chats\/c_a+$/, reply: slow.promise });
  const [a] = model.queue.items.value;
  model.queue.move(a!, 1);
  await settle();
  assertEquals(queued(server), ["b", "a", "c"]);
  // The first change is there; the look after it is still on its way.
  model.queue.move(a!, 1);
  slow.resolve(old);
  await settle();
  assertEquals(waiting(model), ["b", "c", "a"]);
  assertEquals(queued(server), ["b", "c", "a"]);
  close();
});

Deno.test("a message is taken back into the composer, before what is written there, and asked no more", async () => {
  const { server, model, close } = await answering();
  model.send("second");
  await settle();
  model.draft.value = "already the next";
  await model.queue.takeBack(model.queue.items.value[0]!);
  assertEquals(model.draft.value, "second\n\nalready the next");
  assertEquals(waiting(model), []);
  assertEquals(queued(server), []);
  close();
});

Deno.test("taking back does not lose a word when the server's answer gets lost", async () => {
  const { server, model, close } = await answering();
  model.send("second");
  await settle();
  const [item] = model.queue.items.value;
  server.replies.push({ path: /queue\/m_/, reply: "network error" });
  await model.queue.takeBack(item!);
  assertEquals(model.draft.value, "second");
  assertEquals(model.notice.value, { kind: "queueFailed" });
  assertEquals(waiting(model), ["second"]);
  await model.queue.takeBack(model.queue.items.value[0]!);
  assertEquals(model.draft.value, "second", "once");
  assertEquals(waiting(model), []);
  close();
});

Deno.test("a message that is already being answered cannot be taken back, and is not asked twice", async () => {
  const { server, model, close } = await answering();
  model.send("second");
  await settle();
  const [item] = model.queue.items.value;
  server.append(RUN, FINISH);
  server.next(CHAT);
  await model.queue.takeBack(item!);
  assertEquals(model.draft.value, "");
  assertEquals(model.notice.value, { kind: "alreadySent" });
  assertEquals(said(model).map(([text]) => text), ["first", "second"]);
  assertEquals(waiting(model), []);
  close();
});

Deno.test("remove() takes a message out for good", async () => {
  const { server, model, close } = await answering();
  for (const text of ["a", "b"]) model.send(text);
  await settle();
  await model.queue.remove(model.queue.items.value[0]!);
  assertEquals(waiting(model), ["b"]);
  assertEquals(queued(server), ["b"]);
  assertEquals(model.draft.value, "");
  assertEquals(model.queue.news.value?.kind, "removed");
  close();
});

Deno.test("the queue is the same in every tab", async () => {
  const server = new FakeServer();
  const device = new Device();
  const one = await answering(server, device);
  const two = await another(server, device);
  one.model.send("a");
  one.model.send("b");
  await settle();
  assertEquals(waiting(two.model), ["a", "b"]);
  two.model.queue.move(two.model.queue.items.value[1]!, -1);
  await settle();
  assertEquals(waiting(one.model), ["b", "a"]);
  await one.model.queue.remove(one.model.queue.items.value[0]!);
  await settle();
  assertEquals(waiting(two.model), ["a"]);
  one.close();
  two.close();
});

Deno.test("safety R12: a message sent into a chat that only looked idle waits there, and its tab sees why", async () => {
  const server = new FakeServer();
  const one = await answering(server);
  server.append(RUN, FINISH);
  await settle();
  // On another device, which no channel reaches.
  const phone = new Device();
  phone.keys = 100;
  const other = await another(server, phone);
  other.model.send("theirs");
  await settle();
  assertEquals(one.model.phase.value, "idle");
  one.model.send("mine");
  await settle();
  assertEquals(said(one.model).map(([text]) => text), ["first", "theirs"]);
  assertEquals(waiting(one.model), ["mine"]);
  assertEquals(one.model.phase.value, "running");
  one.close();
  other.close();
});

Deno.test("a message pressed while the answer is being stopped does not wait for anything else", async () => {
  const { server, page, model, close } = await answering();
  model.stop();
  assertEquals(model.phase.value, "stopping");
  model.send("instead");
  await settle();
  assertEquals(server.kept.queue(CHAT)[0]!.now, true);
  server.append(RUN, STOPPED);
  await settle();
  server.next(CHAT);
  await page.advance(60);
  assertEquals(said(model).map(([text]) => text), ["first", "instead"]);
  close();
});

Deno.test("a queue that is full gives the words back and says so", async () => {
  const { server, model, close } = await answering();
  server.replies.push({
    path: /^\/api\/runs$/,
    reply: Response.json({ code: "queue_full" }, { status: 409 }),
  });
  model.send("one too many");
  await settle();
  assertEquals(waiting(model), []);
  assertEquals(model.draft.value, "one too many");
  assertEquals(model.notice.value, { kind: "queueFull" });
  close();
});

Deno.test("reconnect() looks for the run at once, and sends what waits for its next try", async () => {
  const { server, page, model, close } = await answering();
  server.drop(RUN);
  for (let i = 0; i < 9; i++) {
    server.replies.push({ path: /^\/api\/runs/, reply: "network error" });
  }
  page.luck = 0.999;
  model.send("second");
  await page.advance(5_000);
  assertEquals(model.connection.value, "reconnecting");
  const [item] = model.queue.items.value;
  assertEquals([item!.state, item!.trouble], ["sending", "network"]);
  server.replies.length = 0;
  model.reconnect();
  await settle();
  assertEquals(model.connection.value, "ok");
  assertEquals(model.queue.items.value[0]!.state, "waiting");
  close();
});

Deno.test("what cannot reach the queue stays listed, says why, and goes in its order when the network is back", async () => {
  const { server, page, device, model, close } = await answering();
  for (let i = 0; i < 4; i++) {
    server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  }
  model.send("a");
  model.send("b");
  await page.advance(15_000);
  assertEquals(
    model.queue.items.value.map(({ text, state, trouble }) => [
      text,
      state,
      trouble,
    ]),
    [["a", "unsent", "network"], ["b", "unsent", "network"]],
  );
  assertEquals(kept(device), ["a", "b"]);
  // The answer ends meanwhile: they are not turns out of their order.
  server.append(RUN, FINISH);
  await settle();
  await page.happens("online");
  assertEquals(said(model).map(([text]) => text), ["first", "a"]);
  assertEquals(waiting(model), ["b"]);
  assertEquals(kept(device), []);
  assertEquals(server.begun.get("key-2")!.run, runId("b"));
  close();
});

Deno.test("a message of the queue that is asked in another tab leaves no trace here", async () => {
  const server = new FakeServer();
  const device = new Device();
  const one = await answering(server, device);
  const two = await another(server, device);
  one.model.send("a");
  await settle();
  server.append(RUN, FINISH);
  await settle();
  server.next(CHAT);
  await two.page.happens("visible");
  assertEquals(said(two.model).map(([text]) => text), ["first", "a"]);
  assertEquals(waiting(two.model), []);
  one.close();
  two.close();
});
