import { assert, assertEquals, assertRejects } from "@std/assert";
import { ask, type Asking } from "../helpers/ask_model.ts";
import {
  comment,
  event,
  hang,
  pause,
  refuses,
  reply,
  reset,
  type Script,
  scriptedUpstream,
  silent,
  sse,
  type Step,
} from "../helpers/scripted_upstream.ts";
import { answered, modelAt } from "./harness.ts";
import { DIALECTS } from "./openai_dialects.ts";

// What is true of both APIs: how an answer begins and ends, well or badly.

for (const say of DIALECTS) {
  const { api, begin, text } = say;
  const sentence = (name: string, body: () => Promise<void>) =>
    Deno.test(`${api}: ${name}`, body);
  const hello = [begin, ...[..."Hello"].map(text)];
  const ended = (...steps: Step[]) => sse(...steps, say.end());
  const asked = (scripts: Script | Script[], asking?: Asking) =>
    answered(scripts, asking, { api });

  sentence("an ordinary answer is heard piece by piece", async () => {
    const said = await asked(say.whole("Hello, 世界!"));
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
    assertEquals(said.requests.map(({ path }) => path), [say.path]);
    assertEquals(said.warnings, []);
  });

  sentence("U01: a 429 is waited for, then the text is whole", async () => {
    const said = await asked([
      refuses(429, {}, { "retry-after-ms": "20" }),
      say.whole("ok"),
    ]);
    assertEquals([said.text, said.retries.map((r) => r.afterMs)], ["ok", [20]]);
    assertEquals(said.retries[0]?.rateLimited, true);
  });

  sentence("U03: 500, 500, ok gives the whole text", async () => {
    const said = await asked([refuses(500), refuses(500), say.whole("ok")]);
    assertEquals([said.text, said.requests.length], ["ok", 3]);
  });

  sentence(
    "U05, U06: refusals have their codes, after one request",
    async () => {
      const codes: [Script, string][] = [
        [
          refuses(400, { code: "context_length_exceeded" }),
          "context_length_exceeded",
        ],
        [refuses(401), "upstream_auth"],
        [refuses(404), "upstream_bad_request"],
        [refuses(422), "upstream_bad_request"],
      ];
      for (const [script, code] of codes) {
        const said = await asked(script);
        assertEquals([said.error?.code, said.retries], [code as never, []]);
      }
    },
  );

  sentence("U07: a reset before the headers is asked again", async () => {
    const said = await asked([silent(reset()), say.whole("ok")]);
    assertEquals(said.text, "ok");
  });

  sentence(
    "U08: a reset in the text is upstream_reset, the text stays",
    async () => {
      const read = Promise.withResolvers<void>();
      const said = await asked(sse(...hello, pause(read.promise), reset()), {
        heard: (_, { length }) => length === 5 && read.resolve(),
      });
      assertEquals([said.error?.code, said.text], ["upstream_reset", "Hello"]);
      assertEquals(said.retries, []);
    },
  );

  sentence(
    "U09, U10: an end without an end is upstream_truncated",
    async () => {
      for (const tail of ["", text("never").slice(0, 60)]) {
        const said = await asked(sse(...hello, tail));
        assertEquals(said.error?.code, "upstream_truncated");
        assertEquals([said.text, said.retries], ["Hello", []]);
      }
      const again = await asked([sse(begin), say.whole("ok")]);
      assertEquals([again.text, again.retries.length], ["ok", 1]);
    },
  );

  sentence(
    "U11: broken JSON is upstream_malformed, text before it kept",
    async () => {
      const said = await asked(ended(...hello, "data: {oops and more\n\n"));
      assertEquals([said.error?.code, said.text], [
        "upstream_malformed",
        "Hello",
      ]);
    },
  );

  sentence("U12: the provider's error keeps its code", async () => {
    const errors = [
      say.broken("overloaded"),
      `event: error\n${event({ type: "error", code: "overloaded" })}`,
      event({ type: "error", error: { code: "overloaded" } }),
    ];
    for (const broken of errors) {
      const said = await asked(ended(...hello, broken));
      assertEquals([said.error?.code, said.text], ["upstream_error", "Hello"]);
      assertEquals(
        said.error?.message,
        "The model provider reported an error (overloaded).",
      );
    }
    const long = await asked(sse(begin, say.broken("context_length_exceeded")));
    assertEquals(long.error?.code, "context_length_exceeded");
    const passing = await asked([
      sse(begin, say.broken("rate_limit_exceeded")),
      say.whole("ok"),
    ]);
    assertEquals(passing.text, "ok");
  });

  sentence(
    "U13, U26: nothing said after the end can spoil the answer",
    async () => {
      const said = await asked(
        sse(
          ...hello,
          say.end() + text("late") + "data: {broken, and long\n\n" +
            event({ error: { code: "late_one" } }),
        ),
      );
      assertEquals([said.text, said.turn?.finishReason], ["Hello", "stop"]);
      const warned = said.warnings.join();
      assert(/3 chunk\(s\)/.test(warned) && /late_one/.test(warned), warned);
    },
  );

  sentence("U14: a login page, nothing, and an error in a 200", async () => {
    const page = { "content-type": "text/html" };
    for (const script of [reply(200, "<html>Log in", page), sse()]) {
      const said = await asked(script);
      assertEquals(said.error?.code, "upstream_bad_response");
    }
    const said = await asked(refuses(200, { code: "not_ready" }));
    assertEquals(said.error?.code, "upstream_bad_response");
  });

  sentence(
    "U15: silence before and after the headers closes the socket",
    async () => {
      const silences = {
        upstream_timeout: [silent(hang()), { headersMs: 400 }],
        upstream_stalled: [sse(...hello, hang()), { silenceMs: 80 }],
      } as const;
      for (const [code, [script, timings]] of Object.entries(silences)) {
        await using upstream = await scriptedUpstream([script]);
        const said = await ask(modelAt(upstream, { api, timings }));
        assertEquals(said.error?.code, code as never);
        await upstream.requests[0]!.closed;
      }
    },
  );

  sentence("U15: comments and pings do not break the silence", async () => {
    const ping = `event: ping\n${event({ type: "ping" })}`;
    for (const noise of [comment("hb"), ping, "data:\n\n"]) {
      await using upstream = await scriptedUpstream([
        sse(
          begin,
          ...Array.from({ length: 100 }, () => [pause(20), noise]).flat(),
        ),
      ]);
      const { error } = await ask(
        modelAt(upstream, { api, timings: { silenceMs: 120 } }),
      );
      assertEquals(error?.code, "upstream_stalled");
    }
  });

  sentence(
    "U26: an end of the stream that never comes is not waited for",
    async () => {
      await using upstream = await scriptedUpstream([
        sse(...hello, say.end(), hang()),
      ]);
      const began = performance.now();
      const said = await ask(
        modelAt(upstream, { api, timings: { doneMs: 50 } }),
      );
      assertEquals([said.text, said.turn?.finishReason], ["Hello", "stop"]);
      assert(performance.now() - began < 1_500, "it was waited for");
      await upstream.requests[0]!.closed;
    },
  );

  sentence(
    "stop closes the socket, before the headers and in the text",
    async () => {
      for (const script of [silent(hang()), sse(hello.join(""), hang())]) {
        await using upstream = await scriptedUpstream([script]);
        const controller = new AbortController();
        const reason = new Error("stopped by a person");
        const stop = () => controller.abort(reason);
        const words: string[] = [];
        const going = ask(modelAt(upstream, { api }), {
          signal: controller.signal,
          heard: () => words.push("") === 3 && stop(),
        });
        const request = await upstream.arrived(1);
        if (script.head === "") stop();
        assert(await assertRejects(() => going) === reason);
        await request.closed;
        assertEquals(words.length, script.head === "" ? 0 : 3);
      }
    },
  );
}
