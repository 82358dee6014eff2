import { assertEquals, assertMatch } from "@std/assert";
import type { ModelMessage } from "../../lib/agent/contracts.ts";
import { ask } from "../helpers/ask_model.ts";
import {
  refuses,
  reply,
  says,
  type Script,
  scriptedUpstream,
} from "../helpers/scripted_upstream.ts";
import { answered, modelAt } from "./harness.ts";
import { DIALECTS } from "./openai_dialects.ts";

// What is sent where it is taken: strict schemas, and images.

const tool = {
  name: "clock",
  description: "Time",
  parameters: { type: "object" },
};

Deno.test("chat: strict is said of strict tools, and of no others", async () => {
  const { requests } = await answered(says("ok"), {
    tools: [{ ...tool, strict: true }, { ...tool, strict: false }],
  });
  assertEquals(requests[0]!.body.tools, [
    { type: "function", function: { ...tool, strict: true } },
    { type: "function", function: tool },
  ]);
});

Deno.test("chat: strict is left out once it was refused, by name or for a schema", async () => {
  const refusals = [
    refuses(400, { message: "property 'strict' is unsupported" }),
    reply(422, { detail: [{ loc: ["function", "strict"], msg: "extra" }] }),
    refuses(400, { code: "invalid_function_parameters" }),
  ];
  for (const refusal of refusals) {
    await using upstream = await scriptedUpstream([
      refusal,
      says("ok"),
      says("ok"),
    ]);
    const model = modelAt(upstream);
    const tools = [{ ...tool, strict: true }];
    assertEquals((await ask(model, { tools })).text, "ok");
    await ask(model, { tools });
    const strict = upstream.requests.map(({ body }) =>
      body.tools[0].function.strict
    );
    assertEquals(strict, [true, undefined, undefined]);
  }
  const said = await answered(refuses(400, { message: "restricted area" }), {
    tools: [{ ...tool, strict: true }],
  });
  assertEquals(said.error?.code, "upstream_bad_request");
  const none = await answered(refuses(400, { message: "strict" }));
  assertEquals(none.requests.length, 1);
});

Deno.test("chat: the parameter a refusal names is meant, whatever else it mentions", async () => {
  const said = await answered([
    refuses(400, { param: "temperature", message: "Not with strict tools." }),
    says("ok"),
  ], { tools: [{ ...tool, strict: true }] });
  const { body } = said.requests[1]!;
  assertEquals("temperature" in body, false);
  assertEquals(body.tools[0].function.strict, true);
});

const PNG = "data:image/png;base64,iVBORw0KGgo=";
const JPEG = "data:image/jpeg;base64,/9j/4AA=";
const shown: ModelMessage[] = [
  { role: "user", text: "What is this?", images: [PNG, JPEG] },
  { role: "assistant", text: "A dot.", toolCalls: [] },
  { role: "user", text: "", images: [PNG] },
];
const BLIND = "[An image was attached here; this model cannot see images.]";
const UNREADABLE =
  "[An image was attached here; the model's provider could not read it.]";

for (const { api, whole } of DIALECTS) {
  /** What the user said in a request, in one form for both APIs. */
  // deno-lint-ignore no-explicit-any
  const questions = (body: any): unknown[] =>
    (body.messages ?? body.input)
      .filter(({ role }: { role: string }) => role === "user")
      // deno-lint-ignore no-explicit-any
      .map(({ content }: any) =>
        typeof content === "string" ? [content] : content.map(
          // deno-lint-ignore no-explicit-any
          (part: any) => part.text ?? part.image_url.url ?? part.image_url,
        )
      );
  const seen = [["What is this?", PNG, JPEG], [PNG]];
  const told = (note: string) => [
    [`What is this?\n\n${note}\n${note}`],
    [note],
  ];

  Deno.test(`${api}: images are sent with their question`, async () => {
    const asking = { messages: shown };
    const { requests } = await answered(whole("ok"), asking, { api });
    const { body } = requests[0]!;
    assertEquals(questions(body), seen);
    const parts = (body.messages ?? body.input)[0].content;
    assertEquals(
      parts[1],
      api === "chat"
        ? { type: "image_url", image_url: { url: PNG } }
        : { type: "input_image", detail: "auto", image_url: PNG },
    );
  });

  /** The questions of three requests: refused, sent again, asked later. */
  const afterRefusal = async (refusal: Script) => {
    await using upstream = await scriptedUpstream([
      refusal,
      whole("ok"),
      whole("ok"),
    ]);
    const model = modelAt(upstream, { api });
    const first = await ask(model, { messages: shown });
    assertEquals([first.text, first.retries], ["ok", []]);
    await ask(model, { messages: shown });
    return upstream.requests.map(({ body }) => questions(body));
  };

  Deno.test(`${api}: a model that sees no images is told of them in words, from then on`, async () => {
    const refusals = [
      refuses(404, { message: "No endpoints found that support image input" }),
      refuses(400, {
        message:
          "Invalid content type. image_url is only supported by certain models.",
        param: "messages.[0].content.[1].type",
      }),
      refuses(500, { message: "image input is not supported - hint: mmproj" }),
      refuses(422, {
        message: "messages[0]: unknown variant `image_url`, expected `text`",
      }),
      refuses(400, {
        message: "'messages.0.content' : value must be a string",
      }),
      refuses(400, { message: "tiny is not a multimodal model" }),
      reply(400, { error: "this model does not support image input" }),
      reply(400, "this model does not support image input"),
    ];
    for (const refusal of refusals) {
      const blind = told(BLIND);
      assertEquals(await afterRefusal(refusal), [seen, blind, blind]);
    }
  });

  Deno.test(`${api}: an image that cannot be read makes no model blind`, async () => {
    const refusals = [
      refuses(400, {
        code: "invalid_image_format",
        message: "unsupported image",
      }),
      refuses(400, {
        message: "Invalid base64 image_url.",
        param: "messages[0].content[1].image_url",
      }),
      refuses(400, { message: "image exceeds 5 MB maximum" }),
      refuses(400, { message: "Unable to process input image" }),
      refuses(400, { message: "You uploaded an unsupported image." }),
      refuses(400, { message: "Too many images in the request" }),
    ];
    for (const refusal of refusals) {
      assertEquals(await afterRefusal(refusal), [seen, told(UNREADABLE), seen]);
    }
  });

  Deno.test(`${api}: without images, and with other words, a refusal is a refusal`, async () => {
    const about = refuses(400, { message: "image input is not supported" });
    const plain = await answered(about, {}, { api });
    assertEquals(plain.error?.code, "upstream_bad_request");
    const asking = { messages: shown };
    const other = await answered(refuses(404), asking, { api });
    assertEquals(other.error?.code, "upstream_bad_request");
    const limited = await answered(
      [refuses(429, { message: "image quota" }), whole("ok")],
      asking,
      { api },
    );
    assertEquals(limited.retries.length, 1);
    assertEquals(questions(limited.requests[1]!.body), seen);
  });
}

Deno.test("chat: call ids of any kind are rewritten once a server wants nine letters and digits, call and result alike", async () => {
  await using upstream = await scriptedUpstream([
    refuses(400, {
      message: "Tool call id was call_3tsyQ1uME but must be a-z, A-Z, 0-9, " +
        "with a length of 9.",
    }),
    says("ok"),
    says("ok"),
  ]);
  const model = modelAt(upstream);
  const call = (id: string) => ({ id, name: "clock", arguments: "{}" });
  const messages: ModelMessage[] = [
    { role: "user", text: "time?" },
    {
      role: "assistant",
      text: "",
      toolCalls: [call("call_3tsyQ1uME"), call("AbCdEf123")],
    },
    { role: "tool", toolCallId: "call_3tsyQ1uME", text: "noon" },
    { role: "tool", toolCallId: "AbCdEf123", text: "noon" },
  ];
  assertEquals((await ask(model, { messages })).text, "ok");
  await ask(model, { messages });
  const ids = upstream.requests.map(({ body }) => [
    ...body.messages[1].tool_calls.map(({ id }: { id: string }) => id),
    ...body.messages.slice(2).map((message: { tool_call_id: string }) =>
      message.tool_call_id
    ),
  ]);
  const [before, after, later] = ids;
  assertEquals(before, [
    "call_3tsyQ1uME",
    "AbCdEf123",
    "call_3tsyQ1uME",
    "AbCdEf123",
  ]);
  const [rewritten] = after!;
  assertMatch(rewritten, /^[a-z0-9]{9}$/);
  assertEquals(after, [rewritten, "AbCdEf123", rewritten, "AbCdEf123"]);
  assertEquals(later, after);
});

Deno.test("what was refused is tried again after an hour, and was only left out if that helped", async () => {
  using clock = laterClock();
  await using upstream = await scriptedUpstream([
    refuses(400, { message: "temperature is not supported" }),
    refuses(401, { message: "no" }),
    refuses(400, { message: "temperature is not supported" }),
    says("ok"),
    says("ok"),
    says("ok"),
  ]);
  const model = modelAt(upstream);
  assertEquals((await ask(model)).error?.code, "upstream_auth");
  assertEquals((await ask(model)).text, "ok");
  assertEquals((await ask(model)).text, "ok");
  clock.pass(60 * 60_000);
  assertEquals((await ask(model)).text, "ok");
  assertEquals(
    upstream.requests.map(({ body }) => "temperature" in body),
    [true, false, true, false, false, true],
  );
});

/** A clock that can be told to be later. */
function laterClock() {
  const now = performance.now.bind(performance);
  let more = 0;
  performance.now = () => now() + more;
  return {
    pass: (ms: number) => void (more += ms),
    [Symbol.dispose]: () => void (performance.now = now),
  };
}
