import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ask } from "../helpers/ask_model.ts";
import {
  chunk,
  hang,
  refuses,
  reply,
  reset,
  role,
  says,
  scriptedUpstream,
  silent,
  sse,
  sseWith,
} from "../helpers/scripted_upstream.ts";
import { answered, KEY, modelAt } from "./harness.ts";

// Before the first token: refusals, retries, connections.

Deno.test("an ordinary answer is heard piece by piece, with its usage", async () => {
  const said = await answered(says("Hello, 世界!"));
  assertEquals(said.events, [
    { type: "text", delta: "Hell" },
    { type: "text", delta: "o, 世" },
    { type: "text", delta: "界!" },
  ]);
  assertEquals(said.turn, {
    finishReason: "stop",
    toolCalls: [],
    usage: { input: 10, output: 3, reasoning: 0, cached: 0, total: 13 },
  });
  assertEquals(said.warnings, []);
});

Deno.test("U01: a 429 with Retry-After: 1 is waited for, then the text is whole", async () => {
  const said = await answered([
    refuses(429, {}, { "retry-after": "1" }),
    says("Here it is."),
  ]);
  assertEquals(said.text, "Here it is.");
  assertEquals(said.retries, [
    { type: "retry", attempt: 2, afterMs: 1000, rateLimited: true },
  ]);
  const [first, second] = said.requests;
  assert(second!.at - first!.at >= 1000, `${second!.at - first!.at} ms`);
});

Deno.test("U01: retry-after-ms and an HTTP date are honoured too", async () => {
  const exact = await answered([
    refuses(429, {}, { "retry-after-ms": "20", "retry-after": "20" }),
    says("ok"),
  ]);
  assertEquals(exact.retries.map(({ afterMs }) => afterMs), [20]);
  const dated = await answered([
    refuses(503, {}, { "retry-after": new Date(0).toUTCString() }),
    says("ok"),
  ]);
  assertEquals(dated.retries.map(({ afterMs }) => afterMs), [0]);
  assertEquals(dated.retries.map(({ rateLimited }) => rateLimited), [false]);
});

Deno.test("U01: a Retry-After above 30 s fails at once and is reported", async () => {
  const said = await answered(refuses(429, {}, { "retry-after": "120" }));
  assertEquals(said.error?.code, "upstream_rate_limited");
  assertEquals(said.error?.options.retryAfterMs, 120_000);
  assertEquals(said.retries, []);
});

Deno.test("U02: 429 for ever is upstream_rate_limited after three requests", async () => {
  const said = await answered([refuses(429), refuses(429), refuses(429)]);
  assertEquals(said.error?.code, "upstream_rate_limited");
  assertEquals(said.error?.options.retryable, true);
  assertEquals(said.requests.length, 3);
  assertEquals(said.retries.map(({ attempt }) => attempt), [2, 3]);
});

Deno.test("U02: a used-up quota is a 429 that no retry helps", async () => {
  const said = await answered(refuses(429, { code: "insufficient_quota" }));
  assertEquals(said.error?.code, "upstream_rate_limited");
  assertEquals(said.error?.options.retryable, false);
});

Deno.test("U03: 500, 500, ok gives the whole text in three requests", async () => {
  const said = await answered([refuses(500), refuses(500), says("At last.")]);
  assertEquals(said.text, "At last.");
  assertEquals(said.requests.length, 3);
});

Deno.test("U04: 503 for ever is upstream_unavailable and retryable", async () => {
  const said = await answered([1, 2, 3].map(() => reply(503, "<html>busy")));
  assertEquals(said.error?.code, "upstream_unavailable");
  assertEquals(said.error?.options.retryable, true);
});

Deno.test("U04: a refused connection is upstream_unavailable and retryable", async () => {
  const gone = await scriptedUpstream([]);
  await gone.close();
  const { error, retries } = await ask(modelAt(gone));
  assertEquals(error?.code, "upstream_unavailable");
  assertEquals(error?.options.retryable, true);
  assertEquals(retries.length, 2);
});

Deno.test("U04: a name that does not resolve is upstream_unavailable and retryable", async () => {
  await using upstream = await scriptedUpstream([]);
  const { error } = await ask(
    modelAt(upstream, { baseUrl: "http://nobody.invalid/v1" }),
  );
  assertEquals(error?.code, "upstream_unavailable");
  assertEquals(error?.options.retryable, true);
  assert(!String(error?.cause).includes("nobody.invalid"));
});

Deno.test("U05: 400 context_length_exceeded keeps its code, after one request", async () => {
  const said = await answered(
    refuses(400, { code: "context_length_exceeded" }),
  );
  assertEquals(said.error?.code, "context_length_exceeded");
  const foreign = await answered(
    reply(400, { message: "This model's maximum context length is 8192" }),
  );
  assertEquals(foreign.error?.code, "context_length_exceeded");
});

Deno.test("U05: 400, 401, 403, 404 and 422 are never asked again", async () => {
  const codes: Record<number, string> = {
    400: "upstream_bad_request",
    401: "upstream_auth",
    403: "upstream_auth",
    404: "upstream_bad_request",
    422: "upstream_bad_request",
  };
  for (const [status, code] of Object.entries(codes)) {
    const said = await answered(refuses(Number(status)));
    assertEquals(said.error?.code, code, status);
    assertEquals(said.retries, []);
  }
});

Deno.test("U06: a 401 that quotes the key shows it nowhere", async () => {
  for (const apiKey of [KEY, "Just/another+secret=="]) {
    const masked = "sk-test*****ffee";
    const said = await answered(
      refuses(401, {
        message: `Incorrect API key provided: ${apiKey}, ${masked}. See ` +
          `http://127.0.0.1/v1/keys?k=${apiKey}, header Bearer ${apiKey}`,
        code: apiKey,
      }),
      {},
      { apiKey },
    );
    assertEquals(said.error?.code, "upstream_auth");
    const sent = said.requests[0]!.headers.get("authorization");
    assertEquals(sent, `Bearer ${apiKey}`);
    const whole = Deno.inspect(said.error, { depth: 10 });
    for (const secret of [apiKey, masked, "127.0.0.1", apiKey.slice(8)]) {
      assert(!whole.includes(secret), `${secret} in ${whole}`);
    }
  }
});

Deno.test("U06: a 400 about the key is upstream_auth, in a list as well", async () => {
  const sentences = [
    "API key not valid. Please pass a valid API key.",
    "Incorrect API key provided.",
  ];
  for (const message of sentences) {
    const said = await answered(
      reply(400, [{ error: { code: 400, message } }]),
    );
    assertEquals(said.error?.code, "upstream_auth");
  }
  const other = await answered(refuses(400, { message: "No api key needed." }));
  assertEquals(other.error?.code, "upstream_bad_request");
});

Deno.test("U07: a reset before the headers is asked again", async () => {
  const said = await answered([silent(reset()), says("Second time lucky.")]);
  assertEquals(said.text, "Second time lucky.");
  assertEquals(said.requests.length, 2);
});

Deno.test("U07: resets for ever are upstream_reset after three requests", async () => {
  const said = await answered([1, 2, 3].map(() => silent(reset())));
  assertEquals(said.error?.code, "upstream_reset");
  assertEquals(said.error?.options.retryable, true);
});

Deno.test("U14: 200 with a login page is upstream_bad_response", async () => {
  const said = await answered(
    reply(200, "<html>Log in</html>", { "content-type": "text/html" }),
  );
  assertEquals(said.error?.code, "upstream_bad_response");
  assertEquals(said.error?.options.retryable, false);
});

Deno.test("U14: 200 with an empty body is upstream_bad_response", async () => {
  assertEquals((await answered(sse())).error?.code, "upstream_bad_response");
  const bare = await answered(reply(200, ""));
  assertEquals(bare.error?.code, "upstream_bad_response");
});

Deno.test("U14: an error object in a 200 that is no stream keeps its code", async () => {
  const said = await answered(refuses(200, { code: "model_not_ready" }));
  assertEquals(said.error?.code, "upstream_bad_response");
  assertStringIncludes(said.error!.message, "(model_not_ready)");
  const long = await answered(
    refuses(200, { code: "context_length_exceeded" }),
  );
  assertEquals(long.error?.code, "context_length_exceeded");
});

Deno.test("U14: a redirect is not followed: the conversation stays here", async () => {
  const said = await answered(
    reply(307, "", { location: "http://127.0.0.1:9/v1/chat/completions" }),
  );
  assertEquals(said.error?.code, "upstream_bad_response");
});

Deno.test("U15: no headers in time is upstream_timeout, and the socket closes", async () => {
  await using upstream = await scriptedUpstream([silent(hang())]);
  const { error, retries } = await ask(
    // Long enough for the request to arrive first, on a busy machine too.
    modelAt(upstream, { timings: { headersMs: 400 } }),
  );
  assertEquals(error?.code, "upstream_timeout");
  assertEquals(error?.options.retryable, true);
  assertEquals(retries, []);
  await upstream.requests[0]!.closed;
});

Deno.test("U15: an error status whose body never ends is still that error", async () => {
  await using upstream = await scriptedUpstream([
    sseWith({ status: 400, headers: { "content-type": "text/plain" } }, hang()),
  ]);
  const { error } = await ask(
    modelAt(upstream, { timings: { errorBodyMs: 60 } }),
  );
  assertEquals(error?.code, "upstream_bad_request");
  await upstream.requests[0]!.closed;
});

Deno.test("nothing is asked again once something was shown", async () => {
  const said = await answered(
    sse(role(), chunk({ content: "Hal" }), 'data: {"error":{"code":503}}\n\n'),
  );
  assertEquals(said.text, "Hal");
  assertEquals(said.error?.options.retryable, true);
  assertEquals(said.retries, []);
});
