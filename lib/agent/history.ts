/**
 * From what was said to what the model must read: turns of a chat become
 * provider messages, step by step, so that a tool's answer stands right behind
 * its call and text said before it stays before it.
 *
 * @module
 */
import type { Answer, TextPart, ToolPart } from "../chat/answer.ts";
import type { ModelMessage } from "./contracts.ts";

/**
 * Most of a chat that is told again, in UTF-16 units (case D05): some 30,000
 * tokens of English, 100,000 of Chinese.
 */
export const MAX_HISTORY = 120_000;

/**
 * The messages for a question asked after `turns`: as many of the newest as
 * {@linkcode MAX_HISTORY} holds, whole turns only, so that no call loses its
 * answer.
 *
 * Answers that failed or were stopped count with what was shown. Every call gets
 * an answer, because providers refuse a call without one (protocol 2.5).
 */
export function historyMessages(
  system: string,
  turns: { text: string; answer: Answer }[],
  question: string,
): ModelMessage[] {
  const told: ModelMessage[][] = [];
  let size = 0;
  for (const turn of turns.toReversed()) {
    const messages = turnMessages(turn);
    size += messages.reduce((sum, message) => sum + sizeOf(message), 0);
    if (size > MAX_HISTORY) break;
    told.unshift(messages);
  }
  return [
    { role: "system", text: system },
    ...told.flat(),
    { role: "user", text: question },
  ];
}

function turnMessages(turn: { text: string; answer: Answer }): ModelMessage[] {
  const messages: ModelMessage[] = [{ role: "user", text: turn.text }];
  for (const step of steps(turn.answer)) {
    const text = step.texts.map((part) => part.text).join("");
    if (text === "" && step.tools.length === 0) continue;
    messages.push({
      role: "assistant",
      text,
      toolCalls: step.tools.map((tool) => ({
        id: tool.id,
        name: tool.name,
        arguments: argumentsOf(tool.input),
      })),
    });
    for (const tool of step.tools) {
      messages.push({
        role: "tool",
        toolCallId: tool.id,
        text: tool.output?.text ?? tool.errorText ?? "aborted",
      });
    }
  }
  return messages;
}

function sizeOf(message: ModelMessage): number {
  if (message.role !== "assistant") return message.text.length;
  return message.toolCalls.reduce(
    (sum, call) => sum + call.name.length + call.arguments.length,
    message.text.length,
  );
}

/**
 * A call's arguments as a provider will read them back. What the model typed may
 * be broken JSON (U36), which some refuse; what was understood of it is not.
 */
export function argumentsOf(input: unknown): string {
  return JSON.stringify(isObject(input) ? input : {});
}

interface Step {
  texts: TextPart[];
  tools: ToolPart[];
}

function steps(answer: Answer): Step[] {
  const found: Step[] = [];
  for (const part of answer.parts) {
    if (part.kind === "step" || found.length === 0) {
      found.push({ texts: [], tools: [] });
    }
    const step = found.at(-1)!;
    if (part.kind === "text") step.texts.push(part);
    if (part.kind === "tool") step.tools.push(part);
  }
  return found;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
