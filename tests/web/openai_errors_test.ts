/** What `/v1` refuses, and how a run that fails there is told. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import * as z from "zod";
import { ModelError } from "../../lib/agent/contracts.ts";
import type { ErrorCode } from "../../lib/chat/events.ts";
import { startApp } from "../helpers/app.ts";
import { answerOnce, chunks, complete, USER } from "../helpers/openai_wire.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { JSON_TYPE } from "../helpers/run_client.ts";

Deno.test("a failed run is an OpenAI error: a status before the stream, a frame without [DONE] in it", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const cases: [ErrorCode, number, string][] = [
    ["upstream_rate_limited", 429, "rate_limit_error"],
    ["context_length_exceeded", 400, "invalid_request_error"],
    ["upstream_auth", 502, "server_error"],
    ["upstream_timeout", 504, "server_error"],
  ];
  for (const [code, status, type] of cases) {
    const fail = async () => {
      const puppet = await model.next();
      puppet.fail(
        new ModelError(code, "In plain words.", {
          retryable: status === 429,
          retryAfterMs: status === 429 ? 1500 : undefined,
        }),
      );
    };
    const asking = complete(app, {});
    await fail();
    const response = await asking;
    assertEquals(response.status, status);
    const error = { message: "In plain words.", type, param: null, code };
    assertEquals(await response.json(), { error });
    const { headers } = response;
    assertEquals(headers.get("x-should-retry"), String(status === 429));
    assertEquals(headers.get("retry-after"), status === 429 ? "2" : null);
    const streaming = complete(app, { stream: true });
    await fail();
    const list = await chunks(await streaming);
    assertEquals(list.at(-1), { error });
  }
  const stopping = complete(app, { stream: true });
  (await model.next()).say("half");
  const response = await stopping;
  const run = response.headers.get("x-run-id")!;
  await app.shows(run, "half");
  await fetch(`${app.url}/api/runs/${run}/stop`, { method: "POST" })
    .then((response) => response.body?.cancel());
  const last = (await chunks(response)).at(-1);
  assertEquals(last.error.code, "run_stopped");
});

Deno.test("what cannot be given is refused by name, and hints are ignored", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const image = (url: string) => ({
    messages: [{
      role: "user",
      content: [{ type: "image_url", image_url: { url } }],
    }],
  });
  const tool = { type: "function", function: { name: "f", parameters: {} } };
  const cases: [body: object, param: string, code: string][] = [
    [{ n: 2 }, "n", "unsupported_parameter"],
    [{ tools: [tool] }, "tools", "unsupported_parameter"],
    [{ functions: [{ name: "f" }] }, "functions", "unsupported_parameter"],
    [{ tool_choice: "required" }, "tool_choice", "unsupported_parameter"],
    [
      { response_format: { type: "json_object" } },
      "response_format",
      "unsupported_parameter",
    ],
    [{ modalities: ["text", "audio"] }, "modalities", "unsupported_parameter"],
    [
      { modalities: { toString: 1 } },
      "modalities",
      "unsupported_parameter",
    ],
    [{ audio: { voice: "x" } }, "audio", "unsupported_parameter"],
    [{ logprobs: true }, "logprobs", "unsupported_parameter"],
    [{ stop: ["\n"] }, "stop", "unsupported_parameter"],
    [{ logit_bias: { "1": 5 } }, "logit_bias", "unsupported_parameter"],
    [{ temperature: 3 }, "temperature", "field_too_large"],
    [{ model: undefined }, "model", "missing_field"],
    [{ messages: [] }, "messages", "field_too_small"],
    [{ messages: [{ role: "wizard" }] }, "messages[0].role", "invalid_field"],
    [
      { messages: [{ role: "system", content: "x" }] },
      "messages",
      "no_question",
    ],
    [
      { messages: [...USER, { role: "user", content: " " }] },
      "messages[1].content",
      "no_question",
    ],
    [
      { messages: [{ role: "user", content: [{ type: "input_audio" }] }] },
      "messages[0].content[0]",
      "unsupported_content",
    ],
    [
      image("https://example.org/cat.png"),
      "messages[0].content[0].image_url.url",
      "remote_image",
    ],
    [
      image("data:image/svg+xml;base64,PHN2Zz4="),
      "messages[0].content[0].image_url.url",
      "invalid_image",
    ],
    [
      // Passes for base64, but cannot be read again.
      image("data:image/png;base64,AAAAA"),
      "messages[0].content[0].image_url.url",
      "invalid_image",
    ],
  ];
  for (const [body, param, code] of cases) {
    const response = await complete(app, body);
    const { error } = await response.json();
    assertEquals([response.status, error.param, error.code], [
      400,
      param,
      code,
    ]);
    assertEquals(error.type, "invalid_request_error");
    assert(error.message.length > 0);
  }
  assertEquals(model.count, 0);
  const hints = {
    n: 1,
    tools: [],
    tool_choice: "auto",
    response_format: { type: "text" },
    modalities: ["text"],
    stop: null,
    logprobs: false,
    max_tokens: 5,
    max_completion_tokens: 5,
    top_p: 0.5,
    seed: 1,
    presence_penalty: 1,
    reasoning_effort: "low",
    user: "u",
    metadata: { a: "b" },
    store: true,
    parallel_tool_calls: false,
  };
  const asking = complete(app, hints);
  await answerOnce(model);
  const response = await asking;
  assertEquals(response.status, 200, await response.text());
});

Deno.test("T01: a call that needs a person is refused where nobody can be asked, and the answer goes on", async () => {
  const model = new PuppetModel();
  const ran: unknown[] = [];
  await using app = await startApp({
    model,
    tools: [{
      name: "send_mail",
      description: "Sends",
      input: z.object({}),
      effect: "external",
      run: (input) => {
        ran.push(input);
        return { text: "sent" };
      },
    }],
  });
  const asking = complete(app, {});
  (await model.next()).call("send_mail", {});
  const second = await model.next();
  const result = second.request.messages.at(-1)!;
  assert(result.role === "tool" && result.text !== "sent", result.role);
  second.say("I may not.").finish();
  const { choices } = await (await asking).json();
  assertEquals(choices[0].message.content, "I may not.");
  assertEquals(ran, []);
});

Deno.test("GET /v1/models lists the standard and every model, and a name that is none is 404", async () => {
  await using app = await startApp({ model: new PuppetModel() });
  const get = (path: string) => fetch(`${app.url}/v1/models${path}`);
  const list = await (await get("")).json();
  assertEquals(list.object, "list");
  const ids = list.data.map(({ id }: { id: string }) => id);
  assertEquals(ids, ["tickertape", "puppet"]);
  for (const model of list.data) {
    assertEquals(await (await get(`/${model.id}`)).json(), model);
    assertEquals([model.object, model.created], ["model", 0]);
  }
  const error = {
    message:
      'There is no model "gpt-4" here. GET /v1/models lists those there are.',
    type: "invalid_request_error",
    param: "model",
    code: "model_not_found",
  };
  for (
    const response of [
      await get("/gpt-4"),
      await complete(app, { model: "gpt-4" }),
    ]
  ) {
    assertEquals(response.status, 404);
    assertEquals(await response.json(), { error });
  }
});

Deno.test("GET /v1/models/{id} knows a model by its encoded name too", async () => {
  const id = "llama3:8b";
  const model = { id, stream: () => Promise.reject(new Error("unused")) };
  await using app = await startApp({ model });
  for (const name of [id, encodeURIComponent(id)]) {
    const response = await fetch(`${app.url}/v1/models/${name}`);
    assertEquals((await response.json()).id, id, name);
  }
});

Deno.test("E10 E14: every refusal under /v1 has OpenAI's shape, whoever makes it", async () => {
  await using app = await startApp({ model: new PuppetModel() });
  const body = JSON.stringify({ model: "tickertape", messages: USER });
  const post = (headers: HeadersInit, text: string | Uint8Array = body) =>
    fetch(`${app.url}/v1/chat/completions`, {
      method: "POST",
      headers,
      body: text as BodyInit,
    });
  const big = new Uint8Array(24 << 20).fill(32);
  const cases: [Response, number, string][] = [
    [await fetch(`${app.url}/v1/responses`), 404, "not_found"],
    [await fetch(`${app.url}/v1/models/a%2fb`), 400, "bad_path"],
    [
      await fetch(`${app.url}/v1/chat/completions`),
      405,
      "method_not_allowed",
    ],
    [
      await post({ "content-type": "text/plain" }),
      415,
      "unsupported_media_type",
    ],
    [
      await post({ ...JSON_TYPE, origin: "https://evil.example" }),
      403,
      "cross_site",
    ],
    [await post(JSON_TYPE, "{"), 400, "invalid_json"],
    [await post(JSON_TYPE, big), 413, "too_large"],
  ];
  for (const [response, status, code] of cases) {
    assertEquals(response.headers.get("access-control-allow-origin"), null);
    assertEquals(response.headers.get("content-type"), "application/json");
    assertMatch(response.headers.get("x-request-id")!, /^[0-9a-f]{16}$/);
    const { error, ...rest } = await response.json();
    assertEquals([response.status, error.code, rest], [status, code, {}]);
    assertEquals(Object.keys(error), ["message", "type", "param", "code"]);
  }
});
