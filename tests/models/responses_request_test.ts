import { assertEquals } from "@std/assert";
import type { Carry, ModelMessage } from "../../lib/agent/contracts.ts";
import { ask } from "../helpers/ask_model.ts";
import {
  refuses,
  reply,
  scriptedUpstream,
  sse,
} from "../helpers/scripted_upstream.ts";
import {
  callAdded,
  callDone,
  completed,
  created,
  incomplete,
  messageDone,
  responds,
  textDelta,
  thought,
  thoughtDone,
} from "../helpers/responses_events.ts";
import { answered, modelAt } from "./harness.ts";

// What a Responses provider is sent, and gets back.

const api = "responses" as const;

const clock = {
  name: "clock",
  description: "Time",
  parameters: { type: "object" },
};

/** The input items of one request about these messages. */
async function inputOf(messages: ModelMessage[], model = "scripted") {
  const said = await answered(responds("ok"), { messages }, { api, model });
  return said.requests[0]!.body.input;
}

/** A turn of the assistant, and the question and results around it. */
const step = (text: string, carry?: Carry): ModelMessage[] => [
  { role: "user", text: "When?" },
  {
    role: "assistant",
    text,
    toolCalls: [
      { id: "c0", name: "clock", arguments: "{}" },
      { id: "c1", name: "bus", arguments: "{}" },
    ],
    ...(carry === undefined ? {} : { carry }),
  },
  { role: "tool", toolCallId: "c0", text: "12:00" },
  { role: "tool", toolCallId: "c1", text: "12:05" },
];

const call = (id: string, name: string) => ({
  type: "function_call",
  call_id: id,
  name,
  arguments: "{}",
});
const output = (id: string, text: string) => ({
  type: "function_call_output",
  call_id: id,
  output: text,
});
const message = (role: string, type: string, text: string, more = {}) => ({
  type: "message",
  role,
  content: [{ type, text }],
  ...more,
});
const question = message("user", "input_text", "When?");
const results = [output("c0", "12:00"), output("c1", "12:05")];

Deno.test("responses: the conversation is sent in the provider's words", async () => {
  const { requests } = await answered(responds("ok"), {
    temperature: 0.5,
    messages: [
      { role: "system", text: "Be brief." },
      ...step("One moment."),
      { role: "system", text: "Now in Chinese." },
      { role: "assistant", text: "Noon, cut \ud83d", toolCalls: [] },
      { role: "user", text: "谢谢 \ud83d" },
    ],
    tools: [{ ...clock, strict: false }, {
      ...clock,
      name: "bus",
      strict: true,
    }],
  }, { api });
  const { method, path, body } = requests[0]!;
  assertEquals([method, path], ["POST", "/v1/responses"]);
  assertEquals(body, {
    model: "scripted",
    instructions: "Be brief.",
    stream: true,
    store: false,
    include: ["reasoning.encrypted_content"],
    reasoning: { summary: "auto" },
    temperature: 0.5,
    tools: [
      { type: "function", ...clock, strict: false },
      { type: "function", ...clock, name: "bus", strict: true },
    ],
    input: [
      question,
      message("assistant", "output_text", "One moment."),
      call("c0", "clock"),
      call("c1", "bus"),
      ...results,
      { type: "message", role: "system", content: "Now in Chinese." },
      message("assistant", "output_text", "Noon, cut \ufffd"),
      message("user", "input_text", "谢谢 \ufffd"),
    ],
  });
});

Deno.test("responses: without a system text there are no instructions, without tools no tools", async () => {
  const { requests } = await answered(responds("ok"), {}, { api });
  const { body } = requests[0]!;
  assertEquals(["instructions" in body, "tools" in body], [false, false]);
});

Deno.test("responses: reasoning comes back where it was, between texts and calls", async () => {
  const { turn } = await answered(
    sse(
      created(),
      thoughtDone(0, ["Two things."]),
      messageDone(1, "First ", { phase: "commentary" }),
      callDone(2, "c0", "clock", "{}"),
      thoughtDone(3, []),
      textDelta(4, "second."),
      callAdded(5, "c1", "bus"),
      completed(),
    ),
    {},
    { api },
  );
  assertEquals([turn!.carry!.adapter, turn!.carry!.model], [
    "responses",
    "scripted",
  ]);
  // As a store would keep it.
  const carry = JSON.parse(JSON.stringify(turn!.carry)) as Carry;
  const sent = await inputOf(step("First second.", carry));
  assertEquals(sent, [
    question,
    thought(0, ["Two things."]),
    message("assistant", "output_text", "First ", { phase: "commentary" }),
    call("c0", "clock"),
    thought(3, []),
    message("assistant", "output_text", "second."),
    call("c1", "bus"),
    ...results,
  ]);
});

Deno.test("responses: reasoning of another model or adapter, or none, is left alone", async () => {
  const items = [thought(0, ["Hm."])] as Carry["items"];
  const plain: unknown[] = [
    question,
    message("assistant", "output_text", "So."),
    call("c0", "clock"),
    call("c1", "bus"),
    ...results,
  ];
  const foreign: Carry[] = [
    { adapter: "responses", model: "another", items },
    { adapter: "chat", model: "scripted", items },
    { adapter: "responses", model: "scripted", items: null },
    { adapter: "responses", model: "scripted", items: [] },
  ];
  for (const carry of foreign) {
    assertEquals(await inputOf(step("So.", carry)), plain);
  }
  const own = { adapter: "responses", model: "scripted", items };
  assertEquals(
    await inputOf(step("So.", own)),
    plain.toSpliced(1, 0, thought(0, ["Hm."])),
  );
});

Deno.test("responses: only reasoning that can be read again is kept, and only of whole answers", async () => {
  const carried = async (...steps: string[]) =>
    (await answered(sse(created(), ...steps), {}, { api })).turn?.carry?.items;
  const bare = thoughtDone(0, ["Hm."], null);
  assertEquals(await carried(bare, completed()), undefined);
  assertEquals(
    await carried(thoughtDone(0, ["Hm."]), incomplete("max_output_tokens")),
    undefined,
  );
  const content = [{ type: "reasoning_text", text: "Open." }];
  const open = bare.replace(
    '"summary"',
    `"content":${JSON.stringify(content)},"summary"`,
  );
  assertEquals(
    await carried(messageDone(0, "Hm.", { phase: "commentary" }), completed()),
    [{ type: "message", length: 3, phase: "commentary" }],
  );
  assertEquals(await carried(open, completed()), [
    { ...thought(0, ["Hm."], null), content },
  ] as never);
  // OpenAI refuses plain content next to the encrypted one.
  const both = open.replace('"content"', '"encrypted_content":"e","content"');
  assertEquals(await carried(both, completed()), [
    thought(0, ["Hm."], "e"),
  ] as never);
});

Deno.test("responses: reasoning the provider cannot read is left out of that request", async () => {
  const carry = {
    adapter: "responses",
    model: "scripted",
    items: [thought(0, ["Hm."])] as Carry["items"],
  };
  const messages = step("So.", carry);
  const refusals = [
    refuses(400, {
      code: "invalid_encrypted_content",
      message: "Not verified.",
    }),
    refuses(404, { message: "Item with id 'rs_1' not found. Not persisted." }),
  ];
  for (const refusal of refusals) {
    await using upstream = await scriptedUpstream([
      refusal,
      responds("ok"),
      responds("ok"),
    ]);
    const model = modelAt(upstream, { api });
    const first = await ask(model, { messages });
    assertEquals([first.text, first.retries], ["ok", []]);
    await ask(model, { messages });
    const kinds = upstream.requests.map(({ body }) =>
      body.input.some(({ type }: { type: string }) => type === "reasoning")
    );
    assertEquals(kinds, [true, false, true]);
    assertEquals("include" in upstream.requests[1]!.body, true);
  }
});

Deno.test("responses: fields that are refused are left out, now and later", async () => {
  const unsupported = (param: string) =>
    refuses(400, { param, code: "unsupported_parameter" });
  await using upstream = await scriptedUpstream([
    unsupported("temperature"),
    unsupported("reasoning.summary"),
    unsupported("include[0]"),
    reply(422, { detail: [{ loc: ["tools", 0, "strict"], msg: "extra" }] }),
    responds("ok"),
    responds("ok"),
  ]);
  const model = modelAt(upstream, { api });
  const tools = [{ ...clock, strict: true }];
  const first = await ask(model, { tools });
  assertEquals([first.text, first.retries], ["ok", []]);
  await ask(model, { tools });
  const { body } = upstream.requests[5]!;
  assertEquals(Object.keys(body).sort(), [
    "input",
    "model",
    "store",
    "stream",
    "tools",
  ]);
  assertEquals(body.tools, [{ type: "function", ...clock }]);
});

Deno.test("responses: words of a refusal are understood without a parameter", async () => {
  const refusals = {
    temperature: "Unsupported parameter: 'temperature'",
    reasoning: "This model does not do reasoning.",
    include: "Encrypted content is not supported with this model.",
  };
  for (const [field, text] of Object.entries(refusals)) {
    const said = await answered(
      [refuses(400, { message: text }), responds("ok")],
      {},
      { api },
    );
    const sent = said.requests.map(({ body }) => field in body);
    assertEquals(sent, [true, false], field);
  }
  const said = await answered(
    refuses(400, { message: "Please include a question." }),
    {},
    { api },
  );
  assertEquals(said.error?.code, "upstream_bad_request");
});
