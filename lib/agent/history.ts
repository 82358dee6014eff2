/**
 * From what was said to what the model must read: turns of a chat become
 * provider messages, step by step, so that a tool's answer stands right behind
 * its call and text said before it stays before it.
 *
 * @module
 */
import {
  type Answer,
  openQuestions,
  openText,
  type StepPart,
  type TextPart,
  type ToolPart,
} from "../chat/answer.ts";
import { isAnswered } from "../chat/fold.ts";
import type { Before } from "./loop.ts";
import type { Carry, ModelMessage } from "./contracts.ts";
import { Repeats } from "./repeats.ts";

/**
 * Most of a chat that is told again, in UTF-16 units (case D05): some 30,000
 * tokens of English, 100,000 of Chinese.
 */
export const MAX_HISTORY = 120_000;

/** How the answer of a tool begins that was run and failed. */
export const TOOL_FAILED = "The tool failed: ";

/** A question and what was answered. */
export interface Told {
  text: string;
  /** Data URLs. */
  images?: string[];
  answer: Answer;
}

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
  turns: Told[],
  question: { text: string; images?: string[] },
): ModelMessage[] {
  const told: ModelMessage[][] = [];
  let size = 0;
  for (const turn of turns.toReversed()) {
    const messages = [asked(turn), ...answerMessages(turn.answer)];
    size += messages.reduce((sum, message) => sum + sizeOf(message), 0);
    if (size > MAX_HISTORY) break;
    told.unshift(messages);
  }
  return [{ role: "system", text: system }, ...told.flat(), asked(question)];
}

function asked({ text, images }: { text: string; images?: string[] }) {
  const message: ModelMessage = { role: "user", text };
  if (images !== undefined && images.length > 0) message.images = images;
  return message;
}

/**
 * What a run has said and done so far, for the model. Calls of the last step that
 * have no result yet are left for {@linkcode before}.
 *
 * @param carry What an adapter kept with a step, by its name.
 */
export function runMessages(
  answer: Answer,
  carry: (name: string) => Carry | undefined,
): ModelMessage[] {
  return answerMessages(answer, { carry, open: openTools(answer) });
}

/**
 * Where a run stands that goes on after a pause or a crash.
 *
 * @param fresh Ids of the questions that were answered just now.
 */
export function before(answer: Answer, fresh: ReadonlySet<string>): Before {
  const calls = answer.parts.filter((part) => part.kind === "tool");
  const text = openText(answer);
  return {
    steps: answer.parts.filter((part) => part.kind === "step").length,
    usage: answer.usage ?? { input: 0, output: 0, total: 0 },
    parts: answer.parts.length,
    calls: calls.map(({ id }) => id),
    open: openTools(answer).map((part) => ({
      id: part.id,
      name: part.name,
      input: part.input ?? {},
      result: isAnswered(part) ? resultOf(part) : null,
      approval: part.approval ?? null,
      fresh: part.approval !== undefined && fresh.has(part.approval.id),
    })),
    saying: text === null ? null : { id: text.id, text: text.text },
  };
}

/** Whether the run waits for a person, so that it can go on from its log. */
export function isWaiting(answer: Answer): boolean {
  return openQuestions(answer).length > 0;
}

/** Every call of the run so far, as {@linkcode Repeats} would have seen it. */
export function repeatsOf(answer: Answer): Repeats {
  const repeats = new Repeats();
  for (const part of answer.parts) {
    if (part.kind !== "tool" || !hasSpoken(part)) continue;
    repeats.note(part.name, part.input ?? {}, resultOf(part));
  }
  return repeats;
}

/** Whether the tool itself was heard, and not only our refusal to run it. */
export function hasSpoken(part: ToolPart): boolean {
  return part.state === "done" ||
    part.state === "failed" && part.errorText?.startsWith(TOOL_FAILED) === true;
}

/** All calls of the last step, if one of them has no result. */
function openTools(answer: Answer): ToolPart[] {
  const tools = steps(answer).at(-1)?.tools ?? [];
  return tools.every(isAnswered) ? [] : tools;
}

function answerMessages(
  answer: Answer,
  run?: { carry: (name: string) => Carry | undefined; open: ToolPart[] },
): ModelMessage[] {
  const messages: ModelMessage[] = [];
  for (const step of steps(answer)) {
    const text = step.texts.map((part) => part.text).join("");
    if (text === "" && step.tools.length === 0) continue;
    const name = step.mark?.carry;
    const carry = name === undefined ? undefined : run?.carry(name);
    messages.push({
      role: "assistant",
      text,
      toolCalls: step.tools.map((tool) => ({
        id: tool.id,
        name: tool.name,
        arguments: argumentsOf(tool.input),
      })),
      ...(carry === undefined ? {} : { carry }),
    });
    if (step.tools.length > 0 && run?.open[0] === step.tools[0]) break;
    for (const tool of step.tools) {
      messages.push({
        role: "tool",
        toolCallId: tool.id,
        text: resultOf(tool),
      });
    }
  }
  return messages;
}

function resultOf(tool: ToolPart): string {
  return tool.output?.text ?? tool.errorText ?? "aborted";
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
  mark: StepPart | null;
  texts: TextPart[];
  tools: ToolPart[];
}

function steps(answer: Answer): Step[] {
  const found: Step[] = [];
  for (const part of answer.parts) {
    if (part.kind === "step" || found.length === 0) {
      const mark = part.kind === "step" ? part : null;
      found.push({ mark, texts: [], tools: [] });
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
