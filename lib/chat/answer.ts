/**
 * An answer: what a run's log folds into. The same shape is drawn on the server,
 * handed to the island, kept as the sealed message and turned into the model's
 * history.
 *
 * @module
 */
import type {
  Approval,
  Decision,
  ErrorCode,
  FinishReason,
  Json,
  Progress,
  RunNotice,
  ToolOutput,
  Usage,
} from "./events.ts";

/** Where a reader is in a run's log. Ordered by epoch, then seq. */
export interface Cursor {
  epoch: number;
  seq: number;
}

export interface TextPart {
  kind: "text" | "reasoning";
  id: string;
  text: string;
  done: boolean;
}

export interface ToolPart {
  kind: "tool";
  /** The call's id. */
  id: string;
  name: string;
  /**
   * `input`: arguments still arrive; `waiting`: for a person's answer;
   * `running`: the tool works.
   */
  state: "input" | "waiting" | "running" | "done" | "failed";
  /** The arguments as the model typed them so far. */
  inputText: string;
  input?: Json;
  output?: ToolOutput;
  errorText?: string;
  /** How long the tool took. */
  ms?: number;
  /** What a person was asked about this call, and what they said. */
  approval?: Asked;
  /** It has an effect, and nobody is asked: allowed for the whole chat. */
  allowed?: true;
  /** How far a long call has got. */
  progress?: Progress;
}

/** A question to a person; `decision` is null while it is open. */
export type Asked = Approval & { decision: Decision | null };

/** Where one model call ends and the next begins; drawn as nothing. */
export interface StepPart {
  kind: "step";
  /** The step's `finish-step` was seen. */
  done: boolean;
  /** Why the model stopped, by its own word. */
  finishReason?: FinishReason;
  /** Names what the store keeps for the model's next request. */
  carry?: string;
}

export type Part = TextPart | ToolPart | StepPart;

export type AnswerStatus =
  | "running"
  | "complete"
  | "stopped"
  | "failed"
  | "interrupted";

export interface AnswerError {
  code: ErrorCode;
  text: string;
  retryable: boolean;
  retryAfterMs?: number;
}

export interface Answer {
  run: string;
  cursor: Cursor | null;
  status: AnswerStatus;
  model: string;
  parts: Part[];
  /** Of the finished steps so far; of the whole run once it is over. */
  usage: Usage | null;
  finishReason: FinishReason | null;
  /** Set when the run was stopped. */
  abortReason: "user" | "timeout" | "shutdown" | null;
  error: AnswerError | null;
  /** What the run is waiting for right now. */
  notice: RunNotice | null;
  /** The last question about the run itself (`steps`, `loop`). */
  asked: Asked | null;
  /** Wall time from start to terminal, once known. */
  ms: number | null;
}

/** An answer before its first event. */
export function emptyAnswer(run: string): Answer {
  return {
    run,
    cursor: null,
    status: "running",
    model: "",
    parts: [],
    usage: null,
    finishReason: null,
    abortReason: null,
    error: null,
    notice: null,
    asked: null,
    ms: null,
  };
}

/** Every question of the run that nobody has answered yet, oldest first. */
export function openQuestions(answer: Answer): Asked[] {
  const asked = answer.parts.flatMap((part) =>
    part.kind === "tool" && part.approval !== undefined ? [part.approval] : []
  );
  if (answer.asked !== null) asked.push(answer.asked);
  return asked.filter(({ decision }) => decision === null);
}

/**
 * The text part that is still being written: at most reasoning comes after it,
 * where a text that broke off is gone on with.
 */
export function openText(answer: Answer): TextPart | null {
  const part = answer.parts.findLast(({ kind }) => kind !== "reasoning");
  return part?.kind === "text" && !part.done && part.text !== "" ? part : null;
}

/**
 * Whether the answer broke off with something shown, so that another run can go
 * on with it: interrupted, stopped, failed, or cut at its greatest length.
 */
export function isBrokenOff(answer: Answer): boolean {
  const whole = answer.status === "running" ||
    answer.status === "complete" && answer.finishReason !== "length";
  return !whole &&
    answer.parts.some((part) =>
      part.kind === "text" ? part.text !== "" : part.kind === "tool"
    );
}

/** Stands between two text parts when an answer is read as one text. */
export const PART_BREAK = "\n\n";

/** The answer's visible text: its text parts, a blank line between two. */
export function answerText(answer: Answer): string {
  return answer.parts
    .filter((part): part is TextPart => part.kind === "text")
    .map((part) => part.text)
    .filter((text) => text !== "")
    .join(PART_BREAK);
}
