/** The stream of `/api/chat`, frame by frame, and following it again. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startApp, TEST_TOOLS } from "../helpers/app.ts";
import { frames } from "../helpers/frames.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { JSON_TYPE, started } from "../helpers/run_client.ts";
import {
  events,
  MAIL,
  post,
  resume,
  say,
  textOf,
  user,
} from "../helpers/ui_chat_wire.ts";

/** Every field a frame may have, by the schema of `ai` 5.0.100. */
const PUBLISHED: Record<string, string[]> = {
  "start": ["messageId", "messageMetadata"],
  "start-step": [],
  "finish-step": [],
  "text-start": ["id"],
  "text-delta": ["id", "delta"],
  "text-end": ["id"],
  "reasoning-start": ["id"],
  "reasoning-delta": ["id", "delta"],
  "reasoning-end": ["id"],
  "tool-input-start": ["toolCallId", "toolName", "providerExecuted", "dynamic"],
  "tool-input-delta": ["toolCallId", "inputTextDelta"],
  "tool-input-available": [
    "toolCallId",
    "toolName",
    "input",
    "providerExecuted",
    "dynamic",
  ],
  "tool-input-error": [
    "toolCallId",
    "toolName",
    "input",
    "errorText",
    "providerExecuted",
    "dynamic",
  ],
  "tool-output-available": [
    "toolCallId",
    "output",
    "providerExecuted",
    "dynamic",
  ],
  "tool-output-error": [
    "toolCallId",
    "errorText",
    "providerExecuted",
    "dynamic",
  ],
  "finish": ["finishReason", "messageMetadata"],
  "abort": [],
  "error": ["errorText"],
};
const DATA = ["data", "transient"];

Deno.test("streaming R12: POST /api/chat writes no field outside the published schema, transient data, ids and [DONE]", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model, tools: [...TEST_TOOLS, MAIL] });
  const asking = post(app, { messages: [user("u1", "hello")] });
  const first = await model.next();
  first.emit({ type: "reasoning", delta: "hm" });
  first.emit({ type: "retry", attempt: 1, afterMs: 10, rateLimited: true });
  first.say("Let me see. ");
  first.call("echo", { say: "hi" }, "c1");
  (await model.next()).call("echo", { wrong: 1 }, "c2");
  (await model.next()).call("none", {}, "c3");
  (await model.next()).call("send_mail", {}, "c4");
  const response = await asking;
  assertEquals(response.headers.get("x-vercel-ai-ui-message-stream"), "v1");
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  assertEquals(
    response.headers.get("cache-control"),
    "no-cache, no-store, no-transform",
  );
  const run = response.headers.get("x-run-id")!;
  const seen = new Set<string>();
  let last = "";
  for await (const { id, data } of frames(response)) {
    last = data;
    if (data === "[DONE]") break;
    assert(id.startsWith(`${run}.`), id);
    const { type, ...fields } = JSON.parse(data);
    seen.add(type);
    const allowed = type.startsWith("data-") ? DATA : PUBLISHED[type];
    assert(allowed, `"${type}" is not published`);
    const foreign = Object.keys(fields).filter((key) => !allowed.includes(key));
    assertEquals(foreign, [], data);
    if (type.startsWith("data-")) assertEquals(fields.transient, true);
    if (type === "data-approval") {
      const decided = await fetch(
        `${app.url}/api/runs/${run}/approvals/${fields.data.id}`,
        {
          method: "POST",
          headers: JSON_TYPE,
          body: JSON.stringify({ decision: "once" }),
        },
      );
      assert(decided.ok, await decided.text());
      say(await model.next(), "Sent.");
    }
  }
  assertEquals(last, "[DONE]");
  for (
    const type of [
      "reasoning-delta",
      "tool-input-delta",
      "tool-input-error",
      "tool-output-available",
      "data-run",
      "data-approval",
      "data-approval-answer",
      "finish",
    ]
  ) assert(seen.has(type), `no ${type} was sent`);
});

Deno.test("streaming R12: POST /api/chat ends a stopped run with a bare abort, a failed one with code and text", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const asking = post(app, { messages: [user("u1", "hello")] });
  (await model.next()).say("half");
  const response = await asking;
  const run = response.headers.get("x-run-id")!;
  await app.shows(run, "half");
  const stop = await fetch(`${app.url}/api/runs/${run}/stop`, {
    method: "POST",
  });
  await stop.body?.cancel();
  const stopped = await events(response);
  assertEquals(stopped.slice(-2), [{ type: "abort" }, "[DONE]"]);
  const failing = post(app, { messages: [user("u2", "again")] });
  (await model.next()).fail(new Error("boom"));
  const [error] = (await events(await failing)).slice(-2);
  assertEquals(Object.keys(error), ["type", "errorText"]);
  assertMatch(error.errorText, /^internal: \S/);
});

Deno.test("an approval that waits keeps the stream open with beats, also for who comes back", async () => {
  const model = new PuppetModel();
  await using app = await startApp({
    model,
    tools: [MAIL],
    limits: { beatMs: 20 },
  });
  const asking = post(app, { messages: [user("u1", "hello")] });
  (await model.next()).call("send_mail", {});
  for (const response of [await asking, await resume(app, "chat-1")]) {
    const reader = response.body!.pipeThrough(new TextDecoderStream())
      .getReader();
    let text = "";
    while (!/"data-approval".*: hb\n\n.*: hb\n\n/s.test(text)) {
      const { value, done } = await reader.read();
      assert(!done, text);
      text += value;
    }
    await reader.cancel();
  }
});

Deno.test("streaming R13: GET /api/chat/{id}/stream replays the running answer from its start, and is 204 without one", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const odd = "a:b 中";
  assertEquals((await resume(app, odd)).status, 204);
  const asking = post(app, { id: odd, messages: [user("u1", "hello")] });
  const puppet = await model.next();
  puppet.say("half");
  const response = await asking;
  await app.shows(response.headers.get("x-run-id")!, "half");
  const resumed = await resume(app, odd);
  assertEquals(resumed.headers.get("x-vercel-ai-ui-message-stream"), "v1");
  say(puppet, " and whole");
  const [one, two] = [await events(response), await events(resumed)];
  assertEquals(one[0].type, "start");
  assertEquals(two, one);
  assertEquals(textOf(two), "half and whole");
  assertEquals((await resume(app, odd)).status, 204);
});

Deno.test("streaming R13: a chat of our own page can be followed by its id", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { chat_id } = await started(app, { text: "hello" });
  const puppet = await model.next();
  const resumed = await resume(app, chat_id);
  say(puppet, "hi");
  assertEquals(textOf(await events(resumed)), "hi");
});

Deno.test("a server that goes down tells useChat, which would take the end of the stream for success", async () => {
  const model = new PuppetModel();
  const app = await startApp({ model });
  const asking = post(app, { messages: [user("u1", "hello")] });
  (await model.next()).say("half");
  const response = await asking;
  await app.shows(response.headers.get("x-run-id")!, "half");
  const [list] = await Promise.all([
    events(response),
    app[Symbol.asyncDispose](),
  ]);
  assertMatch(list.at(-1).errorText, /^closing: /);
});
