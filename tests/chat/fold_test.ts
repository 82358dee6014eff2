import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Answer, answerText, emptyAnswer } from "../../lib/chat/answer.ts";
import { closingEvents, retell } from "../../lib/chat/close.ts";
import type { LogEntry, RunEvent } from "../../lib/chat/events.ts";
import { fold } from "../../lib/chat/fold.ts";
import {
  holdSurrogate,
  MAX_DELTA,
  mergeDeltas,
  splitDelta,
} from "../../lib/chat/merge.ts";

const SERVER = { dynamic: true, providerExecuted: true } as const;

/** A whole run: reasoning, a tool, text with an emoji, and its end. */
const EVENTS: RunEvent[] = [
  {
    type: "start",
    messageId: "r",
    messageMetadata: {
      chat_id: "c",
      model: "m",
      created_at: "2026-01-01T00:00:00.000Z",
    },
  },
  { type: "start-step" },
  { type: "reasoning-start", id: "r1" },
  { type: "reasoning-delta", id: "r1", off: 0, delta: "hm" },
  { type: "reasoning-end", id: "r1", len: 2 },
  { type: "tool-input-start", toolCallId: "a", toolName: "bus", ...SERVER },
  { type: "tool-input-delta", toolCallId: "a", off: 0, inputTextDelta: '{"x"' },
  { type: "tool-input-delta", toolCallId: "a", off: 4, inputTextDelta: ":1}" },
  {
    type: "tool-input-available",
    toolCallId: "a",
    toolName: "bus",
    input: { x: 1 },
    ...SERVER,
  },
  {
    type: "tool-output-available",
    toolCallId: "a",
    output: { text: "08:30" },
    ms: 3,
    ...SERVER,
  },
  { type: "finish-step", finishReason: "tool-calls" },
  { type: "start-step" },
  {
    type: "data-run",
    data: { status: "retrying", attempt: 1 },
    transient: true,
  },
  { type: "text-start", id: "t2" },
  { type: "text-delta", id: "t2", off: 0, delta: "At " },
  { type: "text-delta", id: "t2", off: 3, delta: "👍" },
  { type: "text-delta", id: "t2", off: 5, delta: " 08:30\n" },
  { type: "text-end", id: "t2", len: 12 },
  { type: "finish-step", finishReason: "stop" },
  {
    type: "finish",
    finishReason: "stop",
    messageMetadata: {
      usage: { input: 1, output: 2, total: 3 },
      steps: 2,
      ms: 40,
    },
  },
];
const LOG: LogEntry[] = EVENTS.map((event, i) => ({
  epoch: 1,
  seq: i + 1,
  event,
}));

/** The same with people: a call each that is allowed, denied, unasked, and "go on?". */
const ASKING: LogEntry[] = ([
  EVENTS[0]!,
  { type: "start-step" },
  ...["a", "b", "u"].map((id): RunEvent => ({
    type: "tool-input-start",
    toolCallId: id,
    toolName: "mail",
    ...SERVER,
  })),
  input("a"),
  question("q1", "a"),
  input("b"),
  question("q2", "b"),
  { ...input("u"), allowed: true },
  output("u"),
  {
    type: "finish-step",
    usage: { input: 1, output: 1, total: 2 },
    carry: "carry-1-1",
  },
  said("q2", "denied"),
  said("q1", "once"),
  {
    type: "data-tool-progress",
    data: { toolCallId: "a", done: 1, total: 2, message: "half" },
    transient: true,
  },
  { type: "tool-output-error", toolCallId: "b", errorText: "no", ms: 0 },
  output("a"),
  question("q3", null),
  said("q3", "once"),
  { type: "start-step" },
  { type: "finish-step", usage: { input: 1, output: 1, total: 2 } },
  {
    type: "finish",
    finishReason: "stop",
    messageMetadata: {
      usage: { input: 2, output: 2, total: 4 },
      steps: 2,
      ms: 9,
    },
  },
] as RunEvent[]).map((event, i) => ({ epoch: 1, seq: i + 1, event }));

function input(toolCallId: string) {
  const type = "tool-input-available";
  return { type, toolCallId, toolName: "mail", input: { x: 1 }, ...SERVER };
}

function output(toolCallId: string) {
  const type = "tool-output-available";
  return { type, toolCallId, output: { text: "sent" }, ms: 3, ...SERVER };
}

function question(id: string, toolCallId: string | null) {
  const data = {
    id,
    reason: toolCallId === null ? "steps" : "effect",
    toolCallId,
    hash: "h",
    pin: "p",
    chatWide: false,
    expiresAt: "2026-01-02T00:00:00.000Z",
  };
  return { type: "data-approval", data, transient: true };
}

function said(id: string, decision: string) {
  const type = "data-approval-answer";
  return { type, data: { id, decision }, transient: true };
}

function foldAll(entries: LogEntry[], answer = emptyAnswer("r")): Answer {
  for (const entry of entries) fold(answer, entry);
  return answer;
}

/** Every log, and every place in it. */
function everywhere(): [LogEntry[], number][] {
  return [LOG, ASKING].flatMap((log) =>
    log.map(({ seq }): [LogEntry[], number] => [log, seq])
  );
}

Deno.test("fold() builds the answer a whole log tells", () => {
  const answer = foldAll(LOG);
  assertEquals(answer.status, "complete");
  assertEquals(answerText(answer), "At 👍 08:30\n");
  assertEquals(answer.cursor, { epoch: 1, seq: LOG.length });
  assertEquals(answer.parts.map((p) => p.kind), [
    "step",
    "reasoning",
    "tool",
    "step",
    "text",
  ]);
  assertEquals(answer.notice, null);
});

Deno.test("streaming R20: fold() ignores duplicated, old and overlapping frames in any order of repetition", () => {
  const whole = foldAll(LOG);
  const seed = 20260302;
  fc.assert(
    fc.property(
      fc.array(fc.nat(LOG.length - 1), { maxLength: 60 }),
      (repeats) => {
        const answer = emptyAnswer("r");
        let shown = 0;
        LOG.forEach((entry, i) => {
          fold(answer, entry);
          for (const r of repeats) {
            if (r <= i) assertEquals(fold(answer, LOG[r]!).kind, "none");
          }
          const length = answerText(answer).length;
          assert(length >= shown, "the text never shrinks");
          shown = length;
        });
        assertEquals(answer, whole);
      },
    ),
    { seed, numRuns: 100 },
  );
});

Deno.test("streaming R20: fold() takes only what is new of an overlapping delta", () => {
  const answer = foldAll(LOG.slice(0, 15));
  const event: RunEvent = {
    type: "text-delta",
    id: "t2",
    off: 1,
    delta: "t 👍",
  };
  assertEquals(fold(answer, { epoch: 1, seq: 16, event }).kind, "part");
  assertEquals(answerText(answer), "At 👍");
});

Deno.test("streaming R20: fold() reports every removed frame that shows as a gap, and stays as it was", () => {
  // What carries no content of its own may go missing unseen.
  const silent = new Set([
    "start",
    "start-step",
    "finish-step",
    "data-run",
    "finish",
    "tool-input-available",
  ]);
  for (let k = 0; k < LOG.length; k++) {
    const { type } = LOG[k]!.event;
    const answer = emptyAnswer("r");
    let gap = false;
    for (const entry of LOG.filter((_, i) => i !== k)) {
      const before = structuredClone(answer);
      if (fold(answer, entry).kind === "gap") {
        gap = true;
        assertEquals(answer, before);
        break;
      }
    }
    // The last input delta is only missed by the arguments' text; the parsed
    // input that follows is complete.
    const seen = silent.has(type) || LOG[k]!.seq === 8 || gap;
    assert(seen, `frame ${k + 1} (${type}) went missing unseen`);
  }
});

Deno.test("fold() starts anew at data-resync and then replays to the same answer", () => {
  const answer = foldAll(LOG.slice(0, 16));
  const event: RunEvent = {
    type: "data-resync",
    data: { reason: "cursor" },
    transient: true,
  };
  assertEquals(fold(answer, { epoch: 0, seq: 0, event }).kind, "reset");
  assertEquals(answerText(answer), "");
  assertEquals(foldAll(LOG, answer), foldAll(LOG));
});

Deno.test("closingEvents() lets a terminal follow after every event of a log", () => {
  for (const [log, k] of everywhere()) {
    if (k === log.length) continue;
    const answer = foldAll(log.slice(0, k));
    let seq = k;
    for (const event of closingEvents(answer)) {
      assert(fold(answer, { epoch: 1, seq: ++seq, event }).kind !== "gap");
    }
    const abort: RunEvent = { type: "abort", reason: "user" };
    assert(
      fold(answer, { epoch: 1, seq: ++seq, event: abort }).kind !== "gap",
      `after ${k}`,
    );
    assertEquals(answer.status, "stopped");
  }
});

Deno.test("streaming R03: retell() folds into the answer it was made from, wherever the run ended", () => {
  for (const [log, k] of everywhere()) {
    const answer = foldAll(log.slice(0, k));
    let seq = k;
    if (k < log.length) {
      for (
        const event of [
          ...closingEvents(answer),
          { type: "abort", reason: "user" } as const,
        ]
      ) {
        fold(answer, { epoch: 1, seq: ++seq, event });
      }
    }
    const again = emptyAnswer("r");
    retell(answer, { chat: "c", createdAt: 0 }).forEach((event, i) => {
      assert(fold(again, { epoch: 1, seq: i + 1, event }).kind !== "gap");
    });
    again.cursor = answer.cursor;
    assertEquals(again, answer, `ended after ${k}`);
  }
});

Deno.test("N8: closingEvents() says of a call that was allowed and had begun that nobody knows", () => {
  const said = (seq: number) => {
    const answer = foldAll(ASKING.slice(0, seq));
    return closingEvents(answer).flatMap((event) =>
      event.type === "tool-output-error"
        ? [[event.toolCallId, event.errorText.includes("not known")]]
        : []
    );
  };
  const at = (type: RunEvent["type"]) =>
    ASKING.findLast(({ event }) => event.type === type)!.seq;
  assertEquals(said(10), [["a", false], ["b", false], ["u", true]]);
  assertEquals(said(at("data-tool-progress")), [["a", true], ["b", false]]);
});

Deno.test("mergeDeltas() joins neighbours of one part and nothing else", () => {
  const a: RunEvent = { type: "text-delta", id: "t1", off: 3, delta: "ab" };
  const b: RunEvent = { type: "text-delta", id: "t1", off: 5, delta: "c" };
  assertEquals(mergeDeltas(a, b), {
    type: "text-delta",
    id: "t1",
    off: 3,
    delta: "abc",
  });
  assertEquals(mergeDeltas(a, { ...b, id: "t2" }), null);
  assertEquals(mergeDeltas(a, { ...b, type: "reasoning-delta" }), null);
  assertEquals(mergeDeltas(a, { type: "start-step" }), null);
  assertEquals(mergeDeltas(a, { ...b, delta: "x".repeat(MAX_DELTA) }), null);
});

Deno.test("P15: splitDelta() and holdSurrogate() never part a surrogate pair", () => {
  const delta = "x".repeat(MAX_DELTA - 1) + "👍".repeat(MAX_DELTA);
  const pieces = splitDelta({ type: "text-delta", id: "t", off: 7, delta });
  let text = "";
  for (const piece of pieces) {
    assert(piece.type === "text-delta");
    assertEquals(piece.off, 7 + text.length);
    assert(piece.delta.isWellFormed());
    assert(new TextEncoder().encode(JSON.stringify(piece)).length <= 32 * 1024);
    text += piece.delta;
  }
  assertEquals(text, delta);
  const [ready, held] = holdSurrogate({
    type: "text-delta",
    id: "t",
    off: 2,
    delta: "a\ud83d",
  });
  assertEquals(ready, { type: "text-delta", id: "t", off: 2, delta: "a" });
  assertEquals(held, { type: "text-delta", id: "t", off: 3, delta: "\ud83d" });
});
