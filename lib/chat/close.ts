/**
 * What a log still owes its readers: events that close the parts an answer left
 * open, and a whole log told again from a sealed answer.
 *
 * @module
 */
import type { Answer } from "./answer.ts";
import type { AgentEvent, RunEvent } from "./events.ts";

const SERVER_TOOL = { dynamic: true, providerExecuted: true } as const;

/**
 * Closes every open part, so that a terminal may follow. An unfinished tool
 * call is answered "aborted": the next turn would be refused by the provider
 * otherwise (protocol 2.5).
 */
export function closingEvents(answer: Answer): AgentEvent[] {
  const events: AgentEvent[] = [];
  for (const part of answer.parts) {
    if (part.kind === "step") continue;
    if (part.kind === "tool") {
      if (part.state === "input" || part.state === "running") {
        events.push({
          type: "tool-output-error",
          toolCallId: part.id,
          errorText: "aborted",
          ms: 0,
          ...SERVER_TOOL,
        });
      }
    } else if (!part.done) {
      events.push({
        type: `${part.kind}-end`,
        id: part.id,
        len: part.text.length,
      });
    }
  }
  return events;
}

/**
 * A log that folds into `answer` again, for readers that come after the log
 * itself has expired (protocol 2.4, case R03). One delta per part.
 *
 * @param answer A sealed answer.
 */
export function retell(
  answer: Answer,
  about: { chat: string; createdAt: number },
): RunEvent[] {
  const events: RunEvent[] = [{
    type: "start",
    messageId: answer.run,
    messageMetadata: {
      chat_id: about.chat,
      model: answer.model,
      created_at: new Date(about.createdAt).toISOString(),
    },
  }];
  let steps = 0;
  for (const part of answer.parts) {
    switch (part.kind) {
      case "step":
        if (steps++ > 0) events.push({ type: "finish-step" });
        events.push({ type: "start-step" });
        break;
      case "text":
      case "reasoning":
        events.push({ type: `${part.kind}-start`, id: part.id });
        if (part.text !== "") {
          events.push({
            type: `${part.kind}-delta`,
            id: part.id,
            off: 0,
            delta: part.text,
          });
        }
        events.push({
          type: `${part.kind}-end`,
          id: part.id,
          len: part.text.length,
        });
        break;
      case "tool":
        events.push(...retellTool(part));
    }
  }
  if (steps > 0) events.push({ type: "finish-step" });
  events.push(retellEnd(answer, steps));
  return events;
}

function retellTool(
  part: Extract<Answer["parts"][number], { kind: "tool" }>,
): RunEvent[] {
  const call = { toolCallId: part.id, ...SERVER_TOOL };
  const events: RunEvent[] = [
    { type: "tool-input-start", toolName: part.name, ...call },
  ];
  if (part.inputText !== "") {
    events.push({
      type: "tool-input-delta",
      toolCallId: part.id,
      off: 0,
      inputTextDelta: part.inputText,
    });
  }
  const input = part.input ?? {};
  const errorText = part.errorText ?? "aborted";
  if (part.state === "done") {
    events.push(
      {
        type: "tool-input-available",
        toolName: part.name,
        input,
        ...call,
      },
      {
        type: "tool-output-available",
        output: part.output ?? { text: "null" },
        ms: part.ms ?? 0,
        ...call,
      },
    );
  } else if (part.ms === undefined) {
    events.push({
      type: "tool-input-error",
      toolName: part.name,
      input,
      errorText,
      ...call,
    });
  } else {
    if (part.input !== undefined) {
      events.push({
        type: "tool-input-available",
        toolName: part.name,
        input,
        ...call,
      });
    }
    events.push({
      type: "tool-output-error",
      errorText,
      ms: part.ms,
      ...call,
    });
  }
  return events;
}

function retellEnd(answer: Answer, steps: number): RunEvent {
  if (answer.error !== null) {
    return {
      type: "error",
      errorText: answer.error.text,
      code: answer.error.code,
      retryable: answer.error.retryable,
      retryAfterMs: answer.error.retryAfterMs,
    };
  }
  if (answer.abortReason !== null) {
    return { type: "abort", reason: answer.abortReason };
  }
  return {
    type: "finish",
    finishReason: answer.finishReason ?? "other",
    messageMetadata: {
      usage: answer.usage ?? { input: 0, output: 0, total: 0 },
      steps,
      ms: answer.ms ?? 0,
    },
  };
}
