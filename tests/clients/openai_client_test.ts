/** A client nobody here wrote: `openai` from npm asks the agent as if it were a model. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import OpenAI, { APIError } from "openai";
import { Tokens } from "../../lib/access/mod.ts";
import { ModelError } from "../../lib/agent/contracts.ts";
import { type App, startApp } from "../helpers/app.ts";
import { BUS_ANSWER, BUS_QUESTION, startDemoApp } from "../helpers/demo_app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";

const client = (app: App, apiKey = "none") =>
  new OpenAI({ baseURL: `${app.url}/v1`, apiKey, maxRetries: 0 });

const ask = (content: string) => ({
  model: "tickertape",
  messages: [{ role: "user" as const, content }],
});

Deno.test("the openai client gets the answer to a bus question, streamed and whole, with tools run on the server", async () => {
  await using app = await startDemoApp();
  const openai = client(app);
  const stream = openai.chat.completions.stream({
    ...ask(BUS_QUESTION),
    stream_options: { include_usage: true },
  });
  let streamed = "";
  stream.on("content", (delta) => streamed += delta);
  const final = await stream.finalChatCompletion();
  const [choice] = final.choices;
  assertMatch(choice!.message.content ?? "", BUS_ANSWER);
  assertEquals(streamed, choice!.message.content);
  assertEquals(choice!.finish_reason, "stop");
  assertEquals(choice!.message.tool_calls ?? [], []);
  assert(final.usage!.total_tokens > 0);

  const { data: whole, response } = await openai.chat.completions
    .create(ask(BUS_QUESTION)).withResponse();
  assertEquals(whole.choices[0]!.message.content, choice!.message.content);
  assertEquals(whole.model, final.model);
  const run = response.headers.get("x-run-id")!;
  const { answer } = (await app.services.runs.view("local", run))!;
  assert(
    answer.parts.some((part) =>
      part.kind === "tool" && part.name === "bus_schedule" &&
      part.state === "done"
    ),
  );
});

Deno.test("the openai client goes on with a conversation it keeps itself, and lists the models", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const openai = client(app);
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: "system", content: "be brief" },
    { role: "user", content: "one" },
  ];
  const first = openai.chat.completions.create({ model: "puppet", messages });
  (await model.next()).say("eins").finish();
  messages.push((await first).choices[0]!.message);
  messages.push({ role: "user", content: "two" });
  const second = openai.chat.completions.create({ model: "puppet", messages });
  const puppet = await model.next();
  assertEquals(
    puppet.request.messages.slice(1).map(({ role }) => role),
    ["system", "user", "assistant", "user"],
  );
  puppet.say("zwei").finish();
  assertEquals((await second).choices[0]!.message.content, "zwei");
  const ids = [];
  for await (const { id } of openai.models.list()) ids.push(id);
  assertEquals(ids, ["tickertape", "puppet"]);
  assertEquals(
    (await openai.models.retrieve("puppet")).owned_by.length > 0,
    true,
  );
});

Deno.test("the openai client throws its own errors: unknown model and parameter, wrong token, failed run", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const openai = client(app);
  const notFound = await assertRejects(
    () => openai.chat.completions.create({ ...ask("hi"), model: "gpt-4" }),
    OpenAI.NotFoundError,
  );
  assertEquals([notFound.code, notFound.param], ["model_not_found", "model"]);
  const bad = await assertRejects(
    () => openai.chat.completions.create({ ...ask("hi"), n: 2 }),
    OpenAI.BadRequestError,
  );
  assertEquals(bad.param, "n");
  assertMatch(bad.requestID ?? "", /^[0-9a-f]{16}$/);

  const limited = () => {
    const error = new ModelError("upstream_rate_limited", "Too many.", {
      retryable: true,
      retryAfterMs: 1000,
    });
    return model.next().then((puppet) => puppet.say("half").fail(error));
  };
  const whole = openai.chat.completions.create(ask("hi"));
  whole.catch(() => {});
  await limited();
  await assertRejects(() => whole, OpenAI.RateLimitError, "Too many.");
  const stream = openai.chat.completions.create({ ...ask("hi"), stream: true });
  await limited();
  let text = "";
  const failed = await assertRejects(async () => {
    for await (const { choices } of await stream) {
      text += choices[0]?.delta.content ?? "";
    }
  }, APIError);
  assertEquals([text, failed.code], ["half", "upstream_rate_limited"]);

  const tokens = new Tokens(app.services.store);
  const token = await tokens.add("client");
  await assertRejects(
    () => client(app, "sk-wrong").models.list(),
    OpenAI.AuthenticationError,
  );
  assertEquals((await client(app, token).models.list()).data.length, 2);
});

Deno.test("the openai client stops the run when it aborts its stream", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const asking = client(app).chat.completions.create({
    ...ask("hi"),
    stream: true,
  });
  const puppet = await model.next();
  puppet.say("half");
  for await (const chunk of await asking) {
    if (chunk.choices[0]?.delta.content === "half") break;
  }
  assertEquals(await puppet.aborted, "user");
});

Deno.test("streaming R11, N10: the openai client that loses its patience tries again with its key, and gets the answer of the same run", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  let tries = 0;
  const openai = new OpenAI({
    baseURL: `${app.url}/v1`,
    apiKey: "none",
    maxRetries: 1,
    fetch: (url, init) => {
      tries++;
      return fetch(url, init);
    },
  });
  const asking = openai.chat.completions.create(ask("hi"), {
    headers: { "Idempotency-Key": "k-1" },
    timeout: 500,
  });
  const puppet = await model.next();
  await app.until(() => tries === 2);
  puppet.say("once").finish();
  assertEquals((await asking).choices[0]!.message.content, "once");
  assertEquals(model.count, 1);

  const failing = openai.chat.completions.create(ask("no"), {
    headers: { "Idempotency-Key": "k-2" },
  });
  failing.catch(() => {});
  const error = new ModelError("upstream_rate_limited", "Too many.", {
    retryable: true,
  });
  (await model.next()).fail(error);
  const refused = await assertRejects(() => failing, OpenAI.RateLimitError);
  // Its run has failed for good: the same again would be the same.
  assertEquals(refused.headers!.get("x-should-retry"), "false");
  assertEquals(model.count, 2);
});
