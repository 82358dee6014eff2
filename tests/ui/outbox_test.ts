/** The outbox: what was sent and is not confirmed, in all tabs and after all falls. */
import { assert, assertEquals } from "@std/assert";
import { createOutbox } from "../../lib/ui/outbox.ts";
import { Device, FakePage, settle } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";
import { CHAT, kept, load, RUN, said, turn, view } from "./loaded_page.ts";
import { chatId, FINISH, runId, startOf } from "./scripts.ts";

const unreachable = (server: FakeServer, times: number) => {
  for (let i = 0; i < times; i++) {
    server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  }
};

const message = (key: string, more: object = {}) => ({
  key,
  chat: CHAT,
  text: key,
  ...more,
});

Deno.test("two tabs that keep messages at once keep both", () => {
  const device = new Device();
  const tab = () => createOutbox(new FakePage(new FakeServer(), device));
  const [one, two] = [tab(), tab()];
  one.keep(message("a"));
  two.keep(message("b"));
  one.keep(message("c"));
  one.forget("a");
  assertEquals(two.all().map(({ key }) => key), ["b", "c"]);
  assertEquals(one.all(), two.all());
});

Deno.test("the list of an older page is moved over, once", () => {
  const device = new Device();
  device.storage.set(
    "tt_outbox",
    JSON.stringify([
      { key: "a", chat: CHAT, text: "first" },
      { key: "b", chat: null, text: "second", settings: { model: "m" } },
      { key: 7, text: "not ours" },
      null,
    ]),
  );
  assertEquals(kept(device), ["first", "second"]);
  assert(!device.storage.has("tt_outbox"));
  assertEquals(kept(device), ["first", "second"]);
  const outbox = createOutbox(new FakePage(new FakeServer(), device));
  assertEquals(outbox.find("b")!.settings, { model: "m" });
});

Deno.test("a broken entry of the storage is let pass", () => {
  const device = new Device();
  device.storage.set("tt_outbox:a", "{");
  device.storage.set("tt_outbox:b", '{"key":"b","text":1}');
  device.storage.set("tt_outbox:c", "null");
  assertEquals(kept(device), []);
});

Deno.test("a full or forbidden storage: everything works, and nobody is told it lasts", async () => {
  const device = new Device();
  device.full = true;
  const { server, page, model, close } = await load({ device });
  unreachable(server, 4);
  model.send("words");
  await page.advance(15_000);
  assertEquals(model.turns.value[0]!.delivery.value, "unsent");
  assertEquals(model.lasts("key-1"), false);
  model.resend("key-1");
  await settle();
  assertEquals(said(model), [["words", ""]]);
  assertEquals(model.turns.value[0]!.delivery.value, "sent");
  model.send("second");
  await settle();
  assertEquals(model.queue.items.value.length, 1);
  close();
});

Deno.test("streaming R11: two tabs with the same outbox make one run, and each shows the question once", async () => {
  const server = new FakeServer();
  const device = new Device();
  createOutbox(new FakePage(server, device)).keep(message("k"));
  const chat = view(CHAT, turn("old", runId("z"), startOf(runId("z")), FINISH));
  server.kept.begin(CHAT, runId("z"), { text: "old" });
  server.append(runId("z"), startOf(runId("z")), FINISH);
  const [one, two] = await Promise.all([
    load({ server, device, chat }),
    load({ server, device, chat }),
  ]);
  await settle();
  assertEquals([...server.begun.keys()], ["k"]);
  for (const { model, close } of [one, two]) {
    assertEquals(said(model), [["old", ""], ["k", ""]]);
    assertEquals(model.turns.value[1]!.delivery.value, "sent");
    close();
  }
  assertEquals(kept(device), []);
});

Deno.test("a message another tab has sent, or taken back, disappears here", async () => {
  const server = new FakeServer();
  const device = new Device();
  const chat = view(CHAT, turn("old", RUN, startOf(RUN), FINISH));
  server.chats.set(CHAT, chat);
  unreachable(server, 8);
  createOutbox(new FakePage(server, device)).keep(message("k"));
  const one = await load({ server, device, chat });
  const two = await load({ server, device, chat });
  for (const { page } of [one, two]) await page.advance(15_000);
  assertEquals(two.model.turns.value[1]!.delivery.value, "unsent");
  one.model.takeBack("k");
  await settle();
  assertEquals(one.model.draft.value, "k");
  assertEquals(said(two.model).length, 1);
  assertEquals(two.model.draft.value, "");
  await two.page.happens("online");
  assertEquals([...server.begun.keys()], []);
  one.close();
  two.close();
});

Deno.test("410: a message that was queued and taken back elsewhere is forgotten, not asked", async () => {
  const server = new FakeServer();
  const device = new Device();
  server.kept.withdrawn.add("k");
  createOutbox(new FakePage(server, device)).keep(message("k"));
  const chat = view(CHAT, turn("old", RUN, startOf(RUN), FINISH));
  const { model, close } = await load({ server, device, chat });
  await settle();
  assertEquals(said(model).length, 1);
  assertEquals(model.notice.value, null);
  assertEquals(model.draft.value, "");
  assertEquals(kept(device), []);
  close();
});

for (
  const [status, trouble] of [[503, "server"], [507, "full"], [
    429,
    "tooMany",
  ]] as const
) {
  Deno.test(`safety R23, N9: after ${status} the words stay, say why, and are tried again without anybody's doing`, async () => {
    const { server, page, device, model, close } = await load();
    for (let i = 0; i < 4; i++) {
      server.replies.push({
        path: /^\/api\/runs$/,
        reply: new Response("{}", { status }),
      });
    }
    model.send("words");
    await page.advance(15_000);
    assertEquals(model.turns.value[0]!.delivery.value, "unsent");
    assertEquals(model.turns.value[0]!.trouble.value, trouble);
    assertEquals(kept(device), ["words"]);
    await page.advance(30_000);
    assertEquals(model.turns.value[0]!.delivery.value, "sent");
    assertEquals([...server.begun.keys()], ["key-1"]);
    close();
  });
}

Deno.test("what was written for another chat, or a new one, is sent wherever the page opens", async () => {
  const server = new FakeServer();
  const device = new Device();
  const outbox = createOutbox(new FakePage(server, device));
  outbox.keep(message("there", { chat: chatId("q") }));
  outbox.keep(message("new", { chat: null }));
  const chat = view(CHAT, turn("old", RUN, startOf(RUN), FINISH));
  const { model, page, close } = await load({ server, device, chat });
  await settle();
  assertEquals([...server.begun.keys()], ["there", "new"]);
  assertEquals(said(model), [["old", ""]]);
  assertEquals(page.pushed, []);
  assertEquals(kept(device), []);
  close();
});

Deno.test("several messages of a new chat come into one chat, in their order", async () => {
  const { server, page, device, model, close } = await load();
  unreachable(server, 4);
  model.send("a");
  model.send("b");
  model.send("c");
  assertEquals(said(model), [["a", null]]);
  assertEquals(model.queue.items.value.map(({ text }) => text), ["b", "c"]);
  await page.advance(15_000);
  assertEquals(kept(device), ["a", "b", "c"]);
  await page.happens("online");
  assertEquals(said(model), [["a", ""]]);
  assertEquals(server.kept.queue(CHAT).map(({ text }) => text), ["b", "c"]);
  assertEquals([...server.begun.keys()], ["key-1"]);
  assertEquals(page.pushed, [`/c/${CHAT}`]);
  assertEquals(kept(device), []);
  close();
});

Deno.test("when the message that begins a chat is taken back, the next one begins it", async () => {
  const { server, page, model, close } = await load();
  unreachable(server, 4);
  model.send("a");
  model.send("b");
  model.send("c");
  await page.advance(15_000);
  model.takeBack("key-1");
  await settle();
  assertEquals(model.draft.value, "a");
  assertEquals(said(model), [["b", ""]]);
  assertEquals(server.kept.queue(CHAT).map(({ text }) => text), ["c"]);
  close();
});

Deno.test("a message behind one that another tab has sent and not told of is not lost", async () => {
  const server = new FakeServer();
  const device = new Device();
  createOutbox(new FakePage(server, device)).keep(
    message("b", { chat: null, behind: "gone" }),
  );
  const { model, close } = await load({ server, device });
  await settle();
  assertEquals(said(model), [["b", ""]]);
  close();
});
