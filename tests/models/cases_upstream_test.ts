/**
 * What a provider does to an answer, as the safety list numbers it (R14 to R20):
 * asked through the app's own door, and looked at afterwards in the chat.
 */
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import type { ChatView } from "../../lib/chat/views.ts";
import {
  choice,
  chunk,
  comment,
  done,
  event,
  finish,
  hang,
  pause,
  refuses,
  reset,
  role,
  says,
  type Script,
  sse,
  usage,
} from "../helpers/scripted_upstream.ts";
import {
  type AppStage,
  appStage,
  type AppStageOptions,
  assertError,
  assertFinish,
  type Told,
} from "./app_stage.ts";

const hello = [..."Hello"].map((content) => chunk({ content }));
const end = [finish("stop"), done()];

/** What a client was told, and the chat as it is found afterwards. */
interface Found {
  told: Told;
  chat: ChatView;
  /** The page, as the server draws it. */
  page: string;
  /** When each request arrived at the provider. */
  at: number[];
}

/** One question to these scripts; each of them must be asked for, no more. */
async function found(
  scripts: Script | Script[],
  options: AppStageOptions = {},
): Promise<Found> {
  await using stage = await appStage(scripts, options);
  return await look(stage, await stage.ask());
}

async function look({ app, upstream }: AppStage, told: Told): Promise<Found> {
  const { chat_id } = told.started;
  const read = async (path: string) =>
    await (await fetch(app.url + path)).text();
  const chat: ChatView = JSON.parse(await read(`/api/chats/${chat_id}`));
  assertEquals(chat.turns.length, 1, "one question, one answer");
  assertEquals(chat.activeRun, null);
  assertEquals(answerText(chat.turns[0]!.answer), told.text);
  return {
    told,
    chat,
    page: await read(`/c/${chat_id}`),
    at: upstream.requests.map(({ at }) => at),
  };
}

const waits = ({ told }: Found) =>
  told.events.flatMap((event) =>
    event.type === "data-run" && event.data.status === "waiting"
      ? [event.data.retryAfterMs]
      : []
  );

Deno.test("safety R14: 429 with Retry-After: 1 is waited for, with 3600 told at once, without one backed off from with jitter", async () => {
  const asked = await found([
    refuses(429, {}, { "retry-after": "1" }),
    says("Here it is."),
  ]);
  assertFinish(asked.told);
  assertEquals(waits(asked), [1_000]);
  assert(asked.at[1]! - asked.at[0]! >= 1_000);

  const late = await found(refuses(429, {}, { "retry-after": "3600" }));
  assertError(late.told, "upstream_rate_limited", true);
  assert(late.told.end.type === "error");
  assertEquals(late.told.end.retryAfterMs, 3_600_000);
  assertEquals(waits(late), []);

  const timings = { backoffMs: 80 };
  const { random } = Math;
  for (const luck of [0.25, 0.75]) {
    Math.random = () => luck;
    try {
      const later = await found(
        [refuses(429), refuses(429), says("Here.")],
        { timings },
      );
      assertFinish(later.told);
      // The bound doubles; where below it each wait falls is luck.
      assertEquals(waits(later), [80 * luck, 160 * luck]);
      later.at.slice(1).forEach((at, i) =>
        assert(at - later.at[i]! >= 80 * luck * (i + 1), `wait ${i + 1}`)
      );
    } finally {
      Math.random = random;
    }
  }
});

Deno.test("safety R15: 503, 503, 200 is one answer and one message", async () => {
  const busy = refuses(503, {}, { "retry-after-ms": "5" });
  const { told, at } = await found([busy, busy, says("One answer.")]);
  assertFinish(told);
  assertEquals(told.text, "One answer.");
  assertEquals(at.length, 3);
  const starts = told.events.filter(({ type }) => type === "text-start");
  assertEquals(starts.length, 1);
});

Deno.test("safety R16: reset after k tokens, for every k: k are kept, the answer broke off, nothing is asked again", async () => {
  const tokens = ["The ", "bus ", "👩‍👩‍👧", "\n\n", "8:30", " a\r\nb", "é", "."];
  for (let k = 1; k <= tokens.length; k++) {
    const kept = tokens.slice(0, k).join("");
    const shown = Promise.withResolvers<void>();
    await using stage = await appStage(sse(
      role(),
      ...tokens.slice(0, k).map((content) => chunk({ content })),
      pause(shown.promise),
      reset(),
    ));
    const started = await stage.start();
    await stage.app.shows(started.run_id, kept);
    shown.resolve();
    const { told, page, at } = await look(stage, await stage.read(started));
    assertError(told, "upstream_reset", true);
    assertEquals(told.text, kept, `after ${k} tokens`);
    assertEquals(at.length, 1, `asked again after ${k} tokens`);
    // A person sees that it broke off, and may ask for more.
    assert(page.includes('data-testid="answer-error"'));
  }
});

Deno.test("safety R17: a clean end without a finish_reason is no end, wherever it comes", async () => {
  for (let k = 1; k <= hello.length; k++) {
    const { told, page } = await found(sse(role(), ...hello.slice(0, k)));
    assertError(told, "upstream_truncated", true);
    assertEquals(told.text, "Hello".slice(0, k));
    assert(page.includes('data-testid="answer-error"'));
  }
});

Deno.test("safety R18: a provider that is silent, or sends only comments, is left by the watchdog", async () => {
  const timings = { silenceMs: 250 };
  // For three seconds, if anybody listens that long.
  const comments = Array.from({ length: 150 }, () => [
    comment("still here"),
    pause(20),
  ]).flat();
  for (const steps of [[hang()], comments]) {
    await using stage = await appStage(sse(...hello, ...steps), { timings });
    const began = performance.now();
    const { told } = await look(stage, await stage.ask());
    assertError(told, "upstream_stalled", true);
    assertEquals(told.text, "Hello");
    const ms = performance.now() - began;
    assert(ms >= 250 && ms < 2_500, `${ms} ms`);
    await stage.upstream.requests[0]!.closed;
  }
});

Deno.test("safety R19: malformed, repeated, foreign and cut chunks give a typed error or the right text", async () => {
  const broken = await found(sse(...hello, "data: {oops\n\n", ...end));
  assertError(broken.told, "upstream_malformed", true);
  assertEquals(broken.told.text, "Hello");

  const twice = await found(
    sse(role(), role(), ...hello, usage(1, 5), usage(1, 5), ...end, ...end),
  );
  assertEquals(assertFinish(twice.told).usage.total, 6);
  assertEquals(twice.told.text, "Hello");

  const foreign = (content: string) => choice({ index: 1, delta: { content } });
  const mixed = await found(
    sse(...hello.flatMap((piece) => [foreign("no"), piece]), ...end),
  );
  assertFinish(mixed.told);
  assertEquals(mixed.told.text, "Hello");

  const text = "é火👍👩‍👩‍👧";
  const bytes = new TextEncoder().encode(chunk({ content: text }));
  for (let cut = 1; cut < bytes.length; cut++) {
    if ((bytes[cut]! & 0xc0) !== 0x80) continue;
    const { told } = await found(
      sse(bytes.slice(0, cut), pause(2), bytes.slice(cut), ...end),
    );
    assertFinish(told);
    assertEquals(told.text, text, `cut before byte ${cut}`);
  }
});

Deno.test("safety R20: length, content_filter and tool_calls without a call are shown as what they are", async () => {
  const long = await found(sse(...hello, finish("length"), done()));
  assertFinish(long.told, "length");
  const filtered = await found(sse(...hello, finish("content_filter"), done()));
  assertFinish(filtered.told, "content-filter");
  const cuts = [long, filtered].map(({ page }) =>
    /data-testid="cut"[^>]*>([^<]+)</.exec(page)?.[1]
  );
  assert(cuts[0] && cuts[1] && cuts[0] !== cuts[1], JSON.stringify(cuts));

  const none = await found(sse(...hello, finish("tool_calls"), done()));
  assertFinish(none.told, "stop");
  assertEquals(none.told.text, "Hello");
  const empty = await found(sse(role(), finish("tool_calls"), done()));
  assertFinish(empty.told, "stop");
  // Nothing at all was said: the page says that, instead of showing a blank.
  assert(empty.page.includes('data-testid="cut"'));
  assert(!none.page.includes('data-testid="cut"'));
  const plain = await found(sse(event({ choices: [] }), ...hello, ...end));
  assert(!plain.page.includes('data-testid="cut"'));
});
