import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import OpenAI from "openai";
import { startDemoUpstream } from "../../lib/models/demo/mod.ts";
import {
  type Chunk,
  chunksOf,
  contentOf,
  TOOLS,
  withDemo,
} from "./demo_helpers.ts";

Deno.test("startDemoUpstream() answers nobody without its key", async () => {
  await withDemo(async ({ demo }) => {
    const doors: [string, string][] = [
      ["POST", "/chat/completions"],
      ["GET", "/models"],
      ["GET", "/"],
    ];
    for (const [method, path] of doors) {
      for (const authorization of ["", "Bearer", `Bearer ${demo.apiKey}x`]) {
        const response = await fetch(demo.baseUrl + path, {
          method,
          headers: { authorization },
        });
        assertEquals(response.status, 401);
        const { error } = await response.json();
        assertEquals(error.code, "invalid_api_key");
      }
    }
  });
});

Deno.test("startDemoUpstream() makes a new key for every start", async () => {
  const [one, two] = await Promise.all([
    startDemoUpstream(),
    startDemoUpstream(),
  ]);
  assertMatch(one.apiKey, /^demo-[0-9a-f]{48}$/);
  assert(one.apiKey !== two.apiKey);
  assertMatch(one.baseUrl, /^http:\/\/127\.0\.0\.1:\d+\/v1$/);
  await Promise.all([one.close(), two.close()]);
});

Deno.test("the demo upstream lists its one model", async () => {
  await withDemo(async ({ demo, send }) => {
    const list = await (await send("GET", "/models")).json();
    assertEquals(list.object, "list");
    assertEquals(list.data.map((model: { id: string }) => model.id), [
      demo.model,
    ]);
    const card = await (await send("GET", `/models/${demo.model}`)).json();
    assertEquals(card.id, demo.model);
    const missing = await send("GET", "/models/gpt-9");
    assertEquals(missing.status, 404);
    assertEquals((await missing.json()).error.code, "model_not_found");
  });
});

Deno.test("the demo upstream refuses what the provider refuses", async () => {
  const hi = [{ role: "user", content: "hi" }];
  const call = (id: string) => ({
    id,
    type: "function",
    function: { name: "current_time", arguments: "{}" },
  });
  const wrong: [string, unknown, number, string | null][] = [
    ["no object", [], 400, null],
    ["no messages", { model: "tickertape-demo" }, 400, "messages"],
    ["empty messages", { messages: [] }, 400, "messages"],
    ["foreign model", { model: "gpt-9", messages: hi }, 404, "model"],
    [
      "foreign role",
      { messages: [{ role: "god", content: "" }] },
      400,
      "messages.0.role",
    ],
    ["temperature", { messages: hi, temperature: 3 }, 400, "temperature"],
    ["max_tokens", { messages: hi, max_tokens: 0 }, 400, "max_tokens"],
    ["n", { messages: hi, n: 2 }, 400, "n"],
    ["options", { messages: hi, stream_options: {} }, 400, "stream_options"],
    [
      "tool name",
      {
        messages: hi,
        tools: [{ type: "function", function: { name: "a b" } }],
      },
      400,
      "tools.0.function.name",
    ],
    [
      "stray tool answer",
      {
        messages: [...hi, { role: "tool", tool_call_id: "c1", content: "x" }],
      },
      400,
      "messages.[1].role",
    ],
    [
      "call without answer",
      {
        messages: [
          ...hi,
          { role: "assistant", tool_calls: [call("c1")] },
          hi[0],
        ],
      },
      400,
      "messages.[2].role",
    ],
    [
      "one of two answered",
      {
        messages: [
          ...hi,
          { role: "assistant", tool_calls: [call("c1"), call("c2")] },
          { role: "tool", tool_call_id: "c1", content: "x" },
        ],
      },
      400,
      "messages",
    ],
    [
      "arguments as an object",
      {
        messages: [...hi, {
          role: "assistant",
          tool_calls: [{
            id: "c1",
            type: "function",
            function: { name: "f", arguments: {} },
          }],
        }],
      },
      400,
      "messages.1.tool_calls.0.function.arguments",
    ],
  ];
  await withDemo(async ({ post, send }) => {
    for (const [name, body, status, param] of wrong) {
      const response = await post(body);
      assertEquals(response.status, status, name);
      const { error } = await response.json();
      assertEquals(
        [error.param, typeof error.message],
        [param, "string"],
        name,
      );
    }
    const broken = await send("POST", "/chat/completions", "{oops");
    assertEquals(broken.status, 400);
    await broken.body?.cancel();
    const wrongMethod = await send("GET", "/chat/completions");
    assertEquals(wrongMethod.status, 405);
    assertEquals(wrongMethod.headers.get("allow"), "POST");
    await wrongMethod.body?.cancel();
    const nowhere = await send("GET", "/embeddings");
    assertEquals(nowhere.status, 404);
    assertEquals((await nowhere.json()).error.code, "unknown_url");
  });
});

Deno.test("a demo stream is role, text, finish, usage and [DONE]", async () => {
  await withDemo(async ({ post }) => {
    const body = {
      messages: [{ role: "user", content: "你好" }],
      stream: true,
      stream_options: { include_usage: true },
    };
    const response = await post(body);
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    const text = await response.text();
    assert(text.endsWith("\n\ndata: [DONE]\n\n"), "[DONE] comes last");
    const chunks = chunksOf(text);
    assertEquals(chunks[0]!.choices[0].delta, {
      role: "assistant",
      content: "",
    });
    assertEquals(new Set(chunks.map((chunk) => chunk.id)).size, 1);
    const reasons = chunks.map((chunk) => chunk.choices[0]?.finish_reason);
    assertEquals(reasons.slice(-2), ["stop", undefined]);
    assert(reasons.slice(0, -2).every((reason) => reason === null));
    const { usage, choices } = chunks.at(-1)!;
    assertEquals(choices, []);
    assertEquals(usage.completion_tokens, chunks.length - 3);
    assertEquals(
      usage.total_tokens,
      usage.prompt_tokens + usage.completion_tokens,
    );
    // The same answer in one piece.
    const whole = await (await post({ messages: body.messages })).json();
    assertEquals(whole.choices[0].message.content, contentOf(chunks));
    assertEquals(whole.usage, usage);
    // No usage unless asked for.
    const plain = chunksOf(
      await (await post({ ...body, stream_options: undefined })).text(),
    );
    assert(plain.every((chunk) => !("usage" in chunk)));
  });
});

Deno.test("max_tokens ends a demo answer with finish_reason length", async () => {
  await withDemo(async ({ post }) => {
    for (const name of ["max_tokens", "max_completion_tokens"]) {
      const response = await post({
        messages: [{ role: "user", content: "what can you do?" }],
        [name]: 4,
      });
      const { choices, usage } = await response.json();
      assertEquals(choices[0].finish_reason, "length");
      assertEquals(usage.completion_tokens, 4);
    }
  });
});

Deno.test("npm:openai streams a tool call from the demo upstream", async () => {
  await withDemo(async ({ demo }) => {
    const client = new OpenAI({
      apiKey: demo.apiKey,
      baseURL: demo.baseUrl,
      maxRetries: 0,
    });
    const stream = client.chat.completions.stream({
      model: demo.model,
      tools: TOOLS,
      messages: [{ role: "user", content: "现在几点，顺便算一下 3*7" }],
    });
    const { choices } = await stream.finalChatCompletion();
    assertEquals(choices[0]!.finish_reason, "tool_calls");
    assertEquals(
      choices[0]!.message.tool_calls!.map((call) =>
        call.type === "function" &&
        [call.function.name, call.function.arguments]
      ),
      [["current_time", "{}"], ["calculator", '{"expression":"3*7"}']],
    );
    const ids = choices[0]!.message.tool_calls!.map((call) => call.id);
    assertEquals(new Set(ids).size, 2);
    const models = await client.models.list();
    assertEquals(models.data.map((model) => model.id), [demo.model]);
    await assertRejects(
      () =>
        new OpenAI({ apiKey: "wrong", baseURL: demo.baseUrl, maxRetries: 0 })
          .models.list(),
      OpenAI.AuthenticationError,
    );
  });
});

Deno.test("tool arguments come in several fragments under one id", async () => {
  await withDemo(async ({ post }) => {
    const response = await post({
      messages: [{
        role: "user",
        content: "next bus from Mill Road to Sea Road",
      }],
      tools: TOOLS,
      stream: true,
    });
    const calls = chunksOf(await response.text())
      .flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    assert(calls.length > 5, `${calls.length} fragments`);
    assertEquals(calls.filter((call) => call.id !== undefined).length, 1);
    assertEquals(calls.filter((call) => call.function.name).length, 1);
    const text = calls.map((call) => call.function.arguments).join("");
    assertEquals(JSON.parse(text), {
      action: "trips",
      from: "Mill Road",
      to: "Sea Road",
    });
  });
});

Deno.test("a client that leaves a stalled answer frees the upstream", async () => {
  // Leaks would be seen by the sanitizers, a stuck answer by close().
  const demo = await startDemoUpstream({ tokensPerSecond: Infinity });
  const leave = new AbortController();
  const response = await fetch(`${demo.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${demo.apiKey}` },
    body: JSON.stringify({
      model: demo.model,
      stream: true,
      messages: [{ role: "user", content: "/demo stall 3" }],
    }),
    signal: leave.signal,
  });
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  assertEquals(chunksOf(new TextDecoder().decode(value)).length, 4);
  leave.abort();
  await assertRejects(() => reader.read(), DOMException);
  await demo.close();
});

Deno.test("close() drops the answers still open", async () => {
  const demo = await startDemoUpstream({ tokensPerSecond: Infinity });
  const response = await fetch(`${demo.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${demo.apiKey}` },
    body: JSON.stringify({
      model: `${demo.model}:stall`,
      stream: true,
      messages: [{ role: "user", content: "hi" }],
    }),
  });
  const reading = assertRejects(() => response.text());
  await demo.close();
  await reading;
});

Deno.test("the demo thinks aloud when asked to, apart from the answer", async () => {
  await withDemo(async ({ post }) => {
    for (const question of ["想一想：你是谁", "think, who are you?"]) {
      const response = await post({
        messages: [{ role: "user", content: question }],
        stream: true,
      });
      const deltas = chunksOf(await response.text())
        .flatMap((chunk) => chunk.choices.map((choice: Chunk) => choice.delta));
      const firstText = deltas.findIndex((delta) => delta.content);
      const lastThought = deltas.findLastIndex((delta) =>
        delta.reasoning_content
      );
      assert(lastThought > 3 && lastThought < firstText, question);
    }
  });
});

Deno.test("the demo writes something long in both languages", async () => {
  await withDemo(async ({ chat }) => {
    for (const question of ["写一篇长文", "Please write me something long"]) {
      const { content } = await chat(question);
      assert(content.length > 1500, `${content.length} characters`);
      for (const part of ["```ts", "```python", "|---|", "**", "> ", "1. "]) {
        assertStringIncludes(content, part);
      }
    }
  });
});
