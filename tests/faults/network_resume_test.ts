/** Coming back to a run, over and over and twice at once. */
import { assert, assertEquals } from "@std/assert";
import { TokenReader } from "../../bench/tokens.ts";
import { answerText, emptyAnswer } from "../../lib/chat/answer.ts";
import { fold } from "../../lib/chat/fold.ts";
import { serverEnvironment } from "../../lib/ui/environment.ts";
import { followTape } from "../../lib/ui/tape_client.ts";
import { faultTest } from "./harness/fault_test.ts";
import { startServer } from "./harness/server.ts";
import { question, startUpstream } from "./harness/upstream.ts";
import { asking, openStage } from "./load/stage.ts";
import { beside } from "./load/words.ts";

faultTest(
  "safety R08, streaming R01: coming back behind every one of five hundred events gives the same bytes as never having left",
  {
    sizes: { ci: { words: 84 }, full: { words: 340 } },
  },
  async ({ words }, say) => {
    await using upstream = startUpstream();
    const data = await Deno.makeTempDir();
    try {
      await using server = await startServer({
        data,
        upstream: upstream.baseUrl,
      });
      // Thinking and talking by turns: three events each, none to be merged.
      const text = question({ key: "R08", words, pace: 0, weave: true });
      const asked = await fetch(`${server.url}/api/runs`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ text }),
      });
      const { run_id: run } = await asked.json();
      const read = async (after: string | null) => {
        const response = await fetch(`${server.url}/api/runs/${run}/events`, {
          headers: after === null ? {} : { "last-event-id": after },
        });
        const text = await response.text();
        return { status: response.status, frames: text.split(/(?<=\n\n)/) };
      };
      const { frames: [opening, ...whole] } = await read(null);
      const ids = whole.map((frame) => /^id: (.*)\n/.exec(frame)?.[1] ?? null);
      assertEquals(ids.pop(), null, "[DONE] has no place in the log");
      assert(ids.length >= 6 * words, `${ids.length} events`);
      for (const [k, id] of ids.entries()) {
        const { status, frames } = await read(id);
        if (k === ids.length - 1) assertEquals(status, 204);
        else assertEquals(frames, [opening, ...whole.slice(k + 1)]);
      }
      assertEquals(upstream.calls.length, 1);
      say("R08", `${ids.length} events, resumed behind each: the same bytes`);
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  },
);

faultTest(
  "streaming R06: a tab that connects twice with one cursor shows one copy, and both connections reach the end",
  {
    sizes: { ci: { tokens: 40 }, full: { tokens: 400 } },
  },
  async ({ tokens }, say) => {
    await using stage = await openStage();
    const order = asking(stage.server.url, "asker", 1, { tokens, rate: 20 }, 0);
    const { runs: [run] } = await stage.crowd.tell("open", order);
    const answer = emptyAnswer(run!);
    const cursors: (string | null)[] = [];
    const begun = Promise.withResolvers<void>();
    const follow = () =>
      followTape(run!, {
        cursor: () => answer.cursor,
        apply(entry) {
          if (fold(answer, entry).kind === "gap") return "gap";
          if (answerText(answer) !== "") begun.resolve();
          return answer.status === "running" ? "more" : "over";
        },
        restart() {
          throw new Error("What was shown was taken back");
        },
        connected() {},
      }, {
        ...serverEnvironment,
        fetch(path, init) {
          cursors.push(new Headers(init?.headers).get("last-event-id"));
          return fetch(stage.server.url + path, init);
        },
        now: () => performance.now(),
        after(ms, call) {
          const timer = setTimeout(call, ms);
          return () => clearTimeout(timer);
        },
      });
    const before = follow();
    await begun.promise;
    before.stop();
    await before.end;
    const ends = await Promise.all([follow().end, follow().end]);
    assertEquals(ends, ["ended", "ended"]);
    const [first, second, third] = cursors;
    assertEquals([first, second], [null, third]);
    assert(third !== null, "both came with a cursor");
    const text = new TokenReader(() => {});
    text.push(answerText(answer), 0);
    assertEquals([text.count, text.inOrder, text.sealed], [tokens, true, true]);
    say("R06", `two connections of one tab: ${tokens} words, each shown once`);
  },
);

faultTest("D08: a tab that is closed leaves the model alone, Stop ends it", {
  sizes: { ci: { times: 10 }, full: { times: 50 } },
}, async ({ times }, say) => {
  await using upstream = startUpstream();
  const data = await Deno.makeTempDir();
  try {
    await using server = await startServer({
      data,
      upstream: upstream.baseUrl,
    });
    const slowest: number[] = [];
    for (let i = 0; i < times; i++) {
      const key = `D08-${i}`;
      const tab = new AbortController();
      const asked = await fetch(`${server.url}/api/runs`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "text/event-stream",
        },
        body: JSON.stringify({
          text: question({ key, words: 100_000, pace: 5 }),
        }),
        signal: tab.signal,
      });
      const run = asked.headers.get("x-run-id");
      const call = await upstream.said(key, 5);
      tab.abort();
      // A hundred words later it still talks.
      await upstream.said(key, call.said + 100);
      assertEquals(call.end, null);
      const pressed = performance.now();
      const stop = await fetch(`${server.url}/api/runs/${run}/stop`, {
        method: "POST",
      });
      await stop.body?.cancel();
      await upstream.ended(call);
      assertEquals(call.end!.how, "aborted");
      slowest.push(call.end!.at - pressed);
    }
    const worst = Math.max(...slowest);
    say(
      "D08",
      `${times} closed tabs: 0 aborts; ${times} Stops: ` +
        beside("the model's socket closed within", worst, 250, "ms"),
    );
    assert(worst < 2_000, `${worst} ms`);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
