import { assertEquals } from "@std/assert";
import type { Carry, ModelMessage } from "../../lib/agent/contracts.ts";
import type { Json } from "../../lib/chat/events.ts";
import { ask } from "../helpers/ask_model.ts";
import {
  chunk,
  done,
  finish,
  fragment,
  refuses,
  reply,
  says,
  scriptedUpstream,
  sse,
  toolCall,
} from "../helpers/scripted_upstream.ts";
import { answered, modelAt } from "./harness.ts";

// What chat providers want back with the steps that called tools.

const end = [finish("tool_calls"), done()];
const bus = { index: 0, id: "c0", name: "bus", arguments: "{}" };

/** What one answer asks to carry. */
const carried = async (...pieces: string[]) =>
  (await answered(sse(...pieces, ...end))).turn?.carry;

const detail = (fields: Record<string, unknown>) =>
  chunk({ reasoning_details: [fields] });

const chat = (items: Carry["items"], model = "scripted"): Carry => ({
  adapter: "chat",
  model,
  items,
});

/** A step with two calls and their results. */
const step = (carry?: Carry): ModelMessage[] => [
  {
    role: "assistant",
    text: "",
    toolCalls: [
      { id: "c0", name: "bus", arguments: "{}" },
      { id: "c1", name: "bus", arguments: "{}" },
    ],
    ...(carry === undefined ? {} : { carry }),
  },
  { role: "tool", toolCallId: "c0", text: "Now" },
  { role: "tool", toolCallId: "c1", text: "Soon" },
];
const question: ModelMessage = { role: "user", text: "When?" };

/** The assistant's messages of a request, without the usual fields. */
function extraOf(
  body: { messages: Record<string, unknown>[] },
): Record<string, unknown>[] {
  return body.messages.filter(({ role }) => role === "assistant").map(
    ({ role: _role, content: _content, tool_calls, ...rest }) => {
      const calls = (tool_calls ?? []) as Record<string, unknown>[];
      const extras = calls.flatMap(({ extra_content }) => extra_content ?? []);
      return { ...rest, ...(extras.length > 0 ? { extras } : {}) };
    },
  );
}

/** The same of the one request about these messages. */
async function sentWith(messages: ModelMessage[]) {
  const { requests } = await answered(says("ok"), { messages });
  return extraOf(requests[0]!.body);
}

Deno.test("chat: reasoning_content of a step with calls is carried, and comes back", async () => {
  const carry = await carried(
    chunk({ reasoning_content: "Let me " }),
    chunk({ reasoning_content: "see." }),
    toolCall(bus),
  );
  assertEquals(carry, chat({ reasoning_content: "Let me see." }));
  assertEquals(await sentWith([question, ...step(carry)]), [
    { reasoning_content: "Let me see." },
  ]);
});

Deno.test("chat: nothing is carried without calls, thoughts or an end", async () => {
  const think = chunk({ reasoning_content: "Hm." });
  assertEquals(await carried(think, chunk({ content: "Hi" })), undefined);
  assertEquals(
    await carried(chunk({ reasoning: "Hm." }), toolCall(bus)),
    undefined,
  );
  assertEquals(
    await carried(chunk({ reasoning_content: "" }), toolCall(bus)),
    undefined,
  );
  const cut = await answered(sse(think, toolCall(bus), finish("length")));
  assertEquals(cut.turn?.carry, undefined);
});

Deno.test("chat: pieces of reasoning_details are joined to the blocks they were", async () => {
  const said = await answered(sse(
    detail({
      type: "reasoning.text",
      text: "Let me ",
      index: 0,
      signature: "",
    }),
    detail({ type: "reasoning.text", text: "see.", index: 0, id: null }),
    detail({ type: "reasoning.encrypted", data: "x1", index: 1, id: "r1" }),
    detail({ type: "reasoning.text", text: "", index: 0, signature: "sig" }),
    detail({ type: "reasoning.summary", summary: "Short", format: "f" }),
    detail({ type: "reasoning.summary", summary: "er." }),
    detail({ type: "reasoning.encrypted", data: "x2", id: "r2" }),
    detail({ type: "reasoning.encrypted", data: "x3", id: "r3" }),
    chunk({ reasoning_details: null }),
    chunk({ reasoning_details: ["odd", null] }),
    toolCall(bus),
    ...end,
  ));
  const details: Json[] = [
    {
      type: "reasoning.text",
      text: "Let me see.",
      index: 0,
      signature: "sig",
    },
    { type: "reasoning.encrypted", data: "x1", index: 1, id: "r1" },
    { type: "reasoning.summary", summary: "Shorter.", format: "f" },
    { type: "reasoning.encrypted", data: "x2", id: "r2" },
    { type: "reasoning.encrypted", data: "x3", id: "r3" },
  ];
  assertEquals(said.turn?.carry, chat({ reasoning_details: details }));
  // Told to the person as well, when nothing else tells it.
  assertEquals(said.reasoning, "Let me see.Shorter.");
  assertEquals(await sentWith([question, ...step(said.turn?.carry)]), [
    { reasoning_details: details },
  ]);
});

Deno.test("chat: U27: a thought told in details as well is heard once", async () => {
  const said = await answered(sse(
    chunk({
      reasoning: "Hm.",
      reasoning_details: [{ type: "reasoning.text", text: "Hm.", index: 0 }],
    }),
    finish("stop"),
  ));
  assertEquals(said.reasoning, "Hm.");
});

Deno.test("chat: a call's extra_content comes back with that call", async () => {
  const signed = { google: { thought_signature: "sig" } };
  const carry = await carried(
    toolCall(bus),
    chunk({
      tool_calls: [{
        ...fragment({ index: 1, id: "c1", name: "bus", arguments: "{" }),
        extra_content: signed,
      }],
    }),
    toolCall({ index: 1, arguments: "}" }),
    chunk({ tool_calls: [{ index: 1, extra_content: null }] }),
  );
  assertEquals(carry, chat({ extra_content: [null, signed] }));
  const { requests } = await answered(says("ok"), {
    messages: [question, ...step(carry)],
  });
  const sent = requests[0]!.body.messages[1].tool_calls;
  assertEquals(
    sent.map((call: Record<string, unknown>) => call.extra_content),
    [undefined, signed],
  );
});

Deno.test("chat: what is carried goes back only to its own, and only about the last question", async () => {
  const items = { reasoning_content: "Hm.", extra_content: [{ a: 1 }, null] };
  const none = [{}];
  for (
    const carry of [
      chat(items, "another"),
      { ...chat(items), adapter: "responses" },
      chat(null),
      undefined,
    ]
  ) {
    assertEquals(await sentWith([question, ...step(carry)]), none);
  }
  const earlier = [question, ...step(chat(items)), question];
  assertEquals(await sentWith(earlier), none);
  assertEquals(await sentWith([...earlier, ...step(chat(items))]), [{}, {
    reasoning_content: "Hm.",
    extras: [{ a: 1 }],
  }]);
});

Deno.test("chat: a carried field that is refused by name is left out for good", async () => {
  const items = {
    reasoning_content: "Hm.",
    reasoning_details: [{ type: "reasoning.text", text: "Hm." }],
    extra_content: [{ a: 1 }, null],
  };
  await using upstream = await scriptedUpstream([
    reply(422, {
      detail: [{
        type: "extra_forbidden",
        loc: ["body", "messages", 1, "reasoning_content"],
        msg: "Extra inputs are not permitted",
      }, { type: "missing", loc: ["body", "messages", 1, "x"] }],
    }),
    refuses(400, { param: "messages[1].tool_calls[0].extra_content" }),
    refuses(400, { message: "property 'reasoning_details' is unsupported" }),
    says("ok"),
    says("ok"),
  ]);
  const model = modelAt(upstream);
  const messages = [question, ...step(chat(items))];
  const first = await ask(model, { messages });
  assertEquals([first.text, first.retries], ["ok", []]);
  await ask(model, { messages });
  assertEquals(upstream.requests.map(({ body }) => extraOf(body)), [
    [{
      reasoning_content: "Hm.",
      reasoning_details: items.reasoning_details,
      extras: [{ a: 1 }],
    }],
    [{ reasoning_details: items.reasoning_details, extras: [{ a: 1 }] }],
    [{ reasoning_details: items.reasoning_details }],
    [{}],
    [{}],
  ]);
  const unsent = refuses(400, { message: "reasoning_content is unsupported" });
  const said = await answered(unsent, { messages: [question, ...step()] });
  assertEquals(said.error?.code, "upstream_bad_request");
});

Deno.test("chat: who asks for reasoning_content gets it with every message, from then on", async () => {
  const wanted = [
    "The `reasoning_content` in the thinking mode must be passed back to the API.",
    "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2",
    "preserved thinking requires reasoning_content on every assistant message",
  ];
  const messages: ModelMessage[] = [
    question,
    ...step(chat({ reasoning_content: "Oh." })),
    { role: "assistant", text: "Soon.", toolCalls: [] },
    question,
    ...step(chat({ reasoning_content: "Hm." })),
  ];
  for (const message of wanted) {
    await using upstream = await scriptedUpstream([
      // As a proxy tells it.
      reply(400, {
        error: {
          message: "Provider returned error",
          metadata: { raw: JSON.stringify({ error: { message } }) },
        },
      }),
      says("ok"),
      says("ok"),
    ]);
    const model = modelAt(upstream);
    assertEquals((await ask(model, { messages })).text, "ok");
    await ask(model, { messages });
    const [before, after, later] = upstream.requests
      .map(({ body }) => extraOf(body));
    assertEquals(before, [{}, {}, { reasoning_content: "Hm." }]);
    assertEquals(after, [
      { reasoning_content: "Oh." },
      { reasoning_content: "" },
      { reasoning_content: "Hm." },
    ]);
    assertEquals(later, after);
  }
  // Who has it and still wants it cannot be helped, least of all by less.
  const refusal = refuses(400, { message: wanted[0]! });
  const said = await answered([refusal, refusal], { messages });
  assertEquals(said.error?.code, "upstream_bad_request");
});
