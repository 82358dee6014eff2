/**
 * Runs as scripts: lists of events.
 *
 * @module
 */
import type { RunEvent } from "../../lib/chat/events.ts";

/** A run id made of one letter. */
export const runId = (letter: string) => `r_${letter.repeat(26)}`;
/** A chat id made of one letter. */
export const chatId = (letter: string) => `c_${letter.repeat(26)}`;

const SERVER_TOOL = { dynamic: true, providerExecuted: true } as const;
const USAGE = { input: 3, output: 4, total: 7 };

/** How a run begins. */
export function startOf(run: string): RunEvent {
  return {
    type: "start",
    messageId: run,
    messageMetadata: {
      chat_id: chatId("a"),
      model: "scripted",
      created_at: "2026-11-22T08:00:00.000Z",
    },
  };
}

/** How a run ends well. */
export const FINISH: RunEvent = {
  type: "finish",
  finishReason: "stop",
  messageMetadata: { usage: USAGE, steps: 1, ms: 900 },
};

/** A text part in the given pieces. */
export function text(id: string, ...pieces: string[]): RunEvent[] {
  let off = 0;
  return [
    { type: "text-start", id },
    ...pieces.map((delta): RunEvent => {
      const event: RunEvent = { type: "text-delta", id, off, delta };
      off += delta.length;
      return event;
    }),
    { type: "text-end", id, len: off },
  ];
}

/** A run with everything in it: reasoning, a tool, two steps, a text. */
export function richRun(run: string): RunEvent[] {
  return [
    startOf(run),
    { type: "start-step" },
    { type: "reasoning-start", id: "r1" },
    { type: "reasoning-delta", id: "r1", off: 0, delta: "A bus is " },
    { type: "reasoning-delta", id: "r1", off: 9, delta: "wanted." },
    { type: "reasoning-end", id: "r1", len: 16 },
    {
      type: "tool-input-start",
      toolCallId: "c1",
      toolName: "bus_schedule",
      ...SERVER_TOOL,
    },
    {
      type: "tool-input-delta",
      toolCallId: "c1",
      off: 0,
      inputTextDelta: "{}",
    },
    {
      type: "tool-input-available",
      toolCallId: "c1",
      toolName: "bus_schedule",
      input: {},
      ...SERVER_TOOL,
    },
    {
      type: "tool-output-available",
      toolCallId: "c1",
      output: { text: "07:13" },
      ms: 5,
      ...SERVER_TOOL,
    },
    { type: "finish-step" },
    { type: "start-step" },
    ...text("t1", "下一班是 ", "**07:13**", "，👍\n\n", "一路顺风。"),
    { type: "finish-step" },
    FINISH,
  ];
}
