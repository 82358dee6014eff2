/**
 * A run's events as `useChat` reads them: the strict subset that AI SDK 5, 6 and
 * 7 all know (protocol 2.7, case R12). Early 5 and 6 refuse a frame that has any
 * field outside their schema, so every frame is built here field by field.
 *
 * @module
 */
import type { RunEvent } from "../chat/events.ts";
import { frameId } from "../chat/ids.ts";
import type { FrameFormat } from "./sse.ts";

/**
 * The frames of `/api/chat`. `useChat` never sends a cursor, so the ids are for
 * people who look at the wire; a reader that is let go is told so, because it
 * would take the end of the stream for the end of the answer.
 */
export function uiMessageFrames(): FrameFormat {
  return {
    headers: { "x-vercel-ai-ui-message-stream": "v1" },
    shared: false,
    opening: "retry: 1000\n\n",
    frame: (run, entry) =>
      `id: ${frameId(run, entry)}\ndata: ${
        JSON.stringify(strictChunk(entry.event))
      }\n\n`,
    closing: "data: [DONE]\n\n",
    beat: ": hb\n\n",
    leaving: `data: ${
      JSON.stringify({
        type: "error",
        errorText:
          "closing: The server is restarting. Load the page again in a moment.",
      })
    }\n\n`,
  };
}

/** One event without a field that any of the schemas does not have. */
function strictChunk(event: RunEvent): Record<string, unknown> {
  const { type } = event;
  switch (type) {
    case "start":
      return {
        type,
        messageId: event.messageId,
        messageMetadata: event.messageMetadata,
      };
    case "start-step":
    case "finish-step":
    case "abort":
      return { type };
    case "text-start":
    case "reasoning-start":
    case "text-end":
    case "reasoning-end":
      return { type, id: event.id };
    case "text-delta":
    case "reasoning-delta":
      return { type, id: event.id, delta: event.delta };
    case "tool-input-start":
      return { type, ...serverTool(event), toolName: event.toolName };
    case "tool-input-delta": {
      const { toolCallId, inputTextDelta } = event;
      return { type, toolCallId, inputTextDelta };
    }
    case "tool-input-available": {
      const { toolName, input } = event;
      return { type, ...serverTool(event), toolName, input };
    }
    case "tool-input-error": {
      const { toolName, input, errorText } = event;
      return { type, ...serverTool(event), toolName, input, errorText };
    }
    case "tool-output-available":
      return { type, ...serverTool(event), output: event.output };
    case "tool-output-error":
      return { type, ...serverTool(event), errorText: event.errorText };
    case "data-run":
    case "data-approval":
    case "data-approval-answer":
    case "data-tool-progress":
    case "data-resync":
      return { type, data: event.data, transient: true };
    case "finish": {
      const { finishReason, messageMetadata } = event;
      return { type, finishReason, messageMetadata };
    }
    case "error":
      return { type, errorText: `${event.code}: ${event.errorText}` };
  }
}

/** Says that the server runs the tool, and `useChat` must not. */
function serverTool({ toolCallId }: { toolCallId: string }) {
  return { toolCallId, dynamic: true, providerExecuted: true };
}
