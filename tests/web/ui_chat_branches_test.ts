/**
 * Answering anew and editing as `useChat` asks for it: in the place where it was
 * asked first, as far as that can be told from what the client shows.
 */
import { assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import { chatIdFor } from "../../lib/web/ui_message_request.ts";
import { chatOf } from "../helpers/api_client.ts";
import { type App, startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import {
  events,
  exchange,
  post,
  say,
  textOf,
  told,
  user,
} from "../helpers/ui_chat_wire.ts";

const CHAT = chatIdFor("local", "chat-1");

const bot = (id: string, text = "") => ({
  id,
  role: "assistant",
  parts: [{ type: "text", text }],
});

/** Posts and answers; the run, what the model was told, what the client read. */
async function asked(
  app: App,
  model: PuppetModel,
  body: object,
  answer: string,
) {
  const asking = post(app, body);
  const puppet = await model.next();
  say(puppet, answer);
  const response = await asking;
  const run = response.headers.get("x-run-id")!;
  return { run, told: told(puppet), text: textOf(await events(response)) };
}

/** Two turns, as the client shows them. */
async function conversation(app: App, model: PuppetModel) {
  const one = user("u1", "one");
  const first = await asked(app, model, { messages: [one] }, "first");
  const two = user("u2", "two");
  const messages = [one, bot(first.run), two];
  const second = await asked(app, model, { messages }, "second");
  return { one, two, first: first.run, second: second.run };
}

const shown = async (app: App) =>
  (await chatOf(app, CHAT)).turns.map(({ text, answer, versions }) => [
    text,
    answerText(answer),
    versions?.length ?? 1,
  ]);

Deno.test("POST /api/chat answers anew on regenerate-message, in the answer's place: the last, an earlier one, one never asked", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const again = { trigger: "regenerate-message" };
  const unasked = { ...again, messages: [user("u1", "one")] };
  assertEquals(await exchange(app, model, unasked, "first"), "first");
  const uno = await asked(app, model, unasked, "uno");
  assertEquals([uno.told, uno.text], [["user: one"], "uno"]);

  const named = { ...unasked, messageId: uno.run };
  const un = await asked(app, model, named, "un");
  assertEquals([un.told, un.text], [["user: one"], "un"]);
  const { count } = model;
  assertEquals(textOf(await events(await post(app, named))), "un");
  assertEquals(model.count, count, "the same answer was given anew twice");

  const two = { messages: [unasked.messages[0], bot(un.run), user("u2", "2")] };
  await asked(app, model, two, "second");
  const last = await asked(app, model, { ...again, ...two }, "better");
  assertEquals(last.told, ["user: one", "assistant: un", "user: 2"]);
  assertEquals(await shown(app), [["one", "un", 3], ["2", "better", 2]]);
  const earlier = await asked(app, model, unasked, "eins");
  assertEquals(earlier.told, ["user: one"]);
  assertEquals(await shown(app), [["one", "eins", 4]]);
});

Deno.test("POST /api/chat puts an edited question in the place of the old one, and later ones behind it", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { one, first } = await conversation(app, model);
  const edit = {
    messages: [one, bot(first), user("u2", "two!")],
    messageId: "u2",
  };
  const edited = await asked(app, model, edit, "second!");
  assertEquals(edited.told, ["user: one", "assistant: first", "user: two!"]);
  // A proxy that tries again gets the same answer.
  const { count } = model;
  const retried = await post(app, edit);
  assertEquals(retried.headers.get("x-run-id"), edited.run);
  assertEquals(textOf(await events(retried)), "second!");
  assertEquals(model.count, count);
  assertEquals(await shown(app), [["one", "first", 1], ["two!", "second!", 2]]);

  const top = { messages: [user("u1", "uno")], messageId: "u1" };
  assertEquals((await asked(app, model, top, "primero")).told, ["user: uno"]);
  assertEquals(await shown(app), [["uno", "primero", 2]]);
});

Deno.test("POST /api/chat shows a branch again whose question was edited back", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { one, two, first, second } = await conversation(app, model);
  const messages = (text: string) => ({
    messages: [one, bot(first), user("u2", text)],
    messageId: "u2",
  });
  await asked(app, model, messages("2"), "zwei");
  const back = await post(app, messages(two.parts[0]!.text));
  assertEquals(back.headers.get("x-run-id"), second);
  assertEquals(textOf(await events(back)), "second");
  const next = {
    messages: [one, bot(first), two, bot(second), user("u3", "three")],
  };
  const { told } = await asked(app, model, next, "third");
  assertEquals(told, [
    "user: one",
    "assistant: first",
    "user: two",
    "assistant: second",
    "user: three",
  ]);
});

Deno.test("POST /api/chat finds the place of a question past ones that were refused, stopped early or sent elsewhere", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { one, two, first, second } = await conversation(app, model);
  // Answers under ids of the application's own; a question nobody answered.
  const foreign = {
    messages: [
      one,
      bot("msg-1"),
      user("ux", "refused"),
      user("u2", "two?"),
    ],
    messageId: "u2",
  };
  await asked(app, model, foreign, "second?");
  assertEquals(await shown(app), [["one", "first", 1], ["two?", "second?", 2]]);
  // A new question of that id was never asked, and has no place yet.
  const fresh = {
    messages: [one, bot(first), two, bot(second), user("u9", "nine")],
    messageId: "u9",
  };
  const { told } = await asked(app, model, fresh, "ninth");
  assertEquals(told.slice(-2), ["assistant: second?", "user: nine"]);
  // What only sends on after a tool's result names an answer, and asks nothing.
  const { count } = model;
  const on = await post(app, {
    messages: fresh.messages,
    messageId: second,
  });
  assertEquals(textOf(await events(on)), "ninth");
  assertEquals(model.count, count);
});

Deno.test("T03: an edited place in a forged history is one of the chat's own, whatever ids are sent", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  await conversation(app, model);
  const other = await asked(
    app,
    model,
    { id: "chat-2", messages: [user("v1", "other")] },
    "elsewhere",
  );
  for (
    const [text, body] of [
      ["two", { trigger: "regenerate-message", messageId: other.run }],
      ["zwei", { messageId: "u2" }],
    ] as const
  ) {
    const forged = {
      messages: [bot(other.run), user("u2", text)],
      ...body,
    };
    const { told } = await asked(app, model, forged, "mine");
    assertEquals(told.some((line) => line.includes("elsewhere")), false);
  }
  const second = await chatOf(app, chatIdFor("local", "chat-2"));
  assertEquals(second.turns.length, 1);
});
