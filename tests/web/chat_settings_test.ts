/**
 * What is chosen for a chat, and what goes along with a question: through the
 * real endpoints, seen at the model.
 */
import { assert, assertEquals } from "@std/assert";
import type { Model } from "../../lib/agent/contracts.ts";
import type { ChatView } from "../../lib/chat/views.ts";
import { openStore } from "../../lib/store/mod.ts";
import { startApp } from "../helpers/app.ts";
import { effects, question, say } from "../helpers/approvals.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { ask, JSON_TYPE, started } from "../helpers/run_client.ts";

const PNG =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

function put(url: string, chat: string, body: unknown) {
  return fetch(`${url}/api/chats/${chat}/settings`, {
    method: "PUT",
    headers: JSON_TYPE,
    body: JSON.stringify(body),
  });
}

Deno.test("settings of a new chat go with its first question, and PUT changes them for the next", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const first = await started(app, {
    text: "one",
    settings: { model: "puppet", temperature: 1.5, system: "Speak Latin." },
  });
  const asked = await model.next();
  assertEquals(asked.request.temperature, 1.5);
  const [system] = asked.request.messages;
  assert(system?.role === "system" && system.text.startsWith("Speak Latin.\n"));
  asked.finish();
  await app.over(first.run_id);

  const changed = await put(app.url, first.chat_id, { temperature: 0.2 });
  assertEquals([changed.status, await changed.json()], [200, {
    temperature: 0.2,
  }]);
  const chat: ChatView =
    await (await fetch(`${app.url}/api/chats/${first.chat_id}`)).json();
  assertEquals(chat.settings, { temperature: 0.2 });
  await started(app, { text: "two", chat_id: first.chat_id });
  const second = await model.next();
  assertEquals(second.request.temperature, 0.2);
  const [plain] = second.request.messages;
  assert(plain?.role === "system" && !plain.text.includes("Latin"));
  second.finish();
});

Deno.test("wrong settings are refused in plain words, and so is a model that is not offered", async () => {
  await using app = await startApp({ model: new PuppetModel() });
  const wrong = [
    { temperature: 3 },
    { temperature: "warm" },
    { system: "x".repeat(8_001) },
    { model: "" },
    { owner: "me" },
  ];
  for (const settings of wrong) {
    const response = await ask(app, { text: "a", settings });
    assertEquals(response.status, 400, JSON.stringify(settings).slice(0, 40));
    await response.body?.cancel();
  }
  const gone = await ask(app, { text: "a", settings: { model: "gone" } });
  const { code, detail } = await gone.json();
  assertEquals([gone.status, code], [409, "no_such_model"]);
  assert(detail.includes('"gone"'));
  const foreign = await put(app.url, "c_00000000000000000000000000", {});
  assertEquals(foreign.status, 404);
  await foreign.body?.cancel();
});

Deno.test("a run that waits goes on as it was asked, whatever was chosen for the chat since", async () => {
  const { tools } = effects();
  const model = new PuppetModel();
  await using app = await startApp({ model, tools });
  const { run_id, chat_id } = await started(app, {
    text: "mail",
    settings: { temperature: 1, system: "First." },
  });
  (await model.next()).call("send_mail", { to: "a", text: "b" }, "c1");
  const { id } = await question(app, run_id);
  await (await put(app.url, chat_id, { system: "Second." })).body?.cancel();
  await say(app, run_id, id, "once");
  const next = await model.next();
  assertEquals(next.request.temperature, 1);
  const [system] = next.request.messages;
  assert(system?.role === "system" && system.text.startsWith("First."));
  next.finish();
});

Deno.test("images go to the model with their question, now and in later turns, and are shown from here", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id, chat_id } = await started(app, {
    text: "see",
    images: [PNG],
  });
  const first = await model.next();
  assertEquals(first.request.messages.at(-1), {
    role: "user",
    text: "see",
    images: [PNG],
  });
  first.say("A dot.").finish();
  await app.over(run_id);

  const chat: ChatView = await (await fetch(`${app.url}/api/chats/${chat_id}`))
    .json();
  const [url] = chat.turns[0]!.images!;
  assertEquals(url, `/api/runs/${run_id}/images/image-1`);
  const shown = await fetch(app.url + url);
  assertEquals([shown.status, shown.headers.get("content-type")], [
    200,
    "image/png",
  ]);
  assertEquals(
    "data:image/png;base64," + (await shown.bytes()).toBase64(),
    PNG,
  );
  for (const name of ["image-2", "carry-1-1", "..%2fimage-1"]) {
    const none = await fetch(`${app.url}/api/runs/${run_id}/images/${name}`);
    assert([400, 404].includes(none.status), name);
    await none.body?.cancel();
  }

  await started(app, { text: "and now?", chat_id });
  const second = await model.next();
  assertEquals(second.request.messages[1], {
    role: "user",
    text: "see",
    images: [PNG],
  });
  second.finish();
});

Deno.test("images that are none, too many or elsewhere are refused", async () => {
  await using app = await startApp({ model: new PuppetModel() });
  const wrong = [
    ["https://example.org/a.png"],
    ["data:image/svg+xml;base64,PHN2Zy8+"],
    ["data:text/html;base64,PGI+"],
    ["data:image/png;base64,%%%"],
    Array(5).fill(PNG),
    [5],
  ];
  for (const images of wrong) {
    const response = await ask(app, { text: "a", images });
    assertEquals(response.status, 400, JSON.stringify(images).slice(0, 60));
    await response.body?.cancel();
  }
});

Deno.test("what an adapter carries comes back with its step, also after a pause, and never reaches a reader", async () => {
  const { tools } = effects();
  const model = new PuppetModel();
  const store = openStore({ kind: "memory" });
  await using app = await startApp({ model, tools, store });
  const { run_id } = await started(app, { text: "mail" });
  const carry = { adapter: "x", model: "puppet", items: ["encrypted"] };
  const toolCalls = [{
    id: "c1",
    name: "send_mail",
    arguments: '{"to":"a","text":"b"}',
  }];
  (await model.next()).finish({
    finishReason: "tool-calls",
    toolCalls,
    carry,
  });
  const { id } = await question(app, run_id);
  await say(app, run_id, id, "once");
  const next = await model.next();
  const message = next.request.messages.at(-2);
  assert(message?.role === "assistant");
  assertEquals(message.carry, carry);
  next.finish();
  await app.over(run_id);
  const log = await store.read(run_id, 0, 100);
  assert(log.every(({ json }) => !json.includes("encrypted")));
});

Deno.test("a model that is gone when a waiting run goes on ends it in plain words", async () => {
  const { sent, tools } = effects();
  const model = new PuppetModel();
  await using app = await startApp({ model, tools });
  const { run_id } = await started(app, { text: "mail" });
  (await model.next()).call("send_mail", { to: "a", text: "b" }, "c1");
  const { id } = await question(app, run_id);
  app.services.models.find = (): Promise<Model | null> => Promise.resolve(null);
  await say(app, run_id, id, "once");
  await app.over(run_id);
  const { answer } = await (await fetch(`${app.url}/api/runs/${run_id}`))
    .json();
  assertEquals([answer.status, answer.error.code], [
    "failed",
    "upstream_unavailable",
  ]);
  assertEquals(sent, []);
});

Deno.test("a question to a server that names no model says what to set, and not that a model is gone", async () => {
  await using app = await startApp({
    env: { OPENAI_BASE_URL: "http://127.0.0.1:9/v1", OPENAI_MODEL: "" },
  });
  const { run_id } = await started(app, { text: "hello" });
  await app.over(run_id);
  const { answer } = await (await fetch(`${app.url}/api/runs/${run_id}`))
    .json();
  assertEquals([answer.error.code, answer.model], ["upstream_unavailable", ""]);
  assert(answer.error.text.includes("set OPENAI_MODEL"), answer.error.text);
});
