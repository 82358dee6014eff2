/** The composer's form, as a browser without scripts sends it. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { answered, chatOf } from "../helpers/api_client.ts";
import { type App, startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";

/** Presses Send; where the browser is led. */
async function send(app: App, fields: Record<string, string>) {
  const response = await fetch(`${app.url}/ask`, {
    method: "POST",
    headers: { accept: "text/html" },
    body: new URLSearchParams(fields),
    redirect: "manual",
  });
  const text = await response.text();
  return {
    status: response.status,
    to: response.headers.get("location"),
    text,
  };
}

Deno.test("streaming R11, N10: POST /ask pressed twice, or sent again by a reload, asks once", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const form = { text: "hello", idempotency_key: "k-form" };
  const pressed = await Promise.all([send(app, form), send(app, form)]);
  (await model.next()).say("hi").finish();
  const to = pressed[0]!.to!;
  assertMatch(to, /^\/c\/c_[0-9a-z]{26}$/);
  const chat = to.slice("/c/".length);
  await app.until(async () => (await chatOf(app, chat)).activeRun === null);
  const reloaded = await send(app, form);
  for (const each of [...pressed, reloaded]) {
    assertEquals([each.status, each.to], [303, to]);
  }
  assertEquals((await chatOf(app, chat)).turns.length, 1);
  assertEquals(model.count, 1);
});

Deno.test("N9, streaming R11: a form shown again by going back asks what is written in it now", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const first = await send(app, { text: "one", idempotency_key: "k" });
  const second = await send(app, { text: "two", idempotency_key: "k" });
  assert(first.to !== second.to);
  const asked = [await model.next(), await model.next()];
  assertEquals(
    asked.map(({ request }) => request.messages.at(-1)!.text).toSorted(),
    ["one", "two"],
  );
});

Deno.test("safety R12: POST /ask in a busy chat waits behind the answer, with or without a key", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat } = await answered(app, model, { text: "one" }, "1");
  await send(app, { text: "two", chat_id: chat, idempotency_key: "" });
  const puppet = await model.next();
  const waits = { text: "three", chat_id: chat, idempotency_key: "k" };
  for (const _ of ["once", "again"]) {
    assertEquals((await send(app, waits)).to, `/c/${chat}`);
  }
  const { queue } = await chatOf(app, chat);
  assertEquals(queue.map(({ text }) => text), ["three"]);
  puppet.finish();
  const next = await model.next();
  assertEquals(next.request.messages.at(-1)!.text, "three");
  next.finish();
});

Deno.test("S04: POST /ask refuses what is no question, chat or key, as a page", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const cases: [Record<string, string>, string][] = [
    [{ text: " " }, "text is empty"],
    [{ text: "x", chat_id: "../x" }, "chat_id is no chat id"],
    [{ text: "x", idempotency_key: "a\r\nb" }, "visible ASCII"],
    [{ text: "x", idempotency_key: "x".repeat(201) }, "visible ASCII"],
  ];
  for (const [fields, says] of cases) {
    const { status, text } = await send(app, fields);
    assertEquals(status, 400);
    assertStringIncludes(text, says);
  }
  assertEquals(model.count, 0);
});
