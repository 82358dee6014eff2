/**
 * The calls of one step: which are run, which wait for a person, which are
 * refused, and what each answers.
 *
 * @module
 */
import type { Asked } from "../chat/answer.ts";
import type { AgentEvent, Approval, Json } from "../chat/events.ts";
import {
  type Tool,
  type ToolCall,
  type ToolProgress,
  ToolRefusal,
} from "./contracts.ts";
import { TOOL_FAILED } from "./history.ts";
import type { Repeats } from "./repeats.ts";
import type { BoundOutput, PreparedCall, Toolbox } from "./toolbox.ts";
import { mayAllowChat, reasonToAsk, strangerOf, type Trust } from "./trust.ts";

/** Least time between two notes of how far a call has got, in milliseconds. */
const PROGRESS_MS = 250;
const MESSAGE = 200;

export interface CallOptions {
  toolbox: Toolbox;
  emit: (event: AgentEvent) => void;
  signal: AbortSignal;
  /**
   * Resolves once everything emitted so far is in the log, and is ours to act
   * on; rejects if it is not.
   */
  recorded: () => Promise<void>;
  /** Keeps a tool's answer that is too long for the log; says where it is. */
  keep: (text: string) => Promise<string>;
  trust: Trust;
  repeats: Repeats;
  /** Gives a question its id and the time it waits. */
  ask: (question: Omit<Approval, "id" | "expiresAt">) => Approval;
}

/** A call of a step that was left open: by a pause, or by a crash. */
export interface OpenCall {
  id: string;
  name: string;
  input: Json;
  /** What the model is told, once that is known. */
  result: string | null;
  approval: Asked | null;
  /** The answer was given just now: nobody can have acted on it yet. */
  fresh: boolean;
}

/** What became of one call. */
export type Outcome =
  | { kind: "answered"; text: string; badInput?: true; repeat?: true }
  | { kind: "waiting"; question: Approval };

const SERVER = { dynamic: true, providerExecuted: true } as const;

/** Deals with all calls of a fresh step at once; outcomes in call order (U30). */
export function startCalls(
  calls: (PreparedCall & { call: ToolCall })[],
  options: CallOptions,
): Promise<Outcome[]> {
  return together(calls.map((call) => start(call, options)), options.signal);
}

/** Goes on with the calls of a step that was left open; outcomes in call order. */
export function resumeCalls(
  calls: OpenCall[],
  options: CallOptions,
): Promise<Outcome[]> {
  return together(calls.map((call) => resume(call, options)), options.signal);
}

/** Waits for all, so that on Stop each has said its last word. */
async function together(
  calls: Promise<Outcome>[],
  signal: AbortSignal,
): Promise<Outcome[]> {
  const settled = await Promise.allSettled(calls);
  signal.throwIfAborted();
  return settled.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
}

async function start(
  prepared: PreparedCall & { call: ToolCall },
  options: CallOptions,
): Promise<Outcome> {
  const { emit, trust, repeats } = options;
  const { id: toolCallId, name: toolName } = prepared.call;
  const { input } = prepared;
  if (prepared.kind === "bad-input") {
    const { errorText } = prepared;
    emit({
      type: "tool-input-error",
      toolCallId,
      toolName,
      input,
      errorText,
      ...SERVER,
    });
    return { kind: "answered", text: errorText, badInput: true };
  }
  const reason = prepared.kind === "ready"
    ? reasonToAsk(prepared, trust)
    : null;
  const unasked = prepared.kind === "ready" &&
    prepared.tool.effect !== "read" && reason === null;
  emit({
    type: "tool-input-available",
    toolCallId,
    toolName,
    input,
    ...(unasked ? { allowed: true } : {}),
    ...SERVER,
  });
  if (prepared.kind === "unknown") {
    return fail(toolCallId, prepared.errorText, 0, emit);
  }
  const repeated = repeats.refusal(toolName, input);
  if (repeated !== null) {
    return { ...fail(toolCallId, repeated, 0, emit), repeat: true };
  }
  if (reason === null) return await run(prepared, toolCallId, options);
  if (!trust.attended) {
    return fail(
      toolCallId,
      "Not run: this needs a person's approval, and nobody can be asked here.",
      0,
      emit,
    );
  }
  const question = options.ask({
    reason,
    toolCallId,
    hash: prepared.hash,
    pin: prepared.pin,
    chatWide: reason === "effect" && mayAllowChat(prepared, trust),
  });
  emit({ type: "data-approval", data: question, transient: true });
  return { kind: "waiting", question };
}

async function resume(
  open: OpenCall,
  options: CallOptions,
): Promise<Outcome> {
  const { toolbox, emit } = options;
  const { approval } = open;
  if (open.result !== null) return { kind: "answered", text: open.result };
  if (approval !== null && approval.decision === null) {
    return { kind: "waiting", question: approval };
  }
  const no = (text: string) => fail(open.id, text, 0, emit);
  if (approval?.decision === "denied") {
    return no("Not run: the person did not allow this.");
  }
  if (approval?.decision === "expired") {
    return no("Not run: nobody allowed this in time.");
  }
  const prepared = toolbox.prepare({
    id: open.id,
    name: open.name,
    arguments: JSON.stringify(open.input),
  });
  if (prepared.kind === "unknown" && approval !== null) {
    return no(
      "Not run: this tool is not offered any more. It may have changed; the " +
        "person can look at it under Tool servers.",
    );
  }
  if (prepared.kind !== "ready") return no(`Not run: ${prepared.errorText}`);
  // An earlier owner may have begun it; only a read may be done twice (N8).
  if (!open.fresh && prepared.tool.effect !== "read") {
    return no(
      "Interrupted: it is not known whether this took effect. Do not repeat it " +
        "without asking the person.",
    );
  }
  if (approval !== null && approval.hash !== prepared.hash) {
    return no("Not run: this is not what the person allowed.");
  }
  return await run(prepared, open.id, options);
}

async function run(
  { tool, input, run }: Extract<PreparedCall, { kind: "ready" }>,
  toolCallId: string,
  options: CallOptions,
): Promise<Outcome> {
  const { emit, signal, keep, recorded, repeats, trust } = options;
  // Who does not own the log any more must not act, and after a crash the log
  // must tell that this had begun (N3, N8).
  if (tool.effect !== "read") await recorded();
  const began = performance.now();
  const ms = () => Math.round(performance.now() - began);
  const report = reporter(toolCallId, emit);
  // A tool that ignores its deadline may go on talking after it was answered for.
  let over = false;
  const answered = (text: string): Outcome => {
    repeats.note(tool.name, input, text);
    const stranger = strangerOf(tool);
    if (stranger !== null) trust.strangers.add(stranger);
    return { kind: "answered", text };
  };
  let bounded: BoundOutput;
  try {
    bounded = await run(signal, (progress) => over || report(progress));
    signal.throwIfAborted();
  } catch (error) {
    if (signal.aborted) {
      fail(toolCallId, stoppedText(tool), ms(), emit);
      throw signal.reason;
    }
    const reason = (error instanceof Error ? error.message : String(error))
      .slice(0, 2_000);
    if (error instanceof ToolRefusal) {
      return fail(toolCallId, `The tool refused: ${reason}`, ms(), emit);
    }
    fail(toolCallId, TOOL_FAILED + reason, ms(), emit);
    return answered(TOOL_FAILED + reason);
  } finally {
    over = true;
  }
  const { output, whole } = bounded;
  if (whole !== null) {
    output.ref = await keep(whole);
    output.bytes = new TextEncoder().encode(whole).length;
  }
  emit({
    type: "tool-output-available",
    toolCallId,
    output,
    ms: ms(),
    ...SERVER,
  });
  return answered(output.text);
}

/** What was allowed and had begun may have taken effect all the same. */
function stoppedText(tool: Tool): string {
  return tool.effect === "read"
    ? "aborted"
    : "aborted: it is not known whether it took effect";
}

function fail(
  toolCallId: string,
  errorText: string,
  ms: number,
  emit: (event: AgentEvent) => void,
): Extract<Outcome, { kind: "answered" }> {
  emit({ type: "tool-output-error", toolCallId, errorText, ms, ...SERVER });
  return { kind: "answered", text: errorText };
}

/** Tells how far a call has got, as often as can be read. */
function reporter(
  toolCallId: string,
  emit: (event: AgentEvent) => void,
): (progress: ToolProgress) => void {
  let last = -Infinity;
  let complete = false;
  return ({ done, total, message }) => {
    const now = performance.now();
    if (!Number.isFinite(done)) return;
    // The end is told at once, but only once.
    const end = done === total && !complete;
    if (now - last < PROGRESS_MS && !end) return;
    last = now;
    complete ||= end;
    emit({
      type: "data-tool-progress",
      data: {
        toolCallId,
        done,
        ...(Number.isFinite(total) ? { total } : {}),
        ...(message
          ? { message: message.slice(0, MESSAGE).toWellFormed() }
          : {}),
      },
      transient: true,
    });
  };
}
