/**
 * A run, told as OpenAI tells a chat completion: text as `content`, reasoning as
 * `reasoning_content`, tool work not at all, and one reason at the end
 * (protocol 2.7).
 *
 * @module
 */
import { PART_BREAK } from "../chat/answer.ts";
import type {
  AbortEvent,
  ErrorCode,
  ErrorEvent,
  FinishReason,
  RunEvent,
  Usage,
} from "../chat/events.ts";
import type { TapeReader } from "../runs/mod.ts";
import { errorType, type OpenAIError } from "./openai_api.ts";
import type { FrameFormat } from "./sse.ts";

/** Why a run gave no answer. */
export interface Failure {
  /** Where the answer has not begun. */
  status: number;
  error: OpenAIError;
  /** Whether a client may ask the same again. */
  retryable: boolean;
  retryAfterMs?: number;
}

/** What one event adds to a completion. */
type Piece =
  | { kind: "begun" }
  | {
    kind: "delta";
    delta: { content: string } | { reasoning_content: string };
  }
  | { kind: "finished"; reason: string; usage: Usage }
  | { kind: "failed"; failure: Failure };

/** Codes whose status is not 502, the fault of the model's provider. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  upstream_rate_limited: 429,
  upstream_bad_request: 400,
  context_length_exceeded: 400,
  upstream_unavailable: 503,
  upstream_timeout: 504,
  max_steps: 500,
  limit_exceeded: 500,
  run_interrupted: 503,
  engine_unavailable: 503,
  internal: 500,
};

const REASONS: Record<FinishReason, string> = {
  "stop": "stop",
  "length": "length",
  "content-filter": "content_filter",
  // The calls were the server's own, and it did not come to answer them.
  "tool-calls": "stop",
  "other": "stop",
};

const ABORTED: Record<
  AbortEvent["reason"],
  [status: number, code: string, message: string]
> = {
  user: [409, "run_stopped", "The run was stopped."],
  timeout: [504, "run_timeout", "The run took too long and was ended."],
  shutdown: [503, "closing", "The server is restarting. Try again."],
};

function failure(
  status: number,
  code: string,
  message: string,
  retryable: boolean,
): Failure {
  const error = { message, type: errorType(status), param: null, code };
  return { status, error, retryable };
}

/** What becomes of a request whose server goes down. */
const LEAVING: Failure = failure(...ABORTED.shutdown, true);

function failureOf(event: AbortEvent | ErrorEvent): Failure {
  if (event.type === "abort") {
    return failure(...ABORTED[event.reason], event.reason === "shutdown");
  }
  const { code, errorText, retryable, retryAfterMs } = event;
  const failed = failure(STATUS[code] ?? 502, code, errorText, retryable);
  return retryAfterMs === undefined ? failed : { ...failed, retryAfterMs };
}

/** Follows one run and says what each event adds. */
class Teller {
  /** As every chunk and the whole repeat it. */
  head = { id: "", created: 0, model: "" };
  /** Kinds of text that have said something already. */
  readonly #said = new Set<string>();
  #breakDue = false;

  constructor(run: string) {
    this.head.id = `chatcmpl-${run.slice("r_".length)}`;
  }

  tell(event: RunEvent): Piece | null {
    switch (event.type) {
      case "start": {
        const { model, created_at } = event.messageMetadata;
        this.head.model = model;
        this.head.created = Math.floor(Date.parse(created_at) / 1000);
        return { kind: "begun" };
      }
      case "text-start":
      case "reasoning-start":
        this.#breakDue = this.#said.has(event.type.split("-")[0]!);
        return null;
      case "text-delta":
        return {
          kind: "delta",
          delta: { content: this.#piece("text", event.delta) },
        };
      case "reasoning-delta":
        return {
          kind: "delta",
          delta: { reasoning_content: this.#piece("reasoning", event.delta) },
        };
      case "finish": {
        const { finishReason, messageMetadata: { usage } } = event;
        return { kind: "finished", reason: REASONS[finishReason], usage };
      }
      case "abort":
      case "error":
        return { kind: "failed", failure: failureOf(event) };
      default:
        return null;
    }
  }

  #piece(kind: string, delta: string): string {
    const text = this.#breakDue ? PART_BREAK + delta : delta;
    this.#breakDue = false;
    this.#said.add(kind);
    return text;
  }
}

/** Tokens in OpenAI's words. */
function usageOf(usage: Usage) {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.total,
    prompt_tokens_details: { cached_tokens: usage.cached ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
  };
}

const frame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

/**
 * The frames of a streamed completion. `[DONE]` comes after success only: a
 * client that reads it has everything.
 *
 * @param includeUsage As `stream_options.include_usage`.
 */
export function completionFrames(
  run: string,
  includeUsage: boolean,
): FrameFormat {
  const teller = new Teller(run);
  const chunk = (delta: unknown, finish_reason: string | null): string =>
    frame({
      ...teller.head,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      ...(includeUsage ? { usage: null } : {}),
    });

  return {
    headers: {},
    shared: false,
    opening: ": hb\n\n",
    closing: "",
    beat: ": hb\n\n",
    leaving: frame({ error: LEAVING.error }),
    frame(_run, { event }) {
      const piece = teller.tell(event);
      switch (piece?.kind) {
        case undefined:
          return "";
        case "begun":
          return chunk({ role: "assistant", content: "" }, null);
        case "delta":
          return chunk(piece.delta, null);
        case "failed":
          return frame({ error: piece.failure.error });
        case "finished": {
          const usage = frame({
            ...teller.head,
            object: "chat.completion.chunk",
            choices: [],
            usage: usageOf(piece.usage),
          });
          return chunk({}, piece.reason) + (includeUsage ? usage : "") +
            "data: [DONE]\n\n";
        }
      }
    },
  };
}

/** Reads a run to its end: the whole completion, or why there is none. */
export async function wholeCompletion(
  reader: TapeReader,
): Promise<{ completion: unknown } | { failure: Failure }> {
  const teller = new Teller(reader.run);
  let content = "";
  let reasoning = "";
  try {
    while (true) {
      const pulled = await reader.pull();
      if (pulled.kind === "beat") continue;
      if (pulled.kind !== "entries") return { failure: LEAVING };
      for (const { event } of pulled.entries) {
        const piece = teller.tell(event);
        if (piece?.kind === "failed") return { failure: piece.failure };
        if (piece?.kind === "delta") {
          if ("content" in piece.delta) content += piece.delta.content;
          else reasoning += piece.delta.reasoning_content;
        }
        if (piece?.kind !== "finished") continue;
        const message = {
          role: "assistant",
          content,
          refusal: null,
          ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
        };
        const completion = {
          ...teller.head,
          object: "chat.completion",
          choices: [{
            index: 0,
            message,
            logprobs: null,
            finish_reason: piece.reason,
          }],
          usage: usageOf(piece.usage),
        };
        return { completion };
      }
    }
  } finally {
    reader.close();
  }
}

/**
 * The answer for a run that failed before anything was said of it.
 *
 * @param keyed The same request again would be the same run (N10).
 */
export function failureResponse(
  failure: Failure,
  run: string,
  keyed: boolean,
): Response {
  const { status, error, retryAfterMs } = failure;
  // Of a failed run there will never be another answer; one that was only let go
  // of goes on.
  const retryable = failure.retryable && (!keyed || failure === LEAVING);
  const headers = new Headers({
    "cache-control": "no-store",
    "x-run-id": run,
    // OpenAI's clients go by this before they go by the status.
    "x-should-retry": String(retryable),
  });
  if (retryAfterMs !== undefined) {
    headers.set("retry-after", String(Math.ceil(retryAfterMs / 1000)));
  }
  return Response.json({ error }, { status, headers });
}
