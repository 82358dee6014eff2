/**
 * The reducer: one event after another becomes an {@linkcode Answer}. First load,
 * live tokens, replay and resume all go through here, on the server and in the
 * browser.
 *
 * Delivery is at least once and in order; drawing is exactly once (protocol 2.4):
 * an entry at or before the cursor is ignored, a delta that overlaps loses its
 * known beginning, and one that starts beyond the known text is a gap.
 *
 * @module
 */
import type { Answer, Part, StepPart, TextPart, ToolPart } from "./answer.ts";
import type { DeltaEvent, LogEntry, RunEvent } from "./events.ts";
import { addUsage } from "./usage.ts";

/** What a fold did, so that a screen redraws only that. */
export type Change =
  /** Known already, or nothing to see. */
  | { kind: "none" }
  /** The part at this index grew or changed. */
  | { kind: "part"; index: number }
  /** A part was added at the end. */
  | { kind: "added"; index: number }
  /** Status, notice, usage or error changed. */
  | { kind: "meta" }
  /** The message must be drawn anew from a full replay that follows. */
  | { kind: "reset" }
  /** Something is missing. The answer is unchanged; ask for a full replay. */
  | { kind: "gap" };

const NONE: Change = { kind: "none" };
const META: Change = { kind: "meta" };
const GAP: Change = { kind: "gap" };

/**
 * Applies one committed entry to `answer`, in place.
 *
 * @param answer The answer so far; its cursor moves unless the result is `gap`.
 * @param entry The entry. `data-resync` has no place in the log (seq 0).
 */
export function fold(answer: Answer, entry: LogEntry): Change {
  if (entry.event.type === "data-resync") {
    clear(answer);
    return { kind: "reset" };
  }
  const { cursor } = answer;
  if (
    cursor !== null &&
    (entry.epoch < cursor.epoch ||
      (entry.epoch === cursor.epoch && entry.seq <= cursor.seq))
  ) return NONE;
  const change = apply(answer, entry.event);
  if (change !== GAP) answer.cursor = { epoch: entry.epoch, seq: entry.seq };
  return change;
}

/** Forgets everything but the run, ready for a full replay. */
export function clear(answer: Answer): void {
  answer.cursor = null;
  answer.status = "running";
  answer.parts = [];
  answer.usage = null;
  answer.finishReason = null;
  answer.abortReason = null;
  answer.error = null;
  answer.notice = null;
  answer.asked = null;
  answer.ms = null;
}

function apply(answer: Answer, event: RunEvent): Change {
  switch (event.type) {
    case "start":
      answer.model = event.messageMetadata.model;
      return META;
    case "start-step":
      return add(answer, { kind: "step", done: false });
    case "finish-step": {
      const step = answer.parts.findLast((p): p is StepPart =>
        p.kind === "step"
      );
      if (step !== undefined) {
        step.done = true;
        if (event.carry !== undefined) step.carry = event.carry;
        if (event.finishReason !== undefined) {
          step.finishReason = event.finishReason;
        }
      }
      if (event.usage !== undefined) {
        answer.usage = answer.usage === null
          ? event.usage
          : addUsage(answer.usage, event.usage);
      }
      return NONE;
    }
    case "data-resync":
      return NONE;
    case "text-start":
    case "reasoning-start":
      answer.notice = null;
      return add(answer, {
        kind: event.type === "text-start" ? "text" : "reasoning",
        id: event.id,
        text: "",
        done: false,
      });
    case "text-delta":
    case "reasoning-delta":
      return grow(answer, event);
    case "text-end":
    case "reasoning-end": {
      const index = findText(answer, event.id);
      const part = answer.parts[index] as TextPart | undefined;
      if (part === undefined || part.text.length !== event.len) return GAP;
      part.done = true;
      return { kind: "part", index };
    }
    case "tool-input-start":
      answer.notice = null;
      return add(answer, {
        kind: "tool",
        id: event.toolCallId,
        name: event.toolName,
        state: "input",
        inputText: "",
      });
    case "tool-input-delta": {
      const index = findTool(answer, event.toolCallId);
      const part = answer.parts[index] as ToolPart | undefined;
      if (part === undefined || event.off > part.inputText.length) return GAP;
      part.inputText += event.inputTextDelta.slice(
        part.inputText.length - event.off,
      );
      return { kind: "part", index };
    }
    case "tool-input-available":
      return onTool(answer, event.toolCallId, (part) => {
        part.state = "running";
        part.input = event.input;
        if (event.allowed) part.allowed = true;
      });
    case "tool-input-error":
      return onTool(answer, event.toolCallId, (part) => {
        part.state = "failed";
        part.input = event.input;
        part.errorText = event.errorText;
      });
    case "tool-output-available":
      return onTool(answer, event.toolCallId, (part) => {
        part.state = "done";
        part.output = event.output;
        part.ms = event.ms;
      });
    case "tool-output-error":
      return onTool(answer, event.toolCallId, (part) => {
        part.state = "failed";
        part.errorText = event.errorText;
        part.ms = event.ms;
      });
    case "data-approval": {
      const asked = { ...event.data, decision: null };
      const { toolCallId } = event.data;
      if (toolCallId !== null) {
        return onTool(answer, toolCallId, (part) => {
          part.state = "waiting";
          part.approval = asked;
        });
      }
      answer.asked = asked;
      return META;
    }
    case "data-approval-answer": {
      const { id, decision } = event.data;
      if (answer.asked?.id === id) {
        answer.asked.decision = decision;
        return META;
      }
      const index = answer.parts.findLastIndex((p) =>
        p.kind === "tool" && p.approval?.id === id
      );
      const part = answer.parts[index] as ToolPart | undefined;
      if (part === undefined) return GAP;
      part.approval!.decision = decision;
      if (part.state === "waiting") part.state = "running";
      return { kind: "part", index };
    }
    case "data-tool-progress": {
      const { toolCallId, ...progress } = event.data;
      return onTool(answer, toolCallId, (part) => part.progress = progress);
    }
    case "data-run":
      answer.notice = event.data;
      return META;
    case "finish":
      return end(answer, () => {
        answer.status = "complete";
        answer.finishReason = event.finishReason;
        answer.usage = event.messageMetadata.usage;
        answer.ms = event.messageMetadata.ms;
      });
    case "abort":
      return end(answer, () => {
        answer.status = event.reason === "user" ? "stopped" : "interrupted";
        answer.abortReason = event.reason;
      });
    case "error":
      return end(answer, () => {
        answer.status = event.code === "run_interrupted"
          ? "interrupted"
          : "failed";
        answer.error = {
          code: event.code,
          text: event.errorText,
          retryable: event.retryable,
          retryAfterMs: event.retryAfterMs,
        };
      });
    default:
      // A newer server may say more than this page understands: protocol 2.3
      // allows new transient data parts, and nothing else may be guessed at.
      return NONE;
  }
}

function add(answer: Answer, part: Part): Change {
  return { kind: "added", index: answer.parts.push(part) - 1 };
}

function grow(answer: Answer, event: DeltaEvent): Change {
  const index = findText(answer, event.id);
  const part = answer.parts[index] as TextPart | undefined;
  if (part === undefined || event.off > part.text.length) return GAP;
  part.text += event.delta.slice(part.text.length - event.off);
  return { kind: "part", index };
}

function onTool(
  answer: Answer,
  id: string,
  change: (part: ToolPart) => void,
): Change {
  const index = findTool(answer, id);
  const part = answer.parts[index] as ToolPart | undefined;
  if (part === undefined) return GAP;
  change(part);
  return { kind: "part", index };
}

/** Every part is closed before the terminal, so an open one means a lost frame. */
function end(answer: Answer, change: () => void): Change {
  if (answer.parts.some(isOpen)) return GAP;
  answer.notice = null;
  change();
  return META;
}

function isOpen(part: Part): boolean {
  if (part.kind === "tool") return !isAnswered(part);
  return part.kind !== "step" && !part.done;
}

/** Whether a call has its result, good or bad. */
export function isAnswered(part: ToolPart): boolean {
  return part.state === "done" || part.state === "failed";
}

// Ids are looked for from the end: what grows is nearly always the last part.
function findText(answer: Answer, id: string): number {
  return answer.parts.findLastIndex((p) =>
    (p.kind === "text" || p.kind === "reasoning") && p.id === id
  );
}

function findTool(answer: Answer, id: string): number {
  return answer.parts.findLastIndex((p) => p.kind === "tool" && p.id === id);
}
