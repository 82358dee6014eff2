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
 * The messages for a question asked after `turns`.
 *
 * Answers that failed or were stopped count with what was shown. Every call gets
 * an answer, because providers refuse a call without one (protocol 2.5).
 */
export function historyMessages(
  system: string,
  turns: { text: string; answer: Answer }[],
  question: string,
): ModelMessage[] {
  const messages: ModelMessage[] = [{ role: "system", text: system }];
  for (const turn of turns) {
    messages.push({ role: "user", text: turn.text });
    for (const step of steps(turn.answer)) {
      const text = step.texts.map((part) => part.text).join("");
      if (text === "" && step.tools.length === 0) continue;
      messages.push({
        role: "assistant",
        text,
        toolCalls: step.tools.map((tool) => ({
          id: tool.id,
          name: tool.name,
          // What the model typed may be broken JSON (U36), which providers
          // would refuse to read back; what was understood is not.
          arguments: JSON.stringify(isObject(tool.input) ? tool.input : {}),
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
  }
  messages.push({ role: "user", text: question });
  return messages;
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
