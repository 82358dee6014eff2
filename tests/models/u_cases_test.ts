/**
 * The upstream cases end to end: a scripted provider on a raw socket, the whole
 * app with its own adapter, and what a client reads from the run's stream.
 */
import { assert, assertEquals } from "@std/assert";
import { openStore, type Store } from "../../lib/store/mod.ts";
import {
  chunk,
  done,
  finish,
  hang,
  pause,
  refuses,
  reset,
  says,
  silent,
  sse,
} from "../helpers/scripted_upstream.ts";
import {
  appStage,
  assertError,
  assertFinish,
  fasterClock,
  KEY,
  type Told,
  withoutJitter,
} from "./app_stage.ts";

const hello = [..."Hello"].map((content) => chunk({ content }));
const end = [finish("stop"), done()];
/** Refused, to be asked again at once. */
const again = (status: number) =>
  refuses(status, {}, { "retry-after-ms": "5" });

const notices = (told: Told) =>
  told.events.filter((event) => event.type === "data-run").map(({ data }) =>
    data
  );

Deno.test("U01: a 429 with Retry-After: 1 is told as waiting 1000, waited for, and then the text is whole", async () => {
  await using stage = await appStage([
    refuses(429, {}, { "retry-after": "1" }),
    says("Here it is."),
  ]);
  const told = await stage.ask();
  assertFinish(told);
  assertEquals(told.text, "Here it is.");
  assertEquals(notices(told), [
    { status: "waiting", attempt: 2, retryAfterMs: 1000 },
  ]);
  const [first, second] = stage.upstream.requests;
  assert(second!.at - first!.at >= 1000, `${second!.at - first!.at} ms`);
});

Deno.test("U02: 429 for ever ends the run as upstream_rate_limited after three requests", async () => {
  await using stage = await appStage([again(429), again(429), again(429)]);
  const told = await stage.ask();
  assertError(told, "upstream_rate_limited", true);
  assertEquals(notices(told).map(({ status }) => status), [
    "waiting",
    "waiting",
  ]);
});

Deno.test("U03: 500, 500, ok is a whole answer in three requests", async () => {
  await using stage = await appStage([
    again(500),
    again(500),
    says("At last."),
  ]);
  const told = await stage.ask();
  assertFinish(told);
  assertEquals(told.text, "At last.");
  assertEquals(notices(told), [
    { status: "retrying", attempt: 2 },
    { status: "retrying", attempt: 3 },
  ]);
});

Deno.test("U04: 503 for ever, a refused connection and a name nobody knows are upstream_unavailable, to be tried again", async () => {
  using _ = withoutJitter();
  {
    await using stage = await appStage([again(503), again(503), again(503)]);
    assertError(await stage.ask(), "upstream_unavailable", true);
  }
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  for (const host of [`127.0.0.1:${port}`, "nobody.invalid"]) {
    await using stage = await appStage([], {
      env: { OPENAI_BASE_URL: `http://${host}/v1` },
    });
    const told = await stage.ask();
    assertError(told, "upstream_unavailable", true);
    assertEquals(notices(told).length, 2);
    const everything = JSON.stringify([told.frames, stage.app.log]);
    assert(!everything.includes(host), everything);
  }
});

Deno.test("U06: a 401 that quotes the key is upstream_auth, and the key is in no frame, page or log line", async () => {
  await using stage = await appStage(
    refuses(401, {
      message: `Incorrect API key provided: ${KEY}. Header: Bearer ${KEY}`,
      code: KEY,
    }),
    { env: { TICKERTAPE_LOG: "debug" } },
  );
  const told = await stage.ask();
  assertError(told, "upstream_auth", false);
  const sent = stage.upstream.requests[0]!.headers.get("authorization");
  assertEquals(sent, `Bearer ${KEY}`);
  const { run_id, chat_id } = told.started;
  const seen: Record<string, string> = {
    frames: JSON.stringify(told.frames),
    log: stage.app.log.join(""),
  };
  for (
    const path of [
      `/api/runs/${run_id}`,
      `/api/chats/${chat_id}`,
      `/c/${chat_id}`,
    ]
  ) {
    const response = await fetch(`${stage.app.url}${path}`);
    assertEquals(response.status, 200, path);
    seen[path] = await response.text();
  }
  assert(seen.log!.includes("upstream_auth"), seen.log);
  for (const [where, words] of Object.entries(seen)) {
    for (const secret of [KEY, KEY.slice(8), btoa(KEY)]) {
      assert(!words.includes(secret), `${secret} in ${where}: ${words}`);
    }
  }
});

Deno.test("U08: a reset after 5 deltas is upstream_reset; the 5 are kept, and nothing is asked again", async () => {
  const shown = Promise.withResolvers<void>();
  await using stage = await appStage(
    sse(...hello, pause(shown.promise), reset()),
  );
  const started = await stage.start();
  await stage.app.shows(started.run_id, "Hello");
  shown.resolve();
  const told = await stage.read(started);
  assertError(told, "upstream_reset", true);
  assertEquals(told.text, "Hello");
  assertEquals(notices(told), []);
});

Deno.test("U15: no headers are waited for 45 s, then the run is over and the provider's socket closed", async () => {
  const factor = 20;
  await using stage = await appStage(silent(hang()));
  using _ = fasterClock(factor);
  const started = await stage.start();
  const request = await stage.upstream.arrived(1);
  const began = performance.now();
  const told = await stage.read(started);
  const seconds = (performance.now() - began) / 1000;
  assertError(told, "upstream_timeout", true);
  assertEquals(notices(told), []);
  await request.closed;
  // Of a clock this fast a busy machine takes some seconds for itself.
  assert(seconds > 44 && seconds < 58, `${seconds} s`);
});

Deno.test("U22: usage on every chunk counts once, and is summed over steps only", async () => {
  const spent = (input: number, output: number) => ({
    usage: {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
    },
  });
  const called = {
    index: 0,
    id: "c",
    function: { name: "echo", arguments: '{"say":"x"}' },
  };
  await using stage = await appStage([
    sse(
      chunk({ content: "a" }, spent(10, 1)),
      chunk({ tool_calls: [called] }, spent(10, 7)),
      finish("tool_calls"),
      done(),
    ),
    sse(
      ...[1, 2, 3].map((n) => chunk({ content: "b" }, spent(30, n))),
      ...end,
    ),
  ]);
  const told = await stage.ask();
  assertEquals(assertFinish(told).usage, { input: 40, output: 10, total: 50 });
  const steps = told.events.flatMap((event) =>
    event.type === "finish-step" ? [event.usage?.total] : []
  );
  assertEquals(steps, [17, 33]);
});

Deno.test("U27: thoughts are a part of their own before the text and never mix with it", async () => {
  await using stage = await appStage(sse(
    chunk({ reasoning_content: "Let me " }),
    chunk({ reasoning_content: "see." }),
    chunk({ content: "Yes" }),
    chunk({ reasoning: "Or not?" }),
    chunk({ content: ", yes." }),
    ...end,
  ));
  const told = await stage.ask();
  assertFinish(told);
  assertEquals(
    told.answer.parts.flatMap((part) =>
      part.kind === "step" || part.kind === "tool"
        ? []
        : [[part.kind, part.text]]
    ),
    [
      ["reasoning", "Let me see."],
      ["text", "Yes"],
      ["reasoning", "Or not?"],
      ["text", ", yes."],
    ],
  );
});

Deno.test("U44: 20,000 tokens within a second are whole, in at most 25 appends a second, in flat memory", async () => {
  const tokens = Array.from({ length: 20_000 }, (_, n) => ` t${n}`);
  const writes = Array.from(
    { length: 200 },
    (_, n) =>
      tokens.slice(n * 100, n * 100 + 100)
        .map((content) => chunk({ content })).join(""),
  );
  const { store, appends } = counted(openStore({ kind: "memory" }));
  await using stage = await appStage(
    // Time enough for far more commits than there may be.
    sse(...writes.flatMap((write) => [write, pause(4)]), ...end),
    { store },
  );
  const before = Deno.memoryUsage().rss;
  const began = performance.now();
  const told = await stage.ask();
  const seconds = (performance.now() - began) / 1000;
  assertFinish(told);
  assert(told.text === tokens.join(""));
  assert(seconds > 0.8, "this was no test of a rate");
  // The first words, the step's end and the terminal do not wait their turn.
  assert(appends() <= 25 * seconds + 4, `${appends()} in ${seconds} s`);
  const grown = (Deno.memoryUsage().rss - before) / 2 ** 20;
  assert(grown < 64, `${grown} MB more`);
});

/** A store that counts the appends to runs. */
function counted(inner: Store): { store: Store; appends: () => number } {
  let appends = 0;
  const store = new Proxy(inner, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name === "append") appends++;
      return member.bind(target);
    },
  });
  return { store, appends: () => appends };
}
