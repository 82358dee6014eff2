/**
 * The upstream cases end to end, those that one answer tells: what the provider
 * sends, and what a client then reads from the run's stream.
 */
import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import type { ErrorCode, RunEvent } from "../../lib/chat/events.ts";
import {
  chunk,
  comment,
  cut,
  done,
  event,
  finish,
  refuses,
  reply,
  reset,
  role,
  says,
  type Script,
  silent,
  sse,
  sseWith,
  usage,
} from "../helpers/scripted_upstream.ts";
import {
  appStage,
  assertError,
  assertFinish,
  type Told,
  withoutJitter,
} from "./app_stage.ts";

const hello = [..."Hello"].map((content) => chunk({ content }));
const end = [finish("stop"), done()];

/** One question, and what a client must be told. */
interface Case {
  upstream: Script | Script[];
  text?: string;
  /** Why it finished, or the code of its error. */
  ends: "stop" | "length" | "content-filter" | "other" | [ErrorCode, boolean];
  /** Part of the sentence a person reads. */
  shown?: string;
  also?: (told: Told, log: string) => void;
}

const CASES: Record<string, Case> = {
  "U05: 400 context_length_exceeded keeps its code, after one request": {
    upstream: refuses(400, { code: "context_length_exceeded" }),
    ends: ["context_length_exceeded", false],
  },
  "U07: a reset before the headers is made good by a second request": {
    upstream: [silent(reset()), says("Second time lucky.")],
    text: "Second time lucky.",
    ends: "stop",
  },
  "U09: a clean end after 5 deltas, with no finish, is upstream_truncated": {
    upstream: sse(...hello),
    text: "Hello",
    ends: ["upstream_truncated", true],
  },
  "U10: an end inside a JSON chunk is upstream_truncated": {
    upstream: sseWith(
      { framing: "close" },
      ...hello,
      chunk({ content: "never" }).slice(0, 90),
      cut(),
    ),
    text: "Hello",
    ends: ["upstream_truncated", true],
  },
  "U11: broken JSON in the middle is upstream_malformed, the text before it kept":
    {
      upstream: sse(
        ...hello,
        "data: {oops\n\n",
        chunk({ content: "never" }),
        ...end,
      ),
      text: "Hello",
      ends: ["upstream_malformed", true],
      also: (_, log) => assert(!log.includes("oops")),
    },
  "U12: an error object in the stream is upstream_error with the provider's code":
    {
      upstream: sse(...hello, event({ error: { code: "overloaded" } })),
      text: "Hello",
      ends: ["upstream_error", true],
      shown: "(overloaded)",
    },
  "U12: so is an `event: error`": {
    upstream: sse(
      ...hello,
      `event: error\n${event({ code: "no_such_voice" })}`,
    ),
    text: "Hello",
    ends: ["upstream_error", false],
    shown: "(no_such_voice)",
  },
  "U13: an error object after the finish leaves a finished answer and a line in the log":
    {
      upstream: sse(
        ...hello,
        finish("stop"),
        event({ error: { code: "late" } }),
      ),
      text: "Hello",
      ends: "stop",
      also: (_, log) => assert(log.includes("late"), log),
    },
  "U14: 200 with a login page is upstream_bad_response": {
    upstream: reply(200, "<html>Log in</html>", {
      "content-type": "text/html",
    }),
    ends: ["upstream_bad_response", false],
    also: ({ frames }) => assert(!JSON.stringify(frames).includes("Log in")),
  },
  "U14: 200 with an empty body is upstream_bad_response": {
    upstream: sse(),
    ends: ["upstream_bad_response", true],
  },
  "U16: role-only chunks, then stop, are a finished answer without text": {
    upstream: sse(role(), role(), ...end),
    text: "",
    ends: "stop",
  },
  "U17: content null, empty or missing is skipped": {
    upstream: sse(
      chunk({ content: null }),
      chunk({ content: "" }),
      event({ choices: [{ index: 0 }] }),
      ...hello,
      ...end,
    ),
    text: "Hello",
    ends: "stop",
  },
  "U18: content in parts is text": {
    upstream: sse(chunk({ content: [{ type: "text", text: "Hi" }] }), ...end),
    text: "Hi",
    ends: "stop",
  },
  "U19: chunks without choices, pings and empty data are skipped": {
    upstream: sse(
      event({ id: "x" }),
      event({ choices: null }),
      `event: ping\n${event({ type: "ping" })}`,
      "data:\n\n",
      ...hello,
      ...end,
    ),
    text: "Hello",
    ends: "stop",
  },
  "U20: a first delta without a role works": {
    upstream: sse(...hello, ...end),
    text: "Hello",
    ends: "stop",
  },
  "U21: usage at the end is in `finish`; an empty `choices` first is skipped": {
    upstream: sse(
      event({ choices: [], prompt_filter_results: [] }),
      ...hello,
      finish("stop"),
      usage(7, 5, { cached: 3, reasoning: 2 }),
      done(),
    ),
    text: "Hello",
    ends: "stop",
    also: (told) =>
      assertEquals(assertFinish(told).usage, {
        input: 7,
        output: 5,
        cached: 3,
        reasoning: 2,
        total: 12,
      }),
  },
  "U23: finish length keeps the partial text": {
    upstream: sse(...hello, finish("length"), done()),
    text: "Hello",
    ends: "length",
  },
  "U23: finish content_filter keeps the partial text": {
    upstream: sse(...hello, finish("content_filter"), done()),
    text: "Hello",
    ends: "content-filter",
  },
  "U24: a refusal is shown as text and flagged": {
    upstream: sse(
      chunk({ refusal: "I can't " }),
      chunk({ refusal: "do that." }),
      ...end,
    ),
    text: "I can't do that.",
    ends: "content-filter",
  },
  "U25: finish eos is other": {
    upstream: sse(...hello, finish("eos"), done()),
    text: "Hello",
    ends: "other",
  },
  "U25: an empty finish reason is none until a real one comes": {
    upstream: sse(
      finish("", { content: "a" }),
      finish("", { content: "b" }),
      ...end,
    ),
    text: "ab",
    ends: "stop",
  },
  "U25: insufficient_system_resource is upstream_unavailable, to be tried again":
    {
      upstream: sse(...hello, finish("insufficient_system_resource"), done()),
      text: "Hello",
      ends: ["upstream_unavailable", true],
    },
  "U26: text after the finish and chunks after [DONE] are ignored and counted":
    {
      upstream: sse(
        ...hello,
        finish("stop") + chunk({ content: "late" }) + done() +
          chunk({ content: "later" }),
      ),
      text: "Hello",
      ends: "stop",
      also: (_, log) => assert(log.includes("2 chunk(s)"), log),
    },
  "U28: comments before and between chunks are ignored": {
    upstream: sse(
      comment("OPENROUTER PROCESSING"),
      ...hello.flatMap((piece) => [comment("OPENROUTER PROCESSING"), piece]),
      ...end,
    ),
    text: "Hello",
    ends: "stop",
  },
  "U42: gzip changes nothing": {
    upstream: sseWith(
      { headers: { "content-encoding": "gzip" } },
      new Uint8Array(gzipSync([...hello, ...end].join(""))),
    ),
    text: "Hello",
    ends: "stop",
  },
  "U42: CRLF, no space after the colon, a BOM and data on many lines change nothing":
    {
      upstream: sse(
        `\uFEFF${[...hello].join("")}`.replaceAll("\n", "\r\n")
          .replaceAll("data: ", "data:"),
        `data: {"choices": [{"delta":\ndata: {"content": "!"}}]}\n\n`,
        ...end,
      ),
      text: "Hello!",
      ends: "stop",
    },
  "U43: a chunk id or model that changes is nobody's business": {
    upstream: sse(
      ...hello.map((_, n) =>
        chunk({ content: String(n) }, { id: `id-${n}`, model: `m-${n}` })
      ),
      ...end,
    ),
    text: "01234",
    ends: "stop",
  },
};

for (
  const [name, { upstream, text = "", ends, shown = "", also }] of Object
    .entries(CASES)
) {
  Deno.test(name, async () => {
    using _ = withoutJitter();
    let told: Told;
    let log: string[];
    {
      await using stage = await appStage(upstream);
      told = await stage.ask();
      log = stage.app.log;
    }
    if (typeof ends === "string") assertFinish(told, ends);
    else assertError(told, ...ends);
    assertEquals(told.text, text);
    const said = told.end.type === "error" ? told.end.errorText : "";
    assert(said.includes(shown), said);
    assertInOrder(told.events);
    also?.(told, log.join(""));
  });
}

/** Every step that began has ended, and a delta only grows an open part. */
function assertInOrder(events: RunEvent[]) {
  const open = new Set<string>();
  for (const event of events) {
    if (event.type === "text-start") open.add(event.id);
    if (event.type === "text-delta") assert(open.has(event.id));
    if (event.type === "text-end") assert(open.delete(event.id));
  }
  assertEquals(open.size, 0);
}
