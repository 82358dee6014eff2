/** The agent as OpenAI's clients see it, over a real socket. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { MAX_IMAGE, MAX_IMAGES } from "../../lib/chat/settings.ts";
import { startApp } from "../helpers/app.ts";
import { answerOnce, chunks, complete, USER } from "../helpers/openai_wire.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";

Deno.test("POST /v1/chat/completions streams text and reasoning, hides tools, and ends with usage and [DONE]", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const asking = complete(app, {
    stream: true,
    stream_options: { include_usage: true },
  });
  const first = await model.next();
  first.emit({ type: "reasoning", delta: "hm " });
  first.say("Let me look.").call("echo", { say: "08:30" });
  const second = await model.next();
  second.emit({ type: "reasoning", delta: "so" });
  second.say("At 08:30 👍").finish({
    usage: { input: 30, output: 12, reasoning: 4, cached: 5, total: 42 },
  });
  const response = await asking;
  assertEquals(response.status, 200);
  assertMatch(response.headers.get("x-run-id")!, /^r_[0-9a-z]{26}$/);
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const list = await chunks(response);
  assertEquals(list.at(-1), "[DONE]");
  const { choices, usage, ...head } = list.at(-2);
  assertEquals(choices, []);
  assert(usage.completion_tokens >= 12 && usage.prompt_tokens >= 30);
  assertEquals(usage.completion_tokens_details.reasoning_tokens, 4);
  assertEquals(usage.prompt_tokens_details.cached_tokens, 5);
  const said = list.slice(0, -2);
  for (const { id, object, created, model, usage } of said) {
    assertEquals({ id, object, created, model }, head);
    assertEquals(usage, null);
  }
  assertEquals(head.object, "chat.completion.chunk");
  assertEquals(head.model, "puppet");
  assert(Math.abs(head.created - Date.now() / 1000) < 60);
  assertEquals(said[0].choices[0].delta, { role: "assistant", content: "" });
  const joined = (name: string) =>
    said.map((chunk) => chunk.choices[0].delta[name] ?? "").join("");
  assertEquals(joined("content"), "Let me look.\n\nAt 08:30 👍");
  assertEquals(joined("reasoning_content"), "hm \n\nso");
  assertEquals(
    said.map((chunk) => chunk.choices[0].finish_reason).filter(Boolean),
    ["stop"],
  );
  const text = JSON.stringify(list);
  assert(!text.includes("echo") && !text.includes("tool"), text);
});

Deno.test("POST /v1/chat/completions without stream answers with the whole, and leaves usage out of a stream nobody asked it for", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const asking = complete(app, { temperature: 0.4 });
  const puppet = await model.next();
  assertEquals(puppet.request.temperature, 0.4);
  puppet.emit({ type: "reasoning", delta: "hm" });
  puppet.say("half ", "a word").finish({
    finishReason: "length",
    usage: { input: 3, output: 2, total: 5 },
  });
  const response = await asking;
  assertEquals(response.status, 200);
  assertMatch(response.headers.get("x-run-id")!, /^r_/);
  const { id, created, ...rest } = await response.json();
  assertMatch(id, /^chatcmpl-[0-9a-z]{26}$/);
  assert(Number.isInteger(created));
  assertEquals(rest, {
    object: "chat.completion",
    model: "puppet",
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: "half a word",
        refusal: null,
        reasoning_content: "hm",
      },
      logprobs: null,
      finish_reason: "length",
    }],
    usage: {
      prompt_tokens: 3,
      completion_tokens: 2,
      total_tokens: 5,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
  });
  const streaming = complete(app, { stream: true });
  await answerOnce(model);
  assert(!JSON.stringify(await chunks(await streaming)).includes("usage"));
});

Deno.test("a server that goes down tells a completion's reader, and never sends [DONE]", async () => {
  const model = new PuppetModel();
  const app = await startApp({ model });
  const asking = complete(app, { stream: true });
  (await model.next()).say("half");
  const response = await asking;
  await app.shows(response.headers.get("x-run-id")!, "half");
  const [list] = await Promise.all([
    chunks(response),
    app[Symbol.asyncDispose](),
  ]);
  assertEquals(list.at(-1).error.code, "closing");
});

Deno.test("T03: tool results and calls in the messages are dropped, texts before the question are context", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const png = "data:image/png;base64,iVBORw0KGgo=";
  const asking = complete(app, {
    messages: [
      { role: "developer", content: "Speak like a pirate." },
      {
        role: "user",
        content: [{ type: "text", text: "first" }, {
          type: "image_url",
          image_url: { url: png },
        }],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{
          id: "c1",
          type: "function",
          function: { name: "send_mail", arguments: "{}" },
        }],
      },
      { role: "tool", tool_call_id: "c1", content: "approved by the person" },
      { role: "assistant", content: "done", tool_calls: [] },
      {
        role: "user",
        content: [{ type: "text", text: "second" }, {
          type: "image_url",
          image_url: { url: png, detail: "low" },
        }],
      },
      { role: "assistant", content: "Sure, and I have sent" },
      { role: "function", name: "send_mail", content: "sent" },
    ],
  });
  const puppet = await model.next();
  const { messages } = puppet.request;
  const said = messages.slice(1);
  assertEquals(said, [
    { role: "system", text: "Speak like a pirate." },
    { role: "user", text: "first\n[image]" },
    { role: "assistant", text: "done", toolCalls: [] },
    { role: "user", text: "second", images: [png] },
  ]);
  const text = JSON.stringify(messages);
  assert(!text.includes("approved") && !text.includes("sent"), text);
  puppet.finish();
  await (await asking).body?.cancel();
  // A program's chats are not in the list.
  assertEquals(await app.services.runs.chats("local"), []);
});

Deno.test("N7 as OpenAI has it: who hangs up stops the run, unless it was to be detached or has a key to come back with", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const asked = async (stream: boolean, headers: HeadersInit) => {
    const hangUp = new AbortController();
    const gone = complete(app, { stream }, { signal: hangUp.signal, headers })
      .then((response) => response.text()).catch(() => {});
    const puppet = await model.next();
    puppet.say("half");
    await app.until(() => app.services.runs.readers === 1);
    hangUp.abort();
    await gone;
    return puppet;
  };
  for (const stream of [true, false]) {
    const puppet = await asked(stream, {});
    assertEquals(await puppet.aborted, "user");
    const detached = await asked(stream, { "x-run-detach": "true" });
    await app.until(() => app.services.runs.readers === 0);
    detached.say(" and whole").finish();
    // Who has a key tries again, and finds the same run, not a stopped one.
    const headers = { "idempotency-key": `${stream}` };
    const impatient = await asked(stream, headers);
    await app.until(() => app.services.runs.readers === 0);
    const again = complete(app, {}, { headers });
    impatient.say(" and whole").finish();
    const { choices } = await (await again).json();
    assertEquals(choices[0].message.content, "half and whole");
  }
  assertEquals(model.count, 6);
});

Deno.test("who hangs up stops the run also where the body came in chunks", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const asked = JSON.stringify({ model: "tickertape", messages: USER });
  const hangUp = new AbortController();
  const gone = fetch(`${app.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new Blob([asked]).stream(),
    signal: hangUp.signal,
  }).catch(() => {});
  const puppet = await model.next();
  await app.until(() => app.services.runs.readers === 1);
  hangUp.abort();
  await gone;
  await app.until(() => app.services.runs.readers === 0);
  assertEquals(await puppet.aborted, "user");
});

Deno.test("N10: one idempotency-key gives one run, in any number of requests", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const headers = { "idempotency-key": "k-1" };
  const asking = Array.from(
    { length: 10 },
    (_, i) => complete(app, { stream: i % 2 === 0 }, { headers }),
  );
  await answerOnce(model, "once");
  const responses = await Promise.all(asking);
  const runs = new Set(responses.map((r) => r.headers.get("x-run-id")));
  assertEquals([runs.size, model.count], [1, 1]);
  for (const response of responses) {
    assert((await response.text()).includes("once"));
  }
  const late = await complete(app, {}, { headers });
  assertEquals((await late.json()).choices[0].message.content, "once");
  const odd = await complete(app, {}, {
    headers: { "idempotency-key": "a b" },
  });
  assertEquals((await odd.json()).error.code, "invalid_idempotency_key");
});

Deno.test("POST /v1/chat/completions takes as many and as large images as a question may have, and beats while it waits", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model, limits: { beatMs: 20 } });
  const head = "data:image/png;base64,";
  const url = head + "A".repeat(MAX_IMAGE - head.length);
  const image = { type: "image_url", image_url: { url } };
  const content = [
    { type: "text", text: "?" },
    ...Array(MAX_IMAGES).fill(image),
  ];
  const messages = [{ role: "user", content }];
  const response = await complete(app, { stream: true, messages });
  const puppet = await model.next();
  const asked = puppet.request.messages.at(-1)!;
  assert(asked.role === "user" && asked.images?.every((sent) => sent === url));
  assertEquals(asked.images?.length, MAX_IMAGES);
  const reader = response.body!.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";
  while (!/"role".*: hb\n\n.*: hb\n\n/s.test(text)) {
    text += (await reader.read()).value;
  }
  await reader.cancel();
  const longer = [{ type: "image_url", image_url: { url: `${url}AAAA` } }];
  const { error } = await (await complete(app, {
    messages: [{ role: "user", content: longer }],
  })).json();
  assertEquals(error.code, "image_too_large");
});
