/** A message from the first press to the server's word: never lost, never twice. */
import { assert, assertEquals } from "@std/assert";
import { LONGEST_MESSAGE } from "../../lib/ui/chat_model.ts";
import { CHAT, kept, load, RUN, said, turn, view } from "./loaded_page.ts";
import { Device, settle } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";
import { chatId, FINISH, runId, startOf, text } from "./scripts.ts";

Deno.test("an empty and an overlong message are not sent", async () => {
  const { server, model, close } = await load();
  model.draft.value = " \n ";
  assertEquals(model.send(), false);
  assertEquals(model.send("x".repeat(LONGEST_MESSAGE + 1)), false);
  assert(model.send("x".repeat(LONGEST_MESSAGE)));
  await settle();
  assertEquals(server.to(/^\/api\/runs$/).length, 1);
  close();
});

Deno.test("N10: a message survives a reload and is sent again with its key, as one question", async () => {
  const server = new FakeServer();
  const first = await load({ server });
  server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  first.model.send("do not lose me");
  await settle();
  first.close();

  const second = await load({ server, device: first.device });
  await settle();
  assertEquals(said(second.model), [["do not lose me", ""]]);
  assertEquals(
    server.to(/^\/api\/runs$/).map(({ body }) => body!.idempotency_key),
    ["key-1", "key-1"],
  );
  assertEquals([...server.begun.keys()], ["key-1"]);
  second.close();

  const third = await load({ server, device: first.device });
  assertEquals(third.model.turns.value, [], "confirmed, hence forgotten");
  third.close();
});

Deno.test("N10: when only the 202 was lost, the reloaded chat shows the question once", async () => {
  const server = new FakeServer();
  const device = new Device();
  device.storage.set(
    "tt_outbox",
    JSON.stringify([{ key: "k", chat: CHAT, text: "q" }]),
  );
  server.begun.set("k", { run: RUN, chat: CHAT });
  server.append(RUN, startOf(RUN), ...text("t", "once"), FINISH);
  const chat = view(
    CHAT,
    turn("q", RUN, ...server.logs.get(RUN)!.map((e) => e.event)),
  );
  const { model, close } = await load({ server, device, chat });
  assertEquals(said(model), [["q", "once"]]);
  assertEquals(kept(device), []);
  assert(!device.storage.has("tt_outbox"), "the list of an older page");
  close();
});

Deno.test("N9: a server that cannot be reached leaves the message, marked, and later sends it", async () => {
  const { server, page, device, model, close } = await load();
  for (let i = 0; i < 4; i++) {
    server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  }
  model.send("wait for me");
  await page.advance(100);
  assertEquals(model.turns.value[0]!.delivery.value, "sending");
  assertEquals(model.turns.value[0]!.trouble.value, "network", "said at once");
  await page.advance(20_000);
  assertEquals(model.turns.value[0]!.delivery.value, "unsent");
  assertEquals(model.turns.value[0]!.trouble.value, "network");
  assertEquals(model.phase.value, "idle");
  assertEquals(kept(device), ["wait for me"]);
  await page.happens("online");
  assertEquals(said(model), [["wait for me", ""]]);
  assertEquals(model.turns.value[0]!.delivery.value, "sent");
  close();
});

Deno.test("an unsent message can be sent again by hand, or taken back into the composer", async () => {
  const { server, page, device, model, close } = await load();
  const fail = () => {
    for (let i = 0; i < 4; i++) {
      server.replies.push({
        path: /^\/api\/runs$/,
        reply: new Response("{}", { status: 503 }),
      });
    }
  };
  fail();
  model.send("words");
  await page.advance(20_000);
  fail();
  model.resend("key-1");
  assertEquals(model.phase.value, "sending");
  await page.advance(20_000);
  assertEquals(model.phase.value, "idle");
  model.takeBack("key-1");
  assertEquals(model.turns.value, []);
  assertEquals(model.draft.value, "words");
  assertEquals(kept(device), []);
  close();
});

Deno.test("429 is waited for as long as the server says", async () => {
  const { server, page, model, close } = await load();
  server.replies.push({
    path: /^\/api\/runs$/,
    reply: new Response("{}", {
      status: 429,
      headers: { "retry-after": "7" },
    }),
  });
  model.send("patience");
  await page.advance(6_900);
  assertEquals(server.to(/^\/api\/runs$/).length, 1);
  await page.advance(200);
  assertEquals(server.to(/^\/api\/runs$/).length, 2);
  assertEquals(model.phase.value, "running");
  close();
});

Deno.test("a refused message goes back into the composer, with the reason", async () => {
  const { server, device, model, close } = await load();
  server.replies.push({
    path: /^\/api\/runs$/,
    reply: Response.json(
      { code: "too_long", detail: "The text is too long." },
      { status: 413 },
    ),
  });
  model.send("words");
  model.draft.value = "already the next";
  await settle();
  assertEquals(model.turns.value, []);
  assertEquals(model.draft.value, "words\n\nalready the next");
  assertEquals(model.notice.value, {
    kind: "refusedMessage",
    detail: "The text is too long.",
  });
  assertEquals(kept(device), []);
  close();
});

Deno.test("a model that is gone is said in the page's language, and the words are kept", async () => {
  const { server, model, close } = await load();
  server.replies.push({
    path: /^\/api\/runs$/,
    reply: Response.json(
      { code: "no_such_model", detail: "The model is not offered." },
      { status: 409 },
    ),
  });
  model.send("words");
  await settle();
  assertEquals(model.notice.value, { kind: "modelGone" });
  assertEquals(model.draft.value, "words");
  close();
});

Deno.test("safety R29: a session that ends while typing keeps the message, says so, and sends it after the login", async () => {
  const { server, page, device, model, close } = await load();
  server.replies.push({
    path: /^\/api\/runs$/,
    reply: new Response("{}", { status: 401 }),
  });
  model.send("words");
  await settle();
  assertEquals(model.turns.value[0]!.delivery.value, "unsent");
  assertEquals(model.turns.value[0]!.trouble.value, "signIn");
  assertEquals(kept(device), ["words"]);
  // The login was in another tab; this one is looked at again.
  await page.happens("visible");
  assertEquals(model.turns.value[0]!.delivery.value, "sent");
  assertEquals([...server.begun.keys()], ["key-1"]);
  close();
});

Deno.test("safety R12: a server that knows no queue refuses, and the words are kept", async () => {
  const server = new FakeServer();
  const chat = view(CHAT, turn("old", runId("z"), startOf(runId("z")), FINISH));
  const { model, close } = await load({ server, chat });
  // Another tab has asked meanwhile.
  server.append(RUN, startOf(RUN), ...text("t", "from the other tab"));
  server.chats.set(
    CHAT,
    view(CHAT, ...chat.turns, turn("other", RUN, startOf(RUN))),
  );
  server.replies.push({
    path: /^\/api\/runs$/,
    reply: Response.json({ code: "run_active", run_id: RUN }, { status: 409 }),
  });
  model.send("mine");
  await settle();
  assertEquals(model.draft.value, "mine");
  assertEquals(model.notice.value, { kind: "busy" });
  assertEquals(said(model), [["old", ""], ["other", "from the other tab"]]);
  assertEquals(model.phase.value, "running");
  server.append(RUN, FINISH);
  await settle();
  assertEquals(model.phase.value, "idle");
  close();
});

Deno.test("an answer that arrives for a chat no longer shown changes nothing on the screen", async () => {
  const server = new FakeServer();
  server.chats.set(
    chatId("b"),
    view(chatId("b"), turn("b", runId("b"), startOf(runId("b")), FINISH)),
  );
  const slow = Promise.withResolvers<Response>();
  server.replies.push({ path: /^\/api\/runs$/, reply: slow.promise });
  const { device, page, model, close } = await load({ server });
  model.send("late");
  await model.open(chatId("b"));
  slow.resolve(Response.json({ run_id: RUN, chat_id: CHAT }, { status: 202 }));
  await settle();
  assertEquals(said(model), [["b", ""]]);
  assertEquals(server.to(/events$/), [], "nobody looks at its answer");
  assertEquals(page.pushed, [`/c/${chatId("b")}`]);
  assertEquals(kept(device), []);
  close();
});

Deno.test("a message left for another chat waits in that one's queue, and a refused one goes back there", async () => {
  for (const reply of ["queued", "refused"]) {
    const server = new FakeServer();
    const device = new Device();
    device.storage.set(
      "tt_outbox",
      JSON.stringify([{ key: "k", chat: CHAT, text: "left behind" }]),
    );
    server.replies.push({
      path: /^\/api\/runs$/,
      reply: reply === "queued"
        ? Response.json({
          chat_id: CHAT,
          queued: { id: "q", key: "k", text: "left behind", images: 0 },
        }, { status: 202 })
        : Response.json({ code: "no_such_model" }, { status: 400 }),
    });
    const { model, close } = await load({ server, device });
    await settle();
    assertEquals(kept(device), []);
    assertEquals(model.queue.items.value, []);
    assertEquals([model.draft.value, model.notice.value], ["", null]);
    if (reply === "refused") {
      assertEquals(device.storage.get(`tt_draft:${CHAT}`), "left behind");
    }
    close();
  }
});

Deno.test("a message that failed while another chat was shown is tried again, and stands where one left it", async () => {
  const { server, page, device, model, close } = await load({
    chat: view(CHAT, turn("a", RUN, startOf(RUN), FINISH)),
  });
  for (let i = 0; i < 4; i++) {
    server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  }
  model.send("do not forget me");
  await settle();
  model.newChat();
  await page.advance(15_000);
  assertEquals(kept(device), ["do not forget me"]);
  assertEquals(server.begun.size, 0);
  await page.advance(31_000);
  assertEquals(server.begun.size, 1);
  assertEquals(kept(device), []);
  assertEquals(model.turns.value, [], "not in the chat that is shown");
  close();
});

Deno.test("every chat keeps its own draft, over chats and reloads", async () => {
  const server = new FakeServer();
  const chat = view(CHAT, turn("q", RUN, startOf(RUN), FINISH));
  server.chats.set(CHAT, chat);
  const first = await load({ server, chat });
  first.model.draft.value = "in the chat";
  first.model.newChat();
  assertEquals(first.model.draft.value, "");
  first.model.draft.value = "in the new one";
  first.model.open(CHAT);
  await settle();
  assertEquals(first.model.draft.value, "in the chat");
  first.close();
  const second = await load({ server, device: first.device });
  assertEquals(second.model.draft.value, "in the new one");
  second.close();
});

Deno.test("what is written while the first message travels stays the chat's draft", async () => {
  const { device, model, close } = await load();
  model.send("first");
  model.draft.value = "next";
  await settle();
  assertEquals(model.draft.value, "next");
  assertEquals(device.storage.get(`tt_draft:${CHAT}`), "next");
  assertEquals(device.storage.get("tt_draft:new"), undefined);
  close();
});

Deno.test("a word of the server's from before a question does not take it off the screen", async () => {
  const { server, page, model, close } = await load();
  model.send("one");
  await settle();
  server.append(RUN, FINISH);
  await settle();
  const old = await server.receive(`/api/chats/${CHAT}`, {});
  const slow = Promise.withResolvers<Response>();
  server.replies.push({ path: /chats\/c_a+$/, reply: slow.promise });
  await page.happens("visible");
  model.send("two");
  await settle();
  slow.resolve(old);
  await settle();
  assertEquals(said(model), [["one", ""], ["two", ""]]);
  assertEquals(model.phase.value, "running");
  close();
});
