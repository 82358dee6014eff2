/**
 * Answers that break off anywhere and are gone on with, over and over, by a model
 * that says anything: what was shown stays, in its place, and the model is never
 * told what a provider would refuse.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as z from "zod";
import {
  ModelError,
  type ModelMessage,
  type Tool,
  type ToolCall,
} from "../../lib/agent/contracts.ts";
import { type Answer, answerText, type Part } from "../../lib/chat/answer.ts";
import { tellShown } from "../../lib/chat/close.ts";
import type { RunEvent } from "../../lib/chat/events.ts";
import { drain, folded, open, stage } from "../helpers/run_stage.ts";

const look: Tool = {
  name: "look",
  description: "Looks",
  input: z.object({ at: z.number() }),
  effect: "read",
  run: () => ({ text: "seen" }),
};

type Saying =
  | { kind: "text" | "reasoning"; words: string }
  | { kind: "call"; name: string; args: string };
type Ending = "stop" | "calls" | "length" | "fail" | "user";

const words = fc.oneof(
  fc.constantFrom("a", "ab", " ", "the ", "aaaaaaaa", "谁", "😀", "\n"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
);
const saying: fc.Arbitrary<Saying> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "text" as const,
        "text" as const,
        "reasoning" as const,
      ),
      words,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("call" as const),
      name: fc.constantFrom("look", "nothing"),
      args: fc.constantFrom('{"at":1}', '{"at":', '{"at":"x"}', "[]"),
    }),
  },
);
const step = fc.record({
  says: fc.array(saying, { maxLength: 6 }),
  ending: fc.constantFrom<Ending>(
    "stop",
    "calls",
    "calls",
    "length",
    "fail",
    "fail",
    "user",
  ),
});

/** What providers refuse. */
function check(messages: ModelMessage[]): void {
  assertEquals(messages[0]?.role, "system");
  const said = JSON.stringify(
    messages.map((m) => ({ ...m, text: m.text.slice(0, 30) })),
  );
  const ids = new Set<string>();
  let open: string[] = [];
  let before = "system";
  for (const message of messages) {
    if (message.role === "tool") {
      assertEquals(message.toolCallId, open.shift(), said);
    } else {
      assertEquals(open, [], said);
      assert(
        message.role !== "assistant" || before !== "assistant",
        `${before} twice: ${said}`,
      );
    }
    if (message.role === "assistant") {
      open = message.toolCalls.map(({ id }) => id);
      for (const id of open) {
        assert(!ids.has(id), `id twice: ${said}`);
        ids.add(id);
      }
      for (const call of message.toolCalls) {
        const args = JSON.parse(call.arguments);
        assert(typeof args === "object" && !Array.isArray(args));
      }
      assert(message.text !== "" || open.length > 0, said);
    }
    before = message.role;
  }
  assertEquals(open, [], said);
  assert(["user", "tool"].includes(messages.at(-1)!.role), said);
}

/** All text of an answer, as the model or a person reads it. */
const spoken = (said: (ModelMessage | Part)[]) =>
  said.map((one) =>
    "role" in one
      ? one.role === "assistant" ? one.text : ""
      : one.kind === "text"
      ? one.text
      : ""
  ).join("");

const plain = (parts: Part[]) =>
  parts.map((part) => {
    if (part.kind === "step") return "step";
    const { done: _, ...rest } = part as typeof part & { done?: boolean };
    return rest;
  });

function begins(whole: Answer, shown: Answer, events: string): void {
  assert(
    answerText(whole).startsWith(answerText(shown)),
    `${JSON.stringify(answerText(shown))} is taken back: ${
      JSON.stringify(answerText(whole))
    } ${events}`,
  );
  const parts = plain(whole.parts);
  for (const [i, part] of plain(shown.parts).entries()) {
    const now = parts[i];
    if (
      part !== "step" && part.kind === "text" && now !== "step" &&
      now?.kind === "text"
    ) {
      assert(now.text.startsWith(part.text));
    } else assertEquals(now, part, events);
  }
}

Deno.test("N5: whatever an answer was when it broke off, however often, nothing shown is taken back and no provider refuses what is told", async () => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 1, maxLength: 8 }),
    async (steps) => {
      await using it = stage({
        tools: [look],
        limits: {
          questionsPerMinute: Infinity,
          allQuestionsPerMinute: Infinity,
        },
      });
      let { run, chat } = await it.start();
      let shown: Answer | null = null;
      let calls = 0;
      let pending = it.model.next();
      const rest = [...steps];
      while (true) {
        // One run, to its end.
        let over = false;
        let known = shown === null ? "" : spoken(shown.parts);
        const all = drain(await open(it.runs, run)).finally(() => over = true);
        while (!over) {
          const asked = await Promise.race([all, pending]);
          if (Array.isArray(asked)) break;
          pending = it.model.next();
          check(asked.request.messages);
          const now = spoken(asked.request.messages);
          assert(now.startsWith(known), `"${known}" is lost: "${now}"`);
          known = now;
          const { says, ending } = rest.shift() ??
            {
              says: [{ kind: "text" as const, words: "end" }],
              ending: "stop" as const,
            };
          const toolCalls: ToolCall[] = [];
          for (const each of says) {
            if (each.kind === "call") {
              const id = `c${calls++ % 3}`;
              if (toolCalls.some((call) => call.id === id)) continue;
              asked.emit({ type: "tool-call-start", id, name: each.name });
              asked.emit({ type: "tool-call-delta", id, delta: each.args });
              toolCalls.push({ id, name: each.name, arguments: each.args });
            } else asked.emit({ type: each.kind, delta: each.words });
          }
          if (ending === "fail") {
            asked.fail(
              new ModelError("upstream_reset", "x", { retryable: true }),
            );
          } else if (ending === "user") await it.runs.stop("me", run);
          else {
            asked.finish({
              toolCalls,
              finishReason: ending === "calls" ? "tool-calls" : ending,
            });
          }
        }
        const entries = await all;
        const answer = folded(entries);
        assert(
          answer.status !== "running",
          entries.map((e) => e.json).join("\n"),
        );
        for (const { json } of entries) assert(json.length < 32_000);
        if (shown !== null) {
          begins(
            answer,
            shown,
            entries.map((e) => e.json).join("\n"),
          );
        }
        // Told again it folds into the same.
        const told: RunEvent[] = tellShown(answer);
        const again = folded(told.map((event, i) => (
          { epoch: 1, seq: i + 1, event, json: JSON.stringify(event) }
        )));
        assertEquals(
          plain(again.parts),
          plain(answer.parts),
        );
        shown = answer;
        const next = await it.runs.start({ owner: "me", chat, continues: run });
        if (next.kind === "not-broken-off") break;
        assert(next.kind === "started", next.kind);
        run = next.run;
      }
      // What comes after is told of it in a way that is taken, too.
      const after = await it.runs.start({ owner: "me", chat, text: "and?" });
      assert(after.kind === "started");
      const asked = await pending;
      check(asked.request.messages);
      asked.say("x").finish();
      await drain(await open(it.runs, after.run));
    },
  );
  const seed = Number(Deno.env.get("FC_SEED") ?? Date.now() % 1e9);
  console.log(`fast-check seed ${seed} (FC_SEED=${seed} repeats it)`);
  await fc.assert(property, { numRuns: 200, seed });
});
