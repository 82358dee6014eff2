import { assert, assertEquals } from "@std/assert";
import { ask } from "../helpers/ask_model.ts";
import {
  refuses,
  reply,
  says,
  scriptedUpstream,
} from "../helpers/scripted_upstream.ts";
import { answered, KEY, modelAt } from "./harness.ts";

// What the provider is sent.

Deno.test("streaming X08: half a surrogate pair is not sent, a whole one is", async () => {
  const { requests } = await answered(says("ok"), {
    messages: [
      { role: "user", text: "👍" },
      { role: "assistant", text: "cut \ud83d", toolCalls: [] },
      { role: "user", text: "on" },
    ],
  });
  const { messages } = requests[0]!.body as {
    messages: { content: string }[];
  };
  assertEquals(messages.map(({ content }) => content), [
    "👍",
    "cut \ufffd",
    "on",
  ]);
});

Deno.test("the conversation is sent in the provider's words", async () => {
  const { requests } = await answered(says("ok"), {
    temperature: 0.5,
    messages: [
      { role: "system", text: "Be brief." },
      { role: "user", text: "When?" },
      {
        role: "assistant",
        text: "",
        toolCalls: [{ id: "c1", name: "clock", arguments: '{"zone":"UTC"}' }],
      },
      { role: "tool", toolCallId: "c1", text: "12:00" },
      { role: "assistant", text: "Noon.", toolCalls: [] },
      { role: "user", text: "谢谢" },
    ],
    tools: [{
      name: "clock",
      description: "Time",
      parameters: { type: "object" },
      strict: false,
    }],
  });
  const { method, path, body } = requests[0]!;
  assertEquals([method, path], ["POST", "/v1/chat/completions"]);
  assertEquals(body, {
    model: "scripted",
    temperature: 0.5,
    stream: true,
    stream_options: { include_usage: true },
    tools: [{
      type: "function",
      function: {
        name: "clock",
        description: "Time",
        parameters: { type: "object" },
      },
    }],
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "When?" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{
          id: "c1",
          type: "function",
          function: { name: "clock", arguments: '{"zone":"UTC"}' },
        }],
      },
      { role: "tool", tool_call_id: "c1", content: "12:00" },
      { role: "assistant", content: "Noon." },
      { role: "user", content: "谢谢" },
    ],
  });
});

Deno.test("without a key no authorization is sent, without tools no tools", async () => {
  const { requests } = await answered(says("ok"), {}, { apiKey: null });
  assertEquals(requests[0]!.headers.has("authorization"), false);
  assertEquals("tools" in requests[0]!.body, false);
});

Deno.test("a field the server refuses by name is left out, now and later", async () => {
  await using upstream = await scriptedUpstream([
    refuses(400, { param: "temperature", code: "unsupported_value" }),
    reply(422, { detail: [{ loc: ["body", "stream_options"], msg: "extra" }] }),
    says("ok"),
    says("ok"),
  ]);
  const model = modelAt(upstream);
  const first = await ask(model);
  assertEquals([first.text, first.retries], ["ok", []]);
  await ask(model);
  const last = upstream.requests[3]!.body;
  assertEquals(["temperature" in last, "stream_options" in last], [
    false,
    false,
  ]);
});

Deno.test("a field refused in a message that is no text is left out too", async () => {
  const detail = [{ loc: ["body", "stream_options"], msg: "extra" }];
  const { requests } = await answered([
    reply(422, { object: "error", message: { detail } }),
    says("ok"),
  ]);
  assertEquals("stream_options" in requests[1]!.body, false);
});

Deno.test("a server that goes on refusing a field is upstream_bad_request", async () => {
  const refusal = refuses(400, { param: "temperature" });
  const said = await answered([refusal, refusal]);
  assertEquals(said.error?.code, "upstream_bad_request");
});

Deno.test("a request that cannot be made fails plainly and is not asked again", async () => {
  await using upstream = await scriptedUpstream([]);
  for (const broken of [{ apiKey: `${KEY}\n密` }, { baseUrl: "no address" }]) {
    const { error, retries } = await ask(modelAt(upstream, broken));
    assertEquals(error?.code, "upstream_unavailable");
    assertEquals([error?.options.retryable, retries], [false, []]);
    assert(!Deno.inspect(error).includes(KEY));
  }
});

Deno.test("the connection is kept for the next step", async () => {
  await using upstream = await scriptedUpstream([says("one"), says("two")]);
  const model = modelAt(upstream);
  await ask(model);
  await ask(model);
  const [first, second] = upstream.requests;
  assert(first!.closed === second!.closed, "a second connection was opened");
});
