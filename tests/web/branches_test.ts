/**
 * Answering anew, editing, going on and choosing what is shown: over a real
 * socket, seen at the model and by whoever opens the chat next.
 */
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import type { ChatView } from "../../lib/chat/views.ts";
import { answered, call, chatOf } from "../helpers/api_client.ts";
import { type App, startApp } from "../helpers/app.ts";
import { allFrames, foldFrames } from "../helpers/frames.ts";
import { type Puppet, PuppetModel } from "../helpers/puppet_model.ts";
import { ask, events, started } from "../helpers/run_client.ts";

const NOBODYS_RUN = "r_00000000000000000000000000";

const shown = ({ turns }: ChatView) =>
  turns.map(({ text, answer }) => [text, answerText(answer)]);

/** What the model was told, without the system prompt. */
const told = (puppet: Puppet) =>
  puppet.request.messages.slice(1).map(({ role, text }) => [role, text]);

/** A chat of two turns. */
async function conversation(app: App, model: PuppetModel) {
  const one = await answered(app, model, { text: "one" }, "first");
  const body = { text: "two", chat_id: one.chat };
  const two = await answered(app, model, body, "second");
  return { chat: one.chat, one: one.run, two: two.run };
}

async function stop(app: App, run: string) {
  await call(app, "POST", `/api/runs/${run}/stop`);
  await app.over(run);
}

Deno.test("POST /api/runs with replaces answers anew in the same place, and the next question goes behind it", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat, two } = await conversation(app, model);
  const again = await started(app, { chat_id: chat, replaces: two });
  const puppet = await model.next();
  assertEquals(told(puppet), [
    ["user", "one"],
    ["assistant", "first"],
    ["user", "two"],
  ]);
  puppet.say("better").finish();
  await app.over(again.run_id);
  const view = await chatOf(app, chat);
  assertEquals(shown(view), [["one", "first"], ["two", "better"]]);
  assertEquals(view.turns.map(({ versions }) => versions), [
    undefined,
    [two, again.run_id],
  ]);
  await started(app, { text: "three", chat_id: chat });
  const third = await model.next();
  assertEquals(told(third).map(([, text]) => text), [
    "one",
    "first",
    "two",
    "better",
    "three",
  ]);
  third.finish();
});

Deno.test("POST /api/runs with replaces and text edits an earlier question; nothing of the other branch is lost or told", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat, one, two } = await conversation(app, model);
  const edited = await answered(
    app,
    model,
    { chat_id: chat, replaces: one, text: "uno" },
    "primero",
  );
  const view = await chatOf(app, chat);
  assertEquals(shown(view), [["uno", "primero"]]);
  assertEquals(view.turns[0]!.versions, [one, edited.run]);

  const back = await call(app, "PUT", `/api/chats/${chat}/shown`, { run: one });
  assertEquals(back.status, 200);
  assertEquals(shown(back.body), [["one", "first"], ["two", "second"]]);
  assertEquals(await chatOf(app, chat), back.body, "chosen for good");
  await started(app, { text: "three", chat_id: chat });
  const puppet = await model.next();
  assertEquals(told(puppet).map(([, text]) => text), [
    "one",
    "first",
    "two",
    "second",
    "three",
  ]);
  puppet.finish();
  assertEquals((await call(app, "GET", `/api/runs/${two}`)).status, 200);
});

Deno.test("safety R07, N5: POST /api/runs with continues goes on in the very text that was shown, for every reader, and takes its place", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id: broken, chat_id: chat } = await started(app, { text: "hi" });
  (await model.next()).say("The bus lea");
  await app.shows(broken, "The bus lea");
  await stop(app, broken);

  const body = { chat_id: chat, continues: broken };
  const { run_id } = await started(app, body);
  const puppet = await model.next();
  const reading = allFrames(await events(app, run_id));
  puppet.say("ves at nine.").finish();
  const early = foldFrames(run_id, await reading);
  assertEquals(answerText(early), "The bus leaves at nine.");
  const late = await allFrames(await events(app, run_id));
  assertEquals(foldFrames(run_id, late), early);
  const start = JSON.parse(late[0]!.data);
  assertEquals(start.messageMetadata.continues, broken);
  const view = await chatOf(app, chat);
  assertEquals(shown(view), [["hi", "The bus leaves at nine."]]);
  assertEquals(view.turns[0]!.versions, undefined);

  const whole = await call(app, "POST", "/api/runs", {
    chat_id: chat,
    continues: run_id,
  });
  assertEquals([whole.status, whole.body.code], [409, "not_broken_off"]);
});

Deno.test("streaming R11, N10: replacing, editing and going on with a key happens once, fifty times in parallel", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat, one } = await conversation(app, model);
  const { run_id: broken } = await started(app, { text: "x", chat_id: chat });
  (await model.next()).say("half");
  await app.shows(broken, "half");
  await stop(app, broken);
  const bodies = [
    { continues: broken, idempotency_key: "k-continue" },
    { replaces: one, idempotency_key: "k-again" },
    { replaces: one, text: "uno", idempotency_key: "k-edit" },
  ];
  for (const body of bodies) {
    const before = model.count;
    const all = await Promise.all(
      Array.from(
        { length: 50 },
        () => started(app, { chat_id: chat, ...body }),
      ),
    );
    assertEquals(new Set(all.map(({ run_id }) => run_id)).size, 1);
    (await model.next()).finish();
    await app.over(all[0]!.run_id);
    assertEquals(model.count, before + 1, body.idempotency_key);
  }
});

Deno.test("safety R12: replacing while an answer is written is 409 with that run, with queue too, and nothing was begun", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat, one, two } = await conversation(app, model);
  const { run_id } = await started(app, { text: "three", chat_id: chat });
  const puppet = await model.next();
  const bodies = [
    { replaces: two },
    { replaces: one, text: "uno", queue: true },
    { replaces: two, queue: true },
  ];
  for (const body of bodies) {
    const busy = await call(app, "POST", "/api/runs", {
      chat_id: chat,
      ...body,
    });
    assertEquals(
      [busy.status, busy.body.code, busy.body.run_id],
      [409, "run_active", run_id],
    );
  }
  assertEquals((await chatOf(app, chat)).queue, []);
  puppet.say("third").finish();
  await app.over(run_id);
  assertEquals(shown(await chatOf(app, chat)).length, 3);
});

Deno.test("S04: what replaces or goes on with nothing, or with two things, is refused in plain words", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat, one } = await conversation(app, model);
  const other = await answered(app, model, { text: "other" }, "chat");
  const cases: [body: object, status: number, code: string, field?: string][] =
    [
      [{ chat_id: chat }, 400, "missing_field", "text"],
      [{ replaces: one }, 400, "missing_field", "chat_id"],
      [{ continues: one }, 400, "missing_field", "chat_id"],
      [
        { chat_id: chat, replaces: one, continues: one },
        400,
        "invalid_field",
        "continues",
      ],
      [
        { chat_id: chat, replaces: "r_\r\n" },
        400,
        "invalid_field",
        "replaces",
      ],
      [
        { chat_id: chat, replaces: one, text: " " },
        400,
        "invalid_field",
        "text",
      ],
      [
        { chat_id: chat, text: "x", queue: "yes" },
        400,
        "invalid_field",
        "queue",
      ],
      [{ chat_id: chat, replaces: NOBODYS_RUN }, 404, "no_such_turn"],
      [{ chat_id: chat, replaces: other.run }, 404, "no_such_turn"],
      [{ chat_id: chat, continues: other.run }, 404, "no_such_turn"],
      [{ chat_id: chat, continues: one }, 409, "not_broken_off"],
    ];
  for (const [body, status, code, field] of cases) {
    const { status: got, body: problem } = await call(
      app,
      "POST",
      "/api/runs",
      body,
    );
    const name = JSON.stringify(body);
    assertEquals([got, problem.code, problem.field], [status, code, field]);
    assert(problem.detail.length > 10, name);
  }
  const runs = await Promise.all([
    call(app, "PUT", `/api/chats/${chat}/shown`, { run: other.run }),
    call(app, "PUT", `/api/chats/${chat}/shown`, { run: NOBODYS_RUN }),
    call(app, "PUT", `/api/chats/nonsense/shown`, { run: one }),
  ]);
  for (const { status, body } of runs) {
    assertEquals([status, body.code], [404, "no_such_turn"]);
  }
  const none = await ask(app, { text: "x", chat_id: null, replaces: null });
  assertEquals(none.status, 202, "null is as good as nothing");
  await none.body?.cancel();
  (await model.next()).finish();
});
