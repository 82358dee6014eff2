/**
 * Nothing with an effect happens that no person allowed: through the real
 * endpoints, with a model that calls whatever the test wants.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openStore } from "../../lib/store/mod.ts";
import { startApp } from "../helpers/app.ts";
import {
  calls,
  effects,
  MAIL,
  question,
  questions,
  say,
  view,
  waiting,
} from "../helpers/approvals.ts";
import { allFrames, foldFrames } from "../helpers/frames.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { ask, events, JSON_TYPE, started } from "../helpers/run_client.ts";

Deno.test("T01: a call with an effect waits, and is run once a person allows it", async () => {
  const { app, model, sent, run, asked } = await waiting();
  await using _ = app;
  const listed = async () => {
    const { chats } = await (await fetch(`${app.url}/api/chats`)).json();
    return [chats[0].activeRun, chats[0].waiting];
  };
  assertEquals(await listed(), [run, true]);
  assertEquals([asked.reason, asked.chatWide, asked.toolCallId], [
    "effect",
    true,
    "c1",
  ]);
  assertEquals(sent, []);
  const reading = events(app, run).then(allFrames);
  assertEquals(await say(app, run, asked.id, "once"), [202]);
  const next = await model.next();
  assertEquals(await listed(), [run, undefined]);
  assertEquals(sent, [MAIL]);
  assertEquals(next.request.messages.slice(-2), [
    {
      role: "assistant",
      text: "I will. ",
      toolCalls: [{
        id: "c1",
        name: "send_mail",
        arguments: JSON.stringify(MAIL),
      }],
    },
    { role: "tool", toolCallId: "c1", text: "sent" },
  ]);
  next.say("Sent.").finish();
  const answer = foldFrames(run, await reading);
  assertEquals(answer.status, "complete");
  assertEquals(calls(answer), [["send_mail", "done", "sent"]]);
  const part = answer.parts.find((part) => part.kind === "tool");
  assert(part?.kind === "tool" && part.approval?.decision === "once");
});

Deno.test("T01: what is denied is not run, and the model is told so", async () => {
  const { app, model, sent, run, asked } = await waiting();
  await using _ = app;
  await say(app, run, asked.id, "denied");
  const next = await model.next();
  const last = next.request.messages.at(-1);
  assert(last?.role === "tool");
  assertEquals(last.text, "Not run: the person did not allow this.");
  next.say("As you wish.").finish();
  await app.over(run);
  assertEquals(sent, []);
});

Deno.test("T01: calls that need nobody are run while another one waits, and answers keep their order", async () => {
  const { sent, tools } = effects();
  const model = new PuppetModel();
  await using app = await startApp({ model, tools });
  const { run_id: run } = await started(app, { text: "both" });
  const toolCalls = [
    { id: "m1", name: "send_mail", arguments: JSON.stringify(MAIL) },
    { id: "e1", name: "echo", arguments: '{"say":"hi"}' },
    { id: "m2", name: "send_mail", arguments: JSON.stringify(MAIL) },
  ];
  (await model.next()).finish({ finishReason: "tool-calls", toolCalls });
  const [first, second] = await questions(app, run);
  assertEquals(calls((await view(app, run)).answer), [
    ["send_mail", "waiting", undefined],
    ["echo", "done", "hi"],
    ["send_mail", "waiting", undefined],
  ]);
  await say(app, run, second!.id, "once");
  await app.until(() => sent.length === 1);
  assertEquals((await questions(app, run)).map(({ id }) => id), [first!.id]);
  await say(app, run, first!.id, "denied");
  const { request } = await model.next();
  assertEquals(
    request.messages.slice(-3).map((m) => m.role === "tool" && m.text),
    ["Not run: the person did not allow this.", "hi", "sent"],
  );
});

Deno.test("T01: always in this chat holds for this tool and this chat, not for others", async () => {
  const { app, model, sent, run, chat, asked } = await waiting();
  await using _ = app;
  await say(app, run, asked.id, "chat");
  (await model.next()).call("send_mail", { ...MAIL, text: "two" }, "c2");
  (await model.next()).finish();
  await app.over(run);
  assertEquals(sent.length, 2, "the second call of the run asked nobody");

  const later = await started(app, { text: "again", chat_id: chat });
  (await model.next()).call("send_mail", { ...MAIL, text: "three" }, "c3");
  (await model.next()).finish();
  await app.over(later.run_id);
  assertEquals(sent.length, 3, "nor did the next question of the chat");

  const other = await started(app, { text: "elsewhere" });
  (await model.next()).call("send_mail", MAIL, "c4");
  await question(app, other.run_id);
  assertEquals(sent.length, 3, "another chat asks");
});

Deno.test("T02: what is run is what was allowed, to the byte", async () => {
  const store = openStore({ kind: "memory" });
  const { app, model, sent, run, asked } = await waiting({ store });
  await using _ = app;
  // Somebody gets at the log between the question and the answer.
  const read = store.read.bind(store);
  store.read = async (...args) =>
    (await read(...args)).map((entry) => ({
      ...entry,
      json: entry.json.includes("tool-input-available")
        ? entry.json.replace("a@example.org", "b@example.org")
        : entry.json,
    }));
  await say(app, run, asked.id, "once");
  const next = await model.next();
  const last = next.request.messages.at(-1);
  assert(last?.role === "tool");
  assertEquals(last.text, "Not run: this is not what the person allowed.");
  assertEquals(sent, []);
  next.finish();
  await app.over(run);
});

Deno.test("T04: the same answer sent 50 times at once is taken once and run once", async () => {
  const { app, model, sent, run, asked } = await waiting();
  await using _ = app;
  const said = await Promise.all(
    Array.from({ length: 50 }, () => say(app, run, asked.id, "once")),
  );
  const statuses = said.map(([status]) => status).sort();
  assertEquals(statuses, [202, ...Array(49).fill(409)]);
  (await model.next()).finish();
  await app.over(run);
  assertEquals(sent.length, 1);
});

Deno.test("T05: another person's answer is 404, and nothing is run", async () => {
  const { sent, tools } = effects();
  const model = new PuppetModel();
  await using app = await startApp({ model, tools, access: "public" });
  const asked = await ask(app, { text: "mail" });
  const cookie = asked.headers.get("set-cookie")!.split(";")[0]!;
  const { run_id: run } = await asked.json();
  (await model.next()).call("send_mail", MAIL, "c1");
  await app.until(async () =>
    (await app.services.store.run(run))?.leaseOwner === null
  );
  const mine = await fetch(`${app.url}/api/runs/${run}`, {
    headers: { cookie },
  });
  const { answer } = await mine.json();
  const { id } = answer.parts.find((p: { kind: string }) => p.kind === "tool")
    .approval;
  const unknown = "a_00000000000000000000000000";
  assertEquals(await say(app, run, id, "once"), [
    404,
    "no_such_question",
  ]);
  assertEquals(await say(app, run, unknown, "once", { cookie }), [
    404,
    "no_such_question",
  ]);
  assertEquals(sent, []);
  assertEquals(await say(app, run, id, "once", { cookie }), [202]);
  (await model.next()).finish();
  await app.over(run);
  assertEquals(sent.length, 1);
});

Deno.test("T05: an answer after Stop is 409, and Stop ends a waiting run at once", async () => {
  const { app, sent, run, asked } = await waiting();
  await using _ = app;
  const stopped = await fetch(`${app.url}/api/runs/${run}/stop`, {
    method: "POST",
    headers: JSON_TYPE,
  });
  assertEquals(stopped.status, 202);
  await stopped.body?.cancel();
  await app.over(run);
  assertEquals(await say(app, run, asked.id, "once"), [
    409,
    "run_over",
  ]);
  const { answer } = await view(app, run);
  assertEquals([answer.status, calls(answer)], ["stopped", [
    ["send_mail", "failed", "aborted"],
  ]]);
  assertEquals(sent, []);
});

Deno.test("T05: an answer that comes too late is 409, and counts as a no", async () => {
  let now = new Date("2026-03-02T08:00:00Z");
  const { app, model, sent, run, asked } = await waiting({
    now: () => now,
    limits: { approvalMs: 60_000 },
  });
  await using _ = app;
  assertEquals(asked.expiresAt, "2026-03-02T08:01:00.000Z");
  now = new Date(asked.expiresAt);
  assertEquals(await say(app, run, asked.id, "once"), [
    409,
    "expired",
  ]);
  // The store's own clock says when a sweep finds it; here somebody calls it.
  await app.services.store.answer(run, "none", "{}");
  await app.services.runs.sweep();
  const next = await model.next();
  const last = next.request.messages.at(-1);
  assert(last?.role === "tool");
  assertEquals(last.text, "Not run: nobody allowed this in time.");
  assertEquals(sent, []);
  next.finish();
  await app.over(run);
});

Deno.test("T05: an answer for a finished run, a second answer, and one for the whole chat where that is not offered", async () => {
  const { app, model, run, asked } = await waiting();
  await using _ = app;
  await say(app, run, asked.id, "once");
  const puppet = await model.next();
  assertEquals(await say(app, run, asked.id, "denied"), [
    409,
    "already_answered",
  ]);
  puppet.finish();
  await app.over(run);
  assertEquals(await say(app, run, asked.id, "once"), [
    409,
    "already_answered",
  ]);
});

Deno.test("a question survives a restart, and is answered by whoever comes after", async () => {
  const path = await Deno.makeTempDir();
  const file = { kind: "sqlite", path: `${path}/t.db` } as const;
  try {
    const before = await waiting({ store: openStore(file) });
    await before.app[Symbol.asyncDispose]();
    assertEquals(before.sent, []);

    const { sent, tools } = effects();
    const model = new PuppetModel();
    await using app = await startApp({ model, tools, store: openStore(file) });
    const { run, asked, chat } = before;
    const again = await ask(app, { text: "meanwhile", chat_id: chat });
    assertEquals(again.status, 409, "the chat waits");
    await again.body?.cancel();
    const reading = events(app, run).then(allFrames);
    assertEquals(await say(app, run, asked.id, "once"), [202]);
    const next = await model.next();
    assertEquals(sent, [MAIL]);
    next.say("Sent.").finish({
      usage: { input: 5, output: 5, total: 10 },
    });
    const answer = foldFrames(run, await reading);
    assertEquals(answer.status, "complete");
    assertEquals(
      answer.usage?.estimated,
      true,
      "the first step was not counted",
    );
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});

Deno.test("T06: a tool that is gone or has changed since it was allowed is not run, and the model is told where to look", async () => {
  const { sent, tools } = effects();
  const model = new PuppetModel();
  await using app = await startApp({ model, tools });
  const { run_id: run } = await started(app, { text: "mail" });
  (await model.next()).call("send_mail", MAIL, "c1");
  const { id } = await question(app, run);
  tools.splice(0, tools.length);
  await say(app, run, id, "once");
  const next = await model.next();
  const last = next.request.messages.at(-1);
  assert(last?.role === "tool");
  assertMatch(last.text, /^Not run: this tool is not offered any more/);
  assertEquals(sent, []);
  next.finish();
});
