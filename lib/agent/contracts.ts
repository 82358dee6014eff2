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
  Json,
  ToolOutput,
  Usage,
} from "../chat/events.ts";

/** A tool as the model is told of it. */
export interface ToolSpec {
  name: string;
  description: string;
  /** JSON Schema of the arguments object. */
  parameters: Record<string, unknown>;
  /** The schema is in the strict subset: all keys required, none further. */
  strict: boolean;
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
  /** `images` are data URLs of PNG, JPEG, WebP or GIF. */
  | { role: "user"; text: string; images?: string[] }
  | {
    role: "assistant";
    text: string;
    toolCalls: ToolCall[];
    /** What an adapter gave as {@linkcode ModelTurn.carry}. */
    carry?: Carry;
  }
  | { role: "tool"; toolCallId: string; text: string };

/**
 * What an adapter wants back with the step it belongs to, unread by anyone else:
 * encrypted reasoning, signatures. Other adapters and other models ignore it.
 */
export interface Carry {
  /** The adapter that wrote it. */
  adapter: string;
  /** The model it was written by. */
  model: string;
  items: Json;
}

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
  carry?: Carry;
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
  /**
   * Tells the person how far a long call has got. Cheap: what comes faster than
   * it can be read is left out.
   */
  progress(progress: ToolProgress): void;
}

/** How far a call has got; `total` only if it is known. */
export interface ToolProgress {
  done: number;
  total?: number;
  /** Plain words, at most 200 characters are shown. */
  message?: string;
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
  /** The JSON Schema told to the model, where it is not made from `input` (MCP). */
  readonly parameters?: Record<string, unknown>;
  /**
   * `read` changes nothing. `write` changes something here, `external` out in
   * the world: both wait for a person's approval (threat 14, case T01).
   */
  readonly effect: "read" | "write" | "external";
  /**
   * Its arguments leave this server (a URL, a search phrase). A `read` that does
   * needs approval once untrusted text has entered the run (case T08).
   */
  readonly outbound?: true;
  /** Strangers wrote what it returns: a web page, a document, an MCP server. */
  readonly untrusted?: true;
  /** Who brought it, in a person's words, when it is not built in ("MCP: files"). */
  readonly source?: string;
  /** Milliseconds; 30,000 unless said otherwise (protocol 2.5). */
  readonly deadlineMs?: number;
  /**
   * A thrown error becomes conversation: its message goes to the model, and
   * counts as a stranger's where the tool is `untrusted`, unless it is a
   * {@linkcode ToolRefusal}.
   */
  run(input: Input, context: ToolContext): Promise<ToolOutput> | ToolOutput;
}

/**
 * Thrown by a tool that could not do its work and says so in words of its own:
 * whatever strangers it heard, none of their text is in the message.
 */
export class ToolRefusal extends Error {
  override name = "ToolRefusal";
}

/** A tool whose `run` knows the type its `input` checks for. */
export function tool<Input>(tool: Tool<Input>): Tool {
  // What is given to `run` has passed `input`: the toolbox sees to that.
  return tool as Tool;
}
