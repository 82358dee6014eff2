/**
 * The agent by itself: a model, some tools and a question, without server, store
 * or screen. What the server does with a log and many people, this does in memory
 * for one program.
 *
 * @module
 */
import {
  type Answer,
  answerText,
  emptyAnswer,
  openQuestions,
} from "../chat/answer.ts";
import type {
  AgentEvent,
  Decision,
  FinishReason,
  Usage,
} from "../chat/events.ts";
import { fold } from "../chat/fold.ts";
import { newApprovalId } from "../chat/ids.ts";
import type { Carry, Model, ModelMessage, Tool } from "./contracts.ts";
import { before, historyMessages, repeatsOf, runMessages } from "./history.ts";
import { outOfSteps, runAgent } from "./loop.ts";
import { systemPrompt } from "./prompt.ts";
import { createToolbox } from "./toolbox.ts";
import { strangersIn } from "./trust.ts";

export type { AgentEvent } from "../chat/events.ts";
export type { Model, Tool, ToolContext } from "./contracts.ts";
export { ModelError, tool } from "./contracts.ts";

/** What a program is asked before a tool with effects is run. */
export interface Question {
  reason: "effect" | "taint" | "steps" | "loop";
  /** The tool and its arguments; null when asked whether to go on at all. */
  call: { name: string; input: unknown } | null;
}

export interface AskOptions {
  model: Model;
  tools?: Tool[];
  question: string;
  /** What was asked and answered before, in the same conversation. */
  after?: Pick<AskResult, "question" | "answer">[];
  /** Instead of the server's own instructions. */
  system?: string;
  temperature?: number;
  /** Hears everything as it happens. */
  onEvent?: (event: AgentEvent) => void;
  /** Says yes or no to what has effects; without it everything is a no (T01). */
  approve?: (question: Question) => boolean | Promise<boolean>;
  signal?: AbortSignal;
  /** Model calls before `approve` is asked whether to go on. Default 25. */
  maxSteps?: number;
}

export interface AskResult {
  question: string;
  text: string;
  answer: Answer;
  finishReason: FinishReason;
  usage: Usage;
  steps: number;
}

/**
 * Asks the agent and waits for its whole answer.
 *
 * @throws ModelError when the model fails, or may not go on.
 * @throws signal.reason when stopped.
 */
export async function ask(options: AskOptions): Promise<AskResult> {
  const { model, question, approve, maxSteps = 25, onEvent } = options;
  const now = () => new Date();
  const toolbox = createToolbox(options.tools ?? [], now);
  const answer = emptyAnswer("r");
  const carries: Carry[] = [];
  const outputs: string[] = [];
  let seq = 0;
  const emit = (event: AgentEvent) => {
    fold(answer, { epoch: 1, seq: ++seq, event });
    onEvent?.(event);
  };
  const after = options.after ?? [];
  const told: ModelMessage[] = historyMessages(
    options.system ?? systemPrompt(now()),
    after.map((turn) => ({ text: turn.question, answer: turn.answer })),
    { text: question },
  );
  let fresh = new Set<string>();
  let limit = maxSteps;
  while (true) {
    const result = await runAgent({
      model,
      toolbox,
      messages: [
        ...told,
        ...runMessages(answer, (name) => carries[Number(name)]),
      ],
      temperature: options.temperature ?? 0,
      emit,
      signal: options.signal ?? new AbortController().signal,
      maxSteps: limit,
      recorded: () => Promise.resolve(),
      keep: (text) => Promise.resolve(`#${outputs.push(text)}`),
      keepCarry: (carry) => Promise.resolve(String(carries.push(carry) - 1)),
      trust: {
        attended: approve !== undefined,
        allowed: new Set(),
        strangers: new Set(
          [...after.map((turn) => turn.answer), answer]
            .flatMap((each) => strangersIn(each, toolbox)),
        ),
      },
      repeats: repeatsOf(answer),
      ask: (about) => ({
        ...about,
        id: newApprovalId(),
        expiresAt: new Date(8.64e15).toISOString(),
      }),
      before: before(structuredClone(answer), fresh),
    });
    if (result.kind === "finished") {
      return { ...result, question, text: answerText(answer), answer };
    }
    fresh = new Set();
    for (const { id, reason, toolCallId } of openQuestions(answer)) {
      const part = answer.parts.find((part) =>
        part.kind === "tool" && part.id === toolCallId
      );
      const call = part?.kind === "tool"
        ? { name: part.name, input: part.input }
        : null;
      const decision: Decision = await approve!({ reason, call })
        ? "once"
        : "denied";
      fresh.add(id);
      emit({
        type: "data-approval-answer",
        data: { id, decision },
        transient: true,
      });
      if (reason !== "steps" && reason !== "loop") continue;
      const { steps } = before(answer, fresh);
      if (decision === "denied") throw outOfSteps(reason, steps);
      if (reason === "steps") limit += maxSteps;
    }
  }
}
