/** The state of the screen, as a person's presses change it. */
import { assert, assertEquals } from "@std/assert";
import { CHAT, load, RUN, said, turn, view } from "./loaded_page.ts";
import { Device, settle } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";
import { chatId, FINISH, runId, startOf, text } from "./scripts.ts";

Deno.test("send() shows the question at once, then the answer, at the chat's own address", async () => {
  const { server, page, model, close } = await load();
  model.draft.value = "  When is the next bus?  ";
  assert(model.send());
  assertEquals(model.draft.value, "");
  assertEquals(model.phase.value, "sending");
  assertEquals(said(model), [["When is the next bus?", null]]);
  await settle();
  assertEquals(model.phase.value, "running");
  assertEquals(page.pushed, [`/c/${CHAT}`]);
  assertEquals(model.chatId.value, CHAT);
  assertEquals(server.to(/^\/api\/runs$/)[0]!.body, {
    text: "When is the next bus?",
    idempotency_key: "key-1",
  });
  server.append(RUN, ...text("t", "At ", "07:13."), FINISH);
  await settle();
  assertEquals(said(model), [["When is the next bus?", "At 07:13."]]);
  assertEquals(model.phase.value, "idle");
  close();
});

Deno.test("the second question goes to the same chat", async () => {
  const { server, model, close } = await load();
  model.send("one");
  await settle();
  server.append(RUN, FINISH);
  await settle();
  model.send("two");
  await settle();
  assertEquals(server.to(/^\/api\/runs$/)[1]!.body!.chat_id, CHAT);
  assertEquals(model.turns.value.length, 2);
  close();
});

Deno.test("a reload in the middle goes on from the cursor and types nothing again", async () => {
  const server = new FakeServer();
  const events = [startOf(RUN), ...text("t", "half ", "whole")];
  server.append(RUN, ...events);
  const chat = view(CHAT, turn("q", RUN, ...events.slice(0, 3)));
  const { page, model, close } = await load({ server, chat });
  assertEquals(
    server.to(/events$/)[0]!.headers.get("last-event-id"),
    `${RUN}.1-3`,
  );
  const typed = model.turns.value[0]!.answer.value!.parts.value[0]!.typed!;
  assert(typed.shown.value >= 5);
  server.append(RUN, FINISH);
  await settle();
  assertEquals(said(model), [["q", "half whole"]]);
  assertEquals(page.pushed, []);
  close();
});

Deno.test("a run begun in one tab is followed in every tab that shows the chat", async () => {
  const server = new FakeServer();
  const device = new Device();
  const chat = view(CHAT, turn("old", runId("z"), startOf(runId("z")), FINISH));
  const one = await load({ server, device, chat });
  const two = await load({ server, device, chat });
  const kept = two.model.turns.value[0];
  server.chats.set(
    CHAT,
    view(CHAT, ...chat.turns, turn("new", RUN, startOf(RUN))),
  );
  one.model.send("new");
  await settle();
  server.append(RUN, ...text("t", "for both"));
  await settle();
  assertEquals(said(two.model), [["old", ""], ["new", "for both"]]);
  assertEquals(two.model.turns.value[0], kept, "what is shown stays as it is");
  server.append(RUN, FINISH);
  await settle();
  assertEquals(two.model.phase.value, "idle");
  one.close();
  two.close();
});

Deno.test("stop() tells the server, and the answer ends when the tape says so", async () => {
  const { server, model, close } = await load();
  model.send("q");
  await settle();
  model.stop();
  assertEquals(model.phase.value, "stopping");
  await settle();
  assertEquals(server.to(/stop$/).map(({ path }) => path), [
    `/api/runs/${RUN}/stop`,
  ]);
  model.stop();
  await settle();
  assertEquals(server.to(/stop$/).length, 1, "pressed twice, told once");
  server.append(RUN, { type: "abort", reason: "user" });
  await settle();
  assertEquals(model.phase.value, "idle");
  assertEquals(model.turns.value[0]!.answer.value!.status.value, "stopped");
  close();
});

Deno.test("stop() before the run has a name stops it as soon as it has one", async () => {
  const { server, model, close } = await load();
  model.send("q");
  model.stop();
  assertEquals(model.phase.value, "stopping");
  await settle();
  assertEquals(server.to(/stop$/).length, 1);
  assertEquals(model.phase.value, "stopping");
  close();
});

Deno.test("a stop that does not arrive is said, and can be tried again", async () => {
  const { server, model, close } = await load();
  model.send("q");
  await settle();
  server.replies.push({ path: /stop$/, reply: "network error" });
  model.stop();
  await settle();
  assertEquals(model.notice.value, { kind: "stopFailed" });
  assertEquals(model.phase.value, "running");
  close();
});

Deno.test("Retry after an error answers the same question anew, in its place, with a new key", async () => {
  const { server, model, close } = await load();
  model.send("q");
  await settle();
  server.append(RUN, {
    type: "error",
    errorText: "cut",
    code: "upstream_reset",
    retryable: true,
  });
  await settle();
  model.branches.anew(model.turns.value[0]!);
  await settle();
  assertEquals(model.turns.value.map(({ text }) => text), ["q"]);
  assertEquals(model.turns.value[0]!.versions.value, [RUN, runId("b")]);
  assertEquals([...server.begun.keys()], ["key-1", "key-2"]);
  assertEquals(server.to(/^\/api\/runs$/)[1]!.body, {
    chat_id: CHAT,
    replaces: RUN,
    idempotency_key: "key-2",
  });
  assertEquals(model.phase.value, "running");
  close();
});

Deno.test("another chat is opened without a reload; its run goes on being written", async () => {
  const server = new FakeServer();
  const other = chatId("b");
  server.chats.set(
    other,
    view(
      other,
      turn("b?", runId("b"), startOf(runId("b")), ...text("t", "b!"), FINISH),
    ),
  );
  const { page, model, close } = await load({ server });
  model.send("q");
  await settle();
  assertEquals(server.readers(RUN), 1);
  model.open(other);
  await settle();
  assertEquals(said(model), [["b?", "b!"]]);
  assertEquals(page.pushed, [`/c/${CHAT}`, `/c/${other}`]);
  assertEquals(server.readers(RUN), 0, "following ended");
  assertEquals(server.to(/stop$/), [], "and the run did not");
  server.chats.set(CHAT, view(CHAT, turn("q", RUN, startOf(RUN))));
  page.address = `/c/${CHAT}`;
  await page.happens("pop");
  assertEquals(model.chatId.value, CHAT);
  assertEquals(model.phase.value, "running");
  page.address = "/";
  await page.happens("pop");
  assertEquals(model.chatId.value, null);
  assertEquals(model.turns.value, []);
  close();
});

Deno.test("a chat that cannot be loaded leaves the open one as it is", async () => {
  const chat = view(CHAT, turn("q", RUN, startOf(RUN), FINISH));
  const { page, model, close } = await load({ chat });
  model.open(chatId("x"));
  await settle();
  assertEquals(model.notice.value, { kind: "chatNotLoaded" });
  assertEquals(model.chatId.value, CHAT);
  assertEquals(page.pushed, []);
  close();
});

Deno.test("of two chats opened in a hurry the last one wins", async () => {
  const server = new FakeServer();
  for (const letter of ["b", "c"]) {
    server.chats.set(
      chatId(letter),
      view(
        chatId(letter),
        turn(letter, runId(letter), startOf(runId(letter)), FINISH),
      ),
    );
  }
  const { model, page, close } = await load({ server });
  model.open(chatId("b"));
  model.open(chatId("c"));
  await settle();
  assertEquals(said(model), [["c", ""]]);
  assertEquals(page.pushed, [`/c/${chatId("c")}`]);
  close();
});

Deno.test("the list is looked at again while another chat is being answered, and then no more", async () => {
  const server = new FakeServer();
  server.list = [{
    id: chatId("b"),
    title: "b",
    updatedAt: "",
    activeRun: runId("b"),
  }];
  const { page, model, close } = await load({ server });
  await page.advance(4_100);
  const asked = server.to(/^\/api\/chats$/).length;
  assertEquals(asked, 2);
  server.list = [{ ...server.list[0]!, activeRun: null }];
  await page.advance(4_100);
  assertEquals(model.chats.value[0]!.activeRun, null);
  await page.advance(60_000);
  assertEquals(server.to(/^\/api\/chats$/).length, 3);
  close();
});

Deno.test("the list is looked at less often while other chats only wait for somebody", async () => {
  const server = new FakeServer();
  server.list = [{
    id: chatId("b"),
    title: "b",
    updatedAt: "",
    activeRun: runId("b"),
    waiting: true,
  }];
  const { page, close } = await load({ server });
  await page.advance(4_100);
  const asked = server.to(/^\/api\/chats$/).length;
  await page.advance(25_000);
  assertEquals(server.to(/^\/api\/chats$/).length, asked);
  await page.advance(5_000);
  assertEquals(server.to(/^\/api\/chats$/).length, asked + 1);
  close();
});

Deno.test("a run that may not be read any more is said to be lost", async () => {
  const { server, model, close } = await load();
  server.replies.push({
    path: /events$/,
    reply: new Response("{}", { status: 404 }),
  });
  model.send("q");
  await settle();
  assertEquals(model.connection.value, "lost");
  assertEquals(model.phase.value, "idle", "the next question can be asked");
  model.send("again");
  await settle();
  assertEquals(model.connection.value, "ok");
  assertEquals(model.phase.value, "running");
  close();
});

Deno.test("a reader of tapes that cannot be fetched is asked for again, and then the run is lost", async () => {
  const { server, page, model, close } = await load();
  const fetched = page.tapeReader;
  page.tapeReader = () => Promise.reject(new TypeError("Failed to fetch"));
  model.send("q");
  await settle();
  assertEquals(model.connection.value, "reconnecting");
  page.tapeReader = fetched;
  await page.advance(1_000);
  assertEquals(model.connection.value, "ok");
  server.append(RUN, ...text("t", "here"), FINISH);
  await settle();
  assertEquals(said(model), [["q", "here"]]);
  page.tapeReader = () => Promise.reject(new TypeError("Failed to fetch"));
  model.send("again");
  await page.advance(20_000);
  assertEquals(model.connection.value, "lost");
  close();
});

Deno.test("a broken storage does not break the page", async () => {
  const device = new Device();
  device.storage.set("tt_outbox", '{"not":"a list"}');
  const { model, close } = await load({ device });
  assert(model.send("q"));
  await settle();
  assertEquals(model.phase.value, "running");
  close();
});

Deno.test("leaving the page ends every timer, reader and channel", async () => {
  const server = new FakeServer();
  server.list = [{
    id: chatId("b"),
    title: "b",
    updatedAt: "",
    activeRun: runId("b"),
  }];
  const { page, device, model, close } = await load({ server });
  model.send("q");
  await settle();
  close();
  await page.advance(100);
  assertEquals(page.waitingTimers, 0);
  assertEquals(server.readers(RUN), 0);
  assertEquals(device.channels.size, 0);
});
