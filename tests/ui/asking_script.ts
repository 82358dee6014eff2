/**
 * Runs that ask a person, as scripts.
 *
 * @module
 */
import type { Approval, Json, RunEvent } from "../../lib/chat/events.ts";

const SERVER_TOOL = { dynamic: true, providerExecuted: true } as const;

export function question(fields: Partial<Approval> = {}): Approval {
  return {
    id: "a_1",
    reason: "effect",
    toolCallId: "c1",
    hash: "h",
    pin: "p",
    chatWide: true,
    expiresAt: "2026-11-22T14:05:00.000Z",
    ...fields,
  };
}

/** A call that waits for a person. */
export function callThatAsks(
  input: Json,
  toolName = "send_mail",
  fields: Partial<Approval> = {},
): RunEvent[] {
  const data = question(fields);
  const toolCallId = data.toolCallId!;
  return [
    { type: "tool-input-start", toolCallId, toolName, ...SERVER_TOOL },
    {
      type: "tool-input-available",
      toolCallId,
      toolName,
      input,
      ...SERVER_TOOL,
    },
    { type: "data-approval", data, transient: true },
  ];
}

export const answered = (
  decision: "once" | "chat" | "denied" | "expired",
  id = "a_1",
): RunEvent => ({
  type: "data-approval-answer",
  data: { id, decision },
  transient: true,
});

export const toolDone: RunEvent = {
  type: "tool-output-available",
  toolCallId: "c1",
  output: { text: "sent" },
  ms: 5,
  ...SERVER_TOOL,
};

export const runAsks = (reason: "steps" | "loop"): RunEvent => ({
  type: "data-approval",
  data: question({ reason, toolCallId: null, chatWide: false }),
  transient: true,
});

export const progress = (
  done: number,
  total?: number,
  message?: string,
): RunEvent => ({
  type: "data-tool-progress",
  data: { toolCallId: "c1", done, total, message },
  transient: true,
});
