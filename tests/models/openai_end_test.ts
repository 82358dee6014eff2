import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ask } from "../helpers/ask_model.ts";
import {
  choice,
  chunk,
  cut,
  done,
  event,
  finish,
  pause,
  reset,
  role,
  says,
  type Script,
  scriptedUpstream,
  sse,
  sseWith,
  type Step,
} from "../helpers/scripted_upstream.ts";
import { answered, KEY, modelAt } from "./harness.ts";

// How an answer ends, well or badly.

const hello = [..."Hello"].map((content) => chunk({ content }));
const end = [finish("stop"), done()];

/** An answer made of these pieces and an ordinary end. */
const ended = (...steps: Step[]) => sse(...steps, ...end);

Deno.test("U08: a reset after 5 deltas is upstream_reset; they stay, nothing is asked again", async () => {
  const read = Promise.withResolvers<void>();
  const said = await answered(sse(...hello, pause(read.promise), reset()), {
    heard: (_, { length }) => length === 5 && read.resolve(),
  });
  assertEquals(said.error?.code, "upstream_reset");
  assertEquals(said.error?.options.retryable, true);
  assertEquals(said.text, "Hello");
  assertEquals(said.requests.length, 1);
});

Deno.test("U09: a stream that ends without a finish is upstream_truncated", async () => {
  for (const framing of ["chunked", "close"] as const) {
    const said = await answered(sseWith({ framing }, ...hello));
    assertEquals(said.error?.code, "upstream_truncated");
    assertEquals(said.text, "Hello");
  }
});

Deno.test("U09: one that ends before its first delta is asked again", async () => {
  const said = await answered([sse(role()), says("Whole.")]);
  assertEquals(said.text, "Whole.");
});

Deno.test("U10: an end inside a JSON chunk is upstream_truncated", async () => {
  const half = chunk({ content: "never" }).slice(0, 90);
  for (const tail of [half, `${half}\n`]) {
    const said = await answered(
      sseWith({ framing: "close" }, ...hello, tail, cut()),
    );
    assertEquals(said.error?.code, "upstream_truncated");
    assertEquals(said.text, "Hello");
  }
});

Deno.test("U11: broken JSON in the middle is upstream_malformed, text before it kept", async () => {
  const said = await answered(ended(...hello, "data: {oops\n\n"));
  assertEquals(said.error?.code, "upstream_malformed");
  assertEquals(said.text, "Hello");
  assert(!Deno.inspect(said.error).includes("oops"));
});

Deno.test("U12: an error object in the stream is upstream_error with the provider's code", async () => {
  const scripts: Script[] = [
    ended(...hello, event({ error: { code: "overloaded", message: KEY } })),
    ended(
      ...hello,
      `event: error\n${event({ code: "overloaded", message: KEY })}`,
    ),
    ended(...hello, choice({}, { error: { type: "overloaded" } })),
  ];
  for (const script of scripts) {
    const said = await answered(script);
    assertEquals(said.error?.code, "upstream_error");
    assertEquals(
      said.error?.message,
      "The model provider reported an error (overloaded).",
    );
    assertEquals(said.text, "Hello");
    assert(!Deno.inspect(said.error).includes(KEY));
  }
});

Deno.test("U12: a code that may be a secret is not shown; a bare string is understood", async () => {
  for (const code of [KEY, "has spaces", "x".repeat(60), 7.5e300]) {
    const said = await answered(ended(...hello, event({ error: { code } })));
    assert(!said.error!.message.includes(String(code)), said.error!.message);
  }
  const bare = await answered(ended(...hello, event({ error: "no memory" })));
  assertEquals(bare.error?.code, "upstream_error");
});

Deno.test("U13: an error object after the finish only warns", async () => {
  const said = await answered(
    sse(...hello, finish("stop"), event({ error: { code: "late_one" } })),
  );
  assertEquals(said.turn?.finishReason, "stop");
  assertStringIncludes(said.warnings.join(), "late_one");
});

Deno.test("U13: a connection that breaks after the finish breaks nothing", async () => {
  await using upstream = await scriptedUpstream([
    sse(...hello, finish("stop"), pause(20), reset()),
  ]);
  const said = await ask(modelAt(upstream));
  assertEquals([said.text, said.turn?.finishReason], ["Hello", "stop"]);
});

Deno.test("U23: length and content_filter keep the partial text", async () => {
  const reasons = { length: "length", content_filter: "content-filter" };
  for (const [reason, finishReason] of Object.entries(reasons)) {
    const said = await answered(sse(...hello, finish(reason), done()));
    assertEquals([said.text, said.turn?.finishReason], ["Hello", finishReason]);
  }
});

Deno.test("U25: eos is other, empty reasons are no reason, no resources is unavailable", async () => {
  const eos = await answered(sse(...hello, finish("eos")));
  assertEquals(eos.turn?.finishReason, "other");
  const empty = await answered(
    sse(finish("", { content: "a" }), finish("", { content: "b" }), ...end),
  );
  assertEquals([empty.text, empty.turn?.finishReason], ["ab", "stop"]);
  const poor = await answered(
    sse(...hello, finish("insufficient_system_resource"), done()),
  );
  assertEquals(poor.error?.code, "upstream_unavailable");
  assertEquals(poor.error?.options.retryable, true);
});

Deno.test("U25: [DONE] alone is an end as well", async () => {
  const said = await answered(sse(...hello, done()));
  assertEquals([said.text, said.turn?.finishReason], ["Hello", "stop"]);
});

Deno.test("U26: text after the finish and chunks after [DONE] are ignored and counted", async () => {
  const said = await answered(sse(
    ...hello,
    finish("stop", { content: "!" }) + chunk({ content: "late" }) + done() +
      chunk({ content: "later" }) + "data: {broken\n\n",
  ));
  assertEquals([said.text, said.turn?.finishReason], ["Hello!", "stop"]);
  assertStringIncludes(said.warnings.join(), "3 chunk(s)");
});
