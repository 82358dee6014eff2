/**
 * What becomes of a run whose owner is gone (decision 8): nothing that was shown
 * is taken back, and nothing with an effect is done twice.
 *
 * @module
 */
import type { Answer, StepPart } from "../chat/answer.ts";
import { closingEvents } from "../chat/close.ts";
import type {
  AgentEvent,
  FinishReason,
  RunNotice,
  TerminalEvent,
} from "../chat/events.ts";
import type { Entry } from "./entry.ts";

/** How a run goes on whose owner is gone. */
export type Recovery =
  /** From its log, after these events. */
  | { kind: "go-on"; events: AgentEvent[] }
  /**
   * Not at all: all was said and only the end is missing, or it had begun to
   * speak, or it is taken over the second time.
   */
  | { kind: "end"; terminal: TerminalEvent };

/**
 * @param answer The run's log so far, folded.
 * @param committed The log itself.
 */
export function recovery(
  answer: Answer,
  committed: Entry[],
  now: Date,
): Recovery {
  const { step, parts } = lastStep(answer);
  const tools = parts.filter((part) => part.kind === "tool");
  if (step !== null && isWhole(step) && tools.length === 0) {
    return {
      kind: "end",
      terminal: finishOf(answer, step.finishReason, now, committed[0]!),
    };
  }
  const noticed = (status: RunNotice["status"]) =>
    committed.filter(({ event }) =>
      event.type === "data-run" && event.data.status === status
    ).length;
  // Who was handed a run did not find it after a crash.
  const crashes = noticed("taken-over") - noticed("handed-over") + 1;
  if (isSpeaking(answer) || crashes > 1) {
    return { kind: "end", terminal: INTERRUPTED };
  }
  // A call still being typed was never run: the model is asked again.
  const typing = tools.some(({ state }) => state === "input");
  return {
    kind: "go-on",
    events: [
      {
        type: "data-run",
        data: { status: "taken-over", attempt: 2 },
        transient: true,
      },
      ...(typing || tools.length === 0 ? closingEvents(answer) : []),
    ],
  };
}

/**
 * Whether the step the answer is in has shown text: nobody may run it again
 * (decision 8). Thoughts are no answer: they stay where they are, and the model
 * thinks again.
 */
export function isSpeaking(answer: Answer): boolean {
  const { step, parts } = lastStep(answer);
  return step !== null && !isWhole(step) &&
    parts.some((part) => part.kind === "text" && part.text !== "");
}

function lastStep(answer: Answer) {
  const at = answer.parts.findLastIndex(({ kind }) => kind === "step");
  const step = answer.parts[at] as StepPart | undefined;
  return { step: step ?? null, parts: answer.parts.slice(at + 1) };
}

/** The model itself said that it was done; one that broke off has no reason. */
function isWhole(step: StepPart): boolean {
  return step.done && step.finishReason !== undefined;
}

const INTERRUPTED: TerminalEvent = {
  type: "error",
  code: "run_interrupted",
  errorText: "The server was interrupted while it was answering.",
  retryable: true,
};

function finishOf(
  answer: Answer,
  reason: FinishReason | undefined,
  now: Date,
  { event: start }: Entry,
): TerminalEvent {
  const began = start.type === "start"
    ? Date.parse(start.messageMetadata.created_at)
    : now.getTime();
  const steps = answer.parts.filter(({ kind }) => kind === "step").length;
  return {
    type: "finish",
    finishReason: reason === undefined || reason === "tool-calls"
      ? "stop"
      : reason,
    messageMetadata: {
      usage: answer.usage ?? { input: 0, output: 0, total: 0 },
      steps,
      ms: Math.max(0, now.getTime() - began),
    },
  };
}
