/** What a model is told of the turns before a question. */
import { assert, assertEquals } from "@std/assert";
import type { ModelMessage } from "../../lib/agent/contracts.ts";
import { historyMessages, MAX_HISTORY } from "../../lib/agent/history.ts";
import { emptyAnswer, type Part } from "../../lib/chat/answer.ts";

const said = (text: string): Part => ({
  kind: "text",
  id: "t1",
  text,
  done: true,
});

const turn = (text: string, ...parts: Part[]) => ({
  text,
  answer: { ...emptyAnswer("r"), parts },
});

const roles = (messages: ModelMessage[]) => messages.map(({ role }) => role);

Deno.test("historyMessages() answers every call behind its step, and says nothing for an empty answer", () => {
  const messages = historyMessages("be brief", [
    turn("failed before its first word", { kind: "step", done: true }),
    turn(
      "stopped in a call",
      { kind: "step", done: true },
      { kind: "text", id: "r1", text: "hm", done: true },
      {
        kind: "tool",
        id: "c1",
        name: "bus",
        state: "failed",
        inputText: '{"fr',
        errorText: "aborted",
        ms: 0,
      },
      { kind: "step", done: true },
      said("no bus"),
    ),
  ], { text: "again" });
  assertEquals(roles(messages), [
    "system",
    "user",
    "user",
    "assistant",
    "tool",
    "assistant",
    "user",
  ]);
  const call = messages[3]!;
  assert(call.role === "assistant");
  assertEquals(call.toolCalls, [{ id: "c1", name: "bus", arguments: "{}" }]);
});

Deno.test("D05: historyMessages() tells the newest turns of a 500-turn chat, whole ones, and the question", () => {
  const turns = Array.from(
    { length: 500 },
    (_, i) => turn(`question ${i}`, said(`${i} `.repeat(500))),
  );
  const messages = historyMessages("be brief", turns, { text: "and now?" });
  const size = messages.reduce((sum, { text }) => sum + text.length, 0);
  assert(size < MAX_HISTORY + 100 && size > MAX_HISTORY / 2, `${size}`);
  assertEquals(messages[0], { role: "system", text: "be brief" });
  assertEquals(messages[1]!.role, "user");
  assertEquals(messages.at(-3), { role: "user", text: "question 499" });
  assertEquals(messages.at(-1), { role: "user", text: "and now?" });
});
