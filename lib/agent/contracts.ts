/**
 * What the agent needs from the world: a model that speaks and tools that act.
 * Adapters in `lib/models` and `lib/tools` fulfil these; the loop knows no more.
 *
 * @module
 */
import type * as z from "zod";
import type {
  ErrorCode,
  FinishReason,
  ToolOutput,
  Usage,
} from "../chat/events.ts";

/** A tool as the model is told of it. */
export interface ToolSpec {
  name: string;
  description: string;
  /** JSON Schema of the arguments object. */
  parameters: Record<string, unknown>;
}

/** One call the model asked for. `arguments` is the JSON text as assembled. */
export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

/** The conversation as every provider understands it. */
export type ModelMessage =
  | { role: "system"; text: string }
  | { role: "user"; text: string }
  | { role: "assistant"; text: string; toolCalls: ToolCall[] }
  | { role: "tool"; toolCallId: string; text: string };

export interface ModelRequest {
  messages: ModelMessage[];
  tools: ToolSpec[];
  /** 0 unless the person chose otherwise. */
  temperature: number;
}

/**
 * What a model says while it speaks. Given to a plain callback, in order and
 * synchronously: no promise per token.
 */
export type ModelEvent =
  | { type: "text"; delta: string }
  | { type: "reasoning"; delta: string }
  /** A call's id and name are known; its arguments follow. */
  | { type: "tool-call-start"; id: string; name: string }
  | { type: "tool-call-delta"; id: string; delta: string }
  /** Nothing was shown yet and the request is sent again. */
  | { type: "retry"; attempt: number; afterMs: number; rateLimited: boolean };

/** How one model step ended. Calls are complete and in call order. */
export interface ModelTurn {
  finishReason: FinishReason;
  toolCalls: ToolCall[];
  usage?: Usage;
}

/**
 * A language model. `stream` resolves only when the provider said it was done
 * (protocol 2.8); everything else rejects with a {@linkcode ModelError}, except
 * an abort of `signal`, which rejects with `signal.reason`.
 */
export interface Model {
  /** The model's name as people know it. */
  readonly id: string;
  stream(
    request: ModelRequest,
    emit: (event: ModelEvent) => void,
    signal: AbortSignal,
  ): Promise<ModelTurn>;
}

/** A model step that failed. `message` is safe to show (no key, URL or prompt). */
export class ModelError extends Error {
  override name = "ModelError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly options: {
      retryable: boolean;
      retryAfterMs?: number;
      /** For the log only; redact before writing. */
      cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
  }
}

/** What a tool may use while it runs. */
export interface ToolContext {
  /** Aborts on stop and at the tool's deadline. */
  signal: AbortSignal;
  /** The moment the call began. Tools ask this, never the clock. */
  now: Date;
}

/**
 * One thing the agent can do. A tool is one file; its outside world (disk,
 * network, clock) arrives as parameters.
 */
export interface Tool<Input = unknown> {
  /** `[a-z0-9_]{1,64}`; part of the public contract. */
  readonly name: string;
  /** For the model: when to use it, what it answers. */
  readonly description: string;
  /** Arguments; described to the model as JSON Schema, validated before `run`. */
  readonly input: z.ZodType<Input>;
  /** Anything but "read" will need a person's approval. */
  readonly effect: "read" | "write" | "external";
  /** Milliseconds; 30,000 unless said otherwise (protocol 2.5). */
  readonly deadlineMs?: number;
  /** A thrown error becomes conversation: its message goes to the model. */
  run(input: Input, context: ToolContext): Promise<ToolOutput> | ToolOutput;
}
