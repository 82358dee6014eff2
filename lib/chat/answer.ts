/**
 * An answer: what a run's log folds into. The same shape is drawn on the server,
 * handed to the island, kept as the sealed message and turned into the model's
 * history.
 *
 * @module
 */
import type {
  ErrorCode,
  FinishReason,
  Json,
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
  /** `input`: arguments still arrive; `running`: the tool works. */
  state: "input" | "running" | "done" | "failed";
  /** The arguments as the model typed them so far. */
  inputText: string;
  input?: Json;
  output?: ToolOutput;
  errorText?: string;
  /** How long the tool took. */
  ms?: number;
}

/** Where one model call ends and the next begins; drawn as nothing. */
export interface StepPart {
  kind: "step";
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
  usage: Usage | null;
  finishReason: FinishReason | null;
  /** Set when the run was stopped. */
  abortReason: "user" | "timeout" | "shutdown" | null;
  error: AnswerError | null;
  /** What the run is waiting for right now. */
  notice: RunNotice | null;
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
    ms: null,
  };
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
