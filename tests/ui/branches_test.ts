/** Versions of what was said: gone on with, made anew, put otherwise. */
import { assert, assertEquals } from "@std/assert";
import type { RunEvent } from "../../lib/chat/events.ts";
import type { AnswerModel } from "../../lib/ui/answer_model.ts";
import { LONGEST_MESSAGE } from "../../lib/ui/chat_model.ts";
import { Device, settle } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";
import { CHAT, kept, load, RUN, said } from "./loaded_page.ts";
import { FINISH, runId, text } from "./scripts.ts";

const STOPPED: RunEvent = { type: "abort", reason: "user" };
const HALF = "Half of what there is to say";
const NEXT = runId("b");

/** A page with one question whose answer ended like this. */
async function answered(end: RunEvent, words = HALF) {
  const server = new FakeServer();
  const tab = await load({ server });
  tab.model.send("q");
  await settle();
  server.append(RUN, { type: "start-step" }, ...text("t", words));
  server.append(RUN, end);
  await settle();
  return tab;
}

const shownOf = (answer: AnswerModel) =>
  answer.parts.value.map(({ typed }) => typed?.shown.value ?? 0)
    .reduce((a, b) => a + b, 0);

Deno.test("N5, safety R07: Continue keeps the turn and its parts, and what is shown only grows", async () => {
  const { server, model, close } = await answered(STOPPED);
  const [turn] = model.turns.value;
  const before = turn!.answer.value!;
  model.branches.goOn(turn!);
  assertEquals(model.phase.value, "sending");
  assertEquals(turn!.answer.value, before, "until there is a run");
  await settle();
  assertEquals(server.to(/^\/api\/runs$/)[1]!.body, {
    chat_id: CHAT,
    continues: RUN,
    idempotency_key: "key-2",
  });
  assertEquals(model.turns.value, [turn!]);
  const answer = turn!.answer.value!;
  assertEquals([answer.run, answer.key], [NEXT, before.key]);
  assertEquals(
    answer.parts.value.map(({ key }) => key),
    before.parts.value.map(({ key }) => key),
  );
  assertEquals(model.phase.value, "running");
  assertEquals(said(model), [["q", HALF]]);
  const sizes = [shownOf(answer)];
  const tells = (...events: RunEvent[]) => {
    server.append(NEXT, ...events);
    return settle().then(() => sizes.push(shownOf(answer)));
  };
  const { value: parts } = answer.parts;
  // Told again from its beginning, in pieces, as a slow network would.
  await tells({ type: "start-step" });
  await tells({ type: "text-start", id: "t" });
  await tells({ type: "text-delta", id: "t", off: 0, delta: HALF.slice(0, 9) });
  assertEquals(answer.parts.value, parts);
  await tells({ type: "text-delta", id: "t", off: 9, delta: HALF.slice(9) });
  await tells({
    type: "text-delta",
    id: "t",
    off: 28,
    delta: ", and the rest",
  });
  await tells({ type: "text-end", id: "t", len: 42 }, FINISH);
  assertEquals(said(model), [["q", `${HALF}, and the rest`]]);
  assertEquals(sizes, [...sizes].sort((a, b) => a - b), "never shrinks");
  assertEquals(answer.parts.value, parts, "the same parts all the time");
  assertEquals(model.phase.value, "idle");
  close();
});

Deno.test("Continue pressed twice, or before a reload, goes on once", async () => {
  const { server, device, model, close } = await answered(STOPPED);
  server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  model.branches.goOn(model.turns.value[0]!);
  model.branches.goOn(model.turns.value[0]!);
  await settle();
  assertEquals(said(model), [["q", HALF]], "nothing is taken away");
  close();
  const response = await server.receive(`/api/chats/${CHAT}`, {});
  const chat = await response.json();
  const again = await load({ server, device, chat });
  await settle();
  assertEquals([...server.begun.keys()], ["key-1", "key-2"]);
  assertEquals(said(again.model), [["q", HALF]]);
  assertEquals(again.model.phase.value, "running");
  again.close();
});

Deno.test("a Continue that cannot be sent says so below the answer, and can be left", async () => {
  const { server, page, device, model, close } = await answered(STOPPED);
  for (let i = 0; i < 4; i++) {
    server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  }
  const [turn] = model.turns.value;
  model.branches.goOn(turn!);
  await page.advance(15_000);
  assertEquals(turn!.delivery.value, "unsent");
  assertEquals(said(model), [["q", HALF]]);
  model.takeBack("key-2");
  assertEquals(turn!.delivery.value, "sent");
  assertEquals(turn!.answer.value!.status.value, "stopped");
  assertEquals(kept(device), []);
  assertEquals(model.draft.value, "");
  close();
});

Deno.test("another tab goes on in the very same parts", async () => {
  const { server, device, model, close } = await answered(STOPPED);
  const view = await server.receive(`/api/chats/${CHAT}`, {});
  const two = await load({ server, device, chat: await view.json() });
  const [turn] = two.model.turns.value;
  const keys = turn!.answer.value!.parts.value.map(({ key }) => key);
  model.branches.goOn(model.turns.value[0]!);
  server.append(
    NEXT,
    { type: "start-step" },
    ...text("t", HALF, " more").slice(0, -1),
  );
  await settle();
  assertEquals(two.model.turns.value, [turn!]);
  const answer = turn!.answer.value!;
  assertEquals([answer.run, answer.key], [NEXT, RUN]);
  assertEquals(answer.parts.value.map(({ key }) => key), keys);
  assertEquals(said(two.model), [["q", `${HALF} more`]]);
  assertEquals(two.model.phase.value, "running");
  close();
  two.close();
});

Deno.test("what a continued answer had asked and nobody answered waits for nobody", async () => {
  const tool = { dynamic: true, providerExecuted: true } as const;
  const { server, model, close } = await load();
  model.send("q");
  await settle();
  server.append(
    RUN,
    { type: "start-step" },
    { type: "tool-input-start", toolCallId: "c", toolName: "t", ...tool },
    {
      type: "tool-input-available",
      toolCallId: "c",
      toolName: "t",
      input: {},
      ...tool,
    },
    {
      type: "data-approval",
      data: {
        id: `a_${"a".repeat(26)}`,
        reason: "effect",
        toolCallId: "c",
        hash: "",
        pin: "",
        chatWide: true,
        expiresAt: "2026-11-22T09:00:00.000Z",
      },
      transient: true,
    },
  );
  await settle();
  assertEquals(model.asking.value, 1);
  server.append(
    RUN,
    {
      type: "tool-output-error",
      toolCallId: "c",
      errorText: "aborted",
      ms: 1,
      ...tool,
    },
    STOPPED,
  );
  await settle();
  model.branches.goOn(model.turns.value[0]!);
  await settle();
  assertEquals(model.phase.value, "running");
  assertEquals(model.asking.value, 0);
  close();
});

Deno.test("an answer made anew takes the place of the other, which stays a version", async () => {
  const { server, model, close } = await answered(FINISH);
  const [turn] = model.turns.value;
  model.branches.anew(turn!);
  assertEquals(said(model), [["q", null]]);
  assertEquals(model.turns.value[0]!.key, turn!.key, "the question stays");
  await settle();
  server.append(NEXT, ...text("t", "another"), FINISH);
  await settle();
  assertEquals(said(model), [["q", "another"]]);
  assertEquals(model.turns.value[0]!.versions.value, [RUN, NEXT]);
  close();
});

Deno.test("an answer that cannot be made anew is the old one again", async () => {
  const { server, page, model, close } = await answered(FINISH);
  server.replies.push({
    path: /^\/api\/runs$/,
    reply: Response.json({ code: "no_such_model" }, { status: 409 }),
  });
  model.branches.anew(model.turns.value[0]!);
  await settle();
  assertEquals(said(model), [["q", HALF]]);
  assertEquals(model.notice.value, { kind: "modelGone" });
  for (let i = 0; i < 4; i++) {
    server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  }
  model.branches.anew(model.turns.value[0]!);
  await page.advance(15_000);
  assertEquals(said(model), [["q", null]]);
  // The other tabs, or the server, may make this one look meanwhile.
  await page.happens("visible");
  assertEquals(said(model), [["q", ""]], "tried again, and this time it went");
  close();
});

Deno.test("while an answer made anew is unsent, a look at the server shows the question once", async () => {
  const { server, page, model, close } = await answered(FINISH);
  for (let i = 0; i < 5; i++) {
    server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  }
  model.branches.anew(model.turns.value[0]!);
  await page.advance(15_000);
  await page.happens("visible");
  assertEquals(said(model), [["q", null]]);
  model.takeBack("key-2");
  assertEquals(said(model), [["q", HALF]]);
  close();
});

Deno.test("an edited question begins another branch; its versions can be shown again", async () => {
  const { server, model, close } = await answered(FINISH);
  model.send("follow-up");
  await settle();
  server.append(NEXT, ...text("t", "more"), FINISH);
  await settle();
  const { branches } = model;
  branches.edit(model.turns.value[0]!);
  assertEquals(branches.editing.value!.text.value, "q");
  branches.write("  ");
  assertEquals(branches.ask(LONGEST_MESSAGE), false);
  branches.write("x".repeat(11));
  assertEquals(branches.ask(10), false);
  branches.write("q, put otherwise");
  assert(branches.ask(LONGEST_MESSAGE));
  assertEquals(branches.editing.value, null);
  assertEquals(said(model), [["q, put otherwise", null]]);
  await settle();
  const third = runId("c");
  server.append(third, ...text("t", "otherwise"), FINISH);
  await settle();
  assertEquals(said(model), [["q, put otherwise", "otherwise"]]);
  const [turn] = model.turns.value;
  assertEquals(turn!.versions.value, [RUN, third]);

  const view = await (await server.receive(`/api/chats/${CHAT}`, {})).json();
  view.turns = [{ ...view.turns[0], text: "q" }];
  view.turns[0].answer.run = RUN;
  server.chats.set(CHAT, view);
  await branches.show(RUN);
  assertEquals(server.to(/shown$/)[0]!.body, { run: RUN });
  assertEquals(model.turns.value[0]!.text, "q");
  assertEquals(model.turns.value[0]!.key, turn!.key, "the focus stays");
  close();
});

Deno.test("what is typed into an edit is kept, over a reload and a refusal", async () => {
  const { server, device, model, close } = await answered(FINISH);
  model.branches.edit(model.turns.value[0]!);
  model.branches.write("half an ed");
  close();
  const view = await (await server.receive(`/api/chats/${CHAT}`, {})).json();
  const again = await load({ server, device, chat: view });
  const { branches, turns, notice } = again.model;
  branches.edit(turns.value[0]!);
  assertEquals(branches.editing.value!.text.value, "half an ed");
  server.replies.push({
    path: /^\/api\/runs$/,
    reply: Response.json({ detail: "No." }, { status: 422 }),
  });
  branches.ask(LONGEST_MESSAGE);
  await settle();
  assertEquals(notice.value, { kind: "refusedMessage", detail: "No." });
  assertEquals(branches.editing.value!.text.value, "half an ed");
  assertEquals(said(again.model), [["q", HALF]]);
  branches.leave();
  branches.edit(turns.value[0]!);
  assertEquals(branches.editing.value!.text.value, "q", "left: as it was");
  again.close();
});

Deno.test("nothing is edited, made anew, gone on with or switched while an answer is written", async () => {
  const { server, model, close } = await answered(STOPPED);
  model.send("second");
  await settle();
  const asked = server.heard.length;
  const [turn] = model.turns.value;
  model.branches.edit(turn!);
  model.branches.anew(turn!);
  model.branches.goOn(turn!);
  await model.branches.show(RUN);
  assertEquals(model.branches.editing.value, null);
  assertEquals(server.heard.length, asked);
  close();
});

Deno.test("a version that cannot be shown leaves the screen as it is", async () => {
  const { server, model, close } = await answered(FINISH);
  server.replies.push({ path: /shown$/, reply: "network error" });
  await model.branches.show(NEXT);
  assertEquals(model.notice.value, { kind: "versionNotShown" });
  assertEquals(said(model), [["q", HALF]]);
  close();
});

Deno.test("remove() deletes a chat; the open one gives way to a new one", async () => {
  const { server, device, page, model, close } = await answered(FINISH);
  model.draft.value = "about it";
  server.replies.push({ path: /chats\/c_a+$/, reply: "network error" });
  assertEquals(await model.remove(CHAT), false);
  assertEquals(model.chatId.value, CHAT);
  server.replies.push({
    path: /chats\/c_a+$/,
    reply: new Response(null, { status: 204 }),
  });
  assertEquals(await model.remove(CHAT), true);
  assertEquals(server.to(/chats\/c_a+$/).at(-1)!.method, "DELETE");
  assertEquals(model.chatId.value, null);
  assertEquals(page.address, "/");
  assertEquals(device.storage.get(`tt_draft:${CHAT}`), undefined);
  close();
});

Deno.test("N10: a page that was closed before the edit was confirmed sends it once", async () => {
  const { server, device, model, close } = await answered(FINISH);
  server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  model.branches.edit(model.turns.value[0]!);
  model.branches.write("edited");
  model.branches.ask(LONGEST_MESSAGE);
  close();
  const view = await (await server.receive(`/api/chats/${CHAT}`, {})).json();
  const again = await load({ server, device: device as Device, chat: view });
  await settle();
  assertEquals(said(again.model), [["edited", ""]]);
  assertEquals([...server.begun.keys()], ["key-1", "key-2"]);
  again.close();
});
