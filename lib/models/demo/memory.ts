/**
 * What the demo model remembers: nothing but the messages of the request.
 *
 * @module
 */
import type { BusArguments, BusMemory } from "./bus.ts";
import { PHRASES } from "./phrases.ts";
import { firstDeparture, unclearName } from "./bus_text.ts";
import type { Message } from "./wire.ts";

/** What one tool said to one call. */
export interface ToolAnswer {
  name: string;
  arguments: string;
  text: string;
}

/** The question being answered. */
export function lastQuestion(messages: Message[]): string {
  return messages.findLast((message) => message.role === "user")?.content ?? "";
}

/** The answers of the step just done, in call order; empty if none came. */
export function toolAnswers(messages: Message[]): ToolAnswer[] {
  if (messages.at(-1)?.role !== "tool") return [];
  const asked = messages.findLastIndex(({ role }) => role === "assistant");
  return answersTo(messages, asked);
}

function answersTo(messages: Message[], asked: number): ToolAnswer[] {
  const message = messages[asked];
  if (message?.role !== "assistant") return [];
  return (message.tool_calls ?? []).map((call) => {
    const answer = messages.slice(asked).find((message) =>
      message.role === "tool" && message.tool_call_id === call.id
    );
    return { ...call.function, text: answer?.content ?? "" };
  });
}

/** The last bus call that named a stop. */
export function busMemory(messages: Message[]): BusMemory | null {
  for (let at = messages.length - 1; at >= 0; at--) {
    for (const answer of answersTo(messages, at).toReversed()) {
      if (answer.name !== "bus_schedule") continue;
      const asked = parseObject(answer.arguments) as Partial<BusArguments>;
      if (asked.action === undefined || asked.action === "find_stops") continue;
      return {
        asked: asked as BusArguments,
        shown: firstDeparture(answer.text),
        unclear: unclearName(answer.text),
      };
    }
  }
  return null;
}

/** The question we asked back about, if our last words were "where from?". */
export function openQuestion(messages: Message[]): string | null {
  const asked = messages.findLastIndex(({ role }) => role === "assistant");
  const before = messages.slice(0, Math.max(0, asked))
    .findLast(({ role }) => role === "user");
  if (before === undefined) return null;
  const ours = Object.values(PHRASES).flatMap(({ whereFrom }) =>
    whereFrom("\n").split("\n")
  ).filter((part) => part.length > 8);
  const said = messages[asked]!.content;
  return ours.some((part) => said.includes(part)) ? before.content : null;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
