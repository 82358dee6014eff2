/**
 * The event union: what an agent's run says, in the one form that is the wire
 * frame, the log line and what the screen folds (decision 2).
 *
 * The types are those of the UI Message Stream with a few fields of our own
 * (`off`, `len`, `ms`, `code`, `retryable`, `retryAfterMs`); no other `type`
 * may be invented, project events are transient `data-*`.
 *
 * @module
 */

/** Anything JSON can carry. */
export type Json =
  | string
  | number
  | boolean
  | null
  | Json[]
  | { [key: string]: Json };

/** Tokens spent; `estimated` marks figures the provider did not report. */
export interface Usage {
  input: number;
  output: number;
  reasoning?: number;
  cached?: number;
  total: number;
  estimated?: true;
}

/** Why a model stopped, in the vocabulary of the UI Message Stream. */
export type FinishReason =
  | "stop"
  | "length"
  | "content-filter"
  | "tool-calls"
  | "other";

/** What a person (and a client) can be told about a failed run. */
export type ErrorCode =
  | "upstream_rate_limited"
  | "upstream_auth"
  | "upstream_bad_request"
  | "context_length_exceeded"
  | "upstream_unavailable"
  | "upstream_timeout"
  | "upstream_stalled"
  | "upstream_reset"
  | "upstream_truncated"
  | "upstream_malformed"
  | "upstream_bad_response"
  | "upstream_error"
  | "max_steps"
  | "limit_exceeded"
  | "run_interrupted"
  | "engine_unavailable"
  | "internal";

/** A tool's answer as logged: text for the model, data for the screen. */
export interface ToolOutput {
  text: string;
  data?: Json;
  /** Where the whole text can be read, when `text` is only its beginning. */
  ref?: string;
  /** Bytes of the whole text, when `text` is only its beginning. */
  bytes?: number;
}

/** Marks every tool event: the server runs tools, `useChat` must not. */
interface ServerTool {
  toolCallId: string;
  dynamic: true;
  providerExecuted: true;
}

/** Marks the project's own events: shown, never part of the message. */
interface Transient<Data> {
  data: Data;
  transient: true;
}

/** What happens to the run itself, for the status line (protocol 2.3). */
export type RunNotice =
  | { status: "waiting"; attempt: number; retryAfterMs: number }
  | { status: "retrying"; attempt: number }
  /** Its process goes down; another one goes on. */
  | { status: "handed-over" }
  | { status: "taken-over"; attempt: number };

/** What a run asks a person, and how long it waits for the answer. */
export interface Approval {
  /** `a_` and 128 random bits; all a client may send back (threat 15). */
  id: string;
  /**
   * `effect`: the tool changes something. `taint`: text of strangers is in the
   * conversation, and the call would carry text out (T08). `steps`: the agent has
   * used its steps. `loop`: it repeats itself (T13).
   */
  reason: "effect" | "taint" | "steps" | "loop";
  /** The call that waits; null for `steps` and `loop`. */
  toolCallId: string | null;
  /** SHA-256 of tool and arguments: nothing else is ever run (T02). */
  hash: string;
  /** SHA-256 of the tool's name, description and schema: an answer for the whole
   * chat is for this tool as it is now (T06). */
  pin: string;
  /** Whether "always in this chat" may be answered. */
  chatWide: boolean;
  /** ISO 8601. No answer by then is a no. */
  expiresAt: string;
}

/** A person's answer; `expired` when nobody gave one in time. */
export type Decision = "once" | "chat" | "denied" | "expired";

/** How far a long tool call has got. */
export interface Progress {
  done: number;
  total?: number;
  message?: string;
}

export type StartEvent = {
  type: "start";
  messageId: string;
  messageMetadata: {
    chat_id: string;
    model: string;
    created_at: string;
    /** The run whose broken-off answer this one begins with. */
    continues?: string;
  };
};

/** Text and reasoning parts share one shape; `off` and `len` count UTF-16 units. */
export type PartEvent =
  | { type: "text-start" | "reasoning-start"; id: string }
  | DeltaEvent
  | { type: "text-end" | "reasoning-end"; id: string; len: number };

export type DeltaEvent = {
  type: "text-delta" | "reasoning-delta";
  id: string;
  off: number;
  delta: string;
};

export type ToolInputDelta = {
  type: "tool-input-delta";
  toolCallId: string;
  off: number;
  inputTextDelta: string;
};

export type ToolEvent =
  | (ServerTool & { type: "tool-input-start"; toolName: string })
  | ToolInputDelta
  | (ServerTool & {
    type: "tool-input-available";
    toolName: string;
    input: Json;
    /** It has an effect, and nobody is asked: allowed for the whole chat. */
    allowed?: true;
  })
  | (ServerTool & {
    type: "tool-input-error";
    toolName: string;
    input: Json;
    errorText: string;
  })
  | (ServerTool & {
    type: "tool-output-available";
    output: ToolOutput;
    ms: number;
  })
  | (ServerTool & { type: "tool-output-error"; errorText: string; ms: number });

export type StepEvent =
  | { type: "start-step" }
  | {
    type: "finish-step";
    usage?: Usage;
    finishReason?: FinishReason;
    /** Names what the store keeps for the model's next request. */
    carry?: string;
  };

export type DataEvent =
  | ({ type: "data-run" } & Transient<RunNotice>)
  | ({ type: "data-approval" } & Transient<Approval>)
  | (
    & { type: "data-approval-answer" }
    & Transient<
      { id: string; decision: Decision }
    >
  )
  | (
    & { type: "data-tool-progress" }
    & Transient<
      Progress & { toolCallId: string }
    >
  )
  | ({ type: "data-resync" } & Transient<{ reason: string }>);

export type FinishEvent = {
  type: "finish";
  finishReason: FinishReason;
  messageMetadata: { usage: Usage; steps: number; ms: number };
};

export type AbortEvent = {
  type: "abort";
  reason: "user" | "timeout" | "shutdown";
};

export type ErrorEvent = {
  type: "error";
  errorText: string;
  code: ErrorCode;
  retryable: boolean;
  retryAfterMs?: number;
};

/** Exactly one of these ends a run. */
export type TerminalEvent = FinishEvent | AbortEvent | ErrorEvent;

/** What an agent says between its first and its last word. */
export type AgentEvent = PartEvent | ToolEvent | StepEvent | DataEvent;

export type RunEvent = StartEvent | AgentEvent | TerminalEvent;

/** One committed line of a run's log. `seq` grows by one from 1. */
export interface LogEntry {
  epoch: number;
  seq: number;
  event: RunEvent;
}

/** True for the event that closes a run. */
export function isTerminal(event: RunEvent): event is TerminalEvent {
  return event.type === "finish" || event.type === "abort" ||
    event.type === "error";
}

/** True for events that carry a piece of growing text. */
export function isDelta(
  event: RunEvent,
): event is DeltaEvent | ToolInputDelta {
  return event.type === "text-delta" || event.type === "reasoning-delta" ||
    event.type === "tool-input-delta";
}
