/**
 * What a log still owes its readers: events that close the parts an answer left
 * open, and a whole log told again from a sealed answer.
 *
 * @module
 */
import type { Answer, Asked, StepPart, TextPart, ToolPart } from "./answer.ts";
import type { AgentEvent, Approval, RunEvent } from "./events.ts";
import { isAnswered } from "./fold.ts";
import { splitDelta } from "./merge.ts";

const SERVER_TOOL = { dynamic: true, providerExecuted: true } as const;

/**
 * Closes every open part, so that a terminal may follow. An unfinished tool
 * call is answered "aborted": the next turn would be refused by the provider
 * otherwise (protocol 2.5).
 */
export function closingEvents(answer: Answer): AgentEvent[] {
  const events: AgentEvent[] = [];
  let openStep = false;
  for (const part of answer.parts) {
    if (part.kind === "step") openStep = !part.done;
    else if (part.kind === "tool") {
      if (isAnswered(part)) continue;
      events.push({
        type: "tool-output-error",
        toolCallId: part.id,
        errorText: abortedText(part),
        ms: 0,
        ...SERVER_TOOL,
      });
    } else if (!part.done) {
      events.push({
        type: `${part.kind}-end`,
        id: part.id,
        len: part.text.length,
      });
    }
  }
  if (openStep) events.push({ type: "finish-step" });
  return events;
}

/**
 * What is said of a call that never got its result. One a person allowed may
 * have taken effect all the same: it is never run again by itself (N8).
 */
function abortedText(part: ToolPart): string {
  const allowed = part.allowed || part.approval?.decision === "once" ||
    part.approval?.decision === "chat";
  return part.state === "running" && allowed
    ? "aborted: it is not known whether it took effect"
    : "aborted";
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
  let step: StepPart | null = null;
  let steps = 0;
  for (const part of answer.parts) {
    if (part.kind !== "step") {
      events.push(...retellPart(part));
      continue;
    }
    if (step !== null) events.push(finishStep(step));
    events.push({ type: "start-step" });
    step = part;
    steps++;
  }
  if (step !== null) {
    // The end tells the usage of a complete answer, the last step that of others.
    const whole = answer.status !== "complete" && answer.usage !== null
      ? { usage: answer.usage }
      : {};
    events.push({ ...finishStep(step), ...whole });
  }
  if (answer.asked !== null) events.push(...retellAsked(answer.asked));
  events.push(retellEnd(answer, steps));
  return events;
}

/**
 * What a broken-off answer had shown, as the log of the run begins that goes on
 * with it (N5). The text it ends with stays open, and so does its step: the next
 * words are said in that very part. What was spent is the other run's account,
 * and a question nobody answered is not asked again by itself.
 *
 * @param answer A sealed answer.
 */
export function tellShown(answer: Answer): AgentEvent[] {
  const last = answer.parts.findLast(({ kind }) => kind !== "reasoning");
  const saying = last?.kind === "text" && last.text !== "" ? last : null;
  const events: AgentEvent[] = [];
  let open: StepPart | null = null;
  let called = false;
  const close = () => {
    if (open === null) return;
    const reason = open.finishReason ?? (called ? "tool-calls" : undefined);
    events.push({
      type: "finish-step",
      ...(reason === undefined ? {} : { finishReason: reason }),
    });
  };
  for (const part of answer.parts) {
    if (part.kind === "step") {
      close();
      events.push({ type: "start-step" });
      open = part;
      called = false;
      continue;
    }
    called ||= part.kind === "tool";
    if (part.kind === "tool" && part.approval?.decision === null) {
      events.push(...retellTool({ ...part, approval: undefined }));
    } else {
      const told = retellPart(part);
      events.push(...(part === saying ? told.slice(0, -1) : told));
    }
  }
  if (saying === null) close();
  return events.flatMap(splitDelta) as AgentEvent[];
}

function retellPart(part: TextPart | ToolPart): AgentEvent[] {
  if (part.kind === "tool") return retellTool(part);
  const { id, text } = part;
  const said: AgentEvent[] = text === ""
    ? []
    : [{ type: `${part.kind}-delta`, id, off: 0, delta: text }];
  return [
    { type: `${part.kind}-start`, id },
    ...said,
    { type: `${part.kind}-end`, id, len: text.length },
  ];
}

function finishStep(step: StepPart) {
  return {
    type: "finish-step",
    ...(step.carry === undefined ? {} : { carry: step.carry }),
    ...(step.finishReason === undefined
      ? {}
      : { finishReason: step.finishReason }),
  } as const;
}

function retellAsked({ decision, ...asked }: Asked): AgentEvent[] {
  const data: Approval = asked;
  const events: AgentEvent[] = [
    { type: "data-approval", data, transient: true },
  ];
  if (decision !== null) {
    events.push({
      type: "data-approval-answer",
      data: { id: asked.id, decision },
      transient: true,
    });
  }
  return events;
}

function retellTool(part: ToolPart): AgentEvent[] {
  const call = { toolCallId: part.id, ...SERVER_TOOL };
  const events: AgentEvent[] = [
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
  const allowed = part.allowed ? { allowed: part.allowed } : {};
  const errorText = part.errorText ?? "aborted";
  const between: AgentEvent[] = part.approval ? retellAsked(part.approval) : [];
  if (part.progress !== undefined) {
    between.push({
      type: "data-tool-progress",
      data: { toolCallId: part.id, ...part.progress },
      transient: true,
    });
  }
  if (part.state === "done") {
    events.push(
      {
        type: "tool-input-available",
        toolName: part.name,
        input,
        ...allowed,
        ...call,
      },
      ...between,
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
        ...allowed,
        ...call,
      }, ...between);
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
