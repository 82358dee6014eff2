/**
 * What the events of a chat completion stream mean (protocol 2.8, cases
 * U09-U43): provider chunks in, {@linkcode ModelEvent}s and a
 * {@linkcode ModelTurn} out. Pure; knows no socket and no clock.
 *
 * @module
 */
import type { ModelEvent, ModelTurn } from "../agent/contracts.ts";
import type { FinishReason, Usage } from "../chat/events.ts";
import type { SseEvent } from "../chat/sse_parser.ts";
import { callAssembler } from "./assemble.ts";
import {
  failure,
  providerError,
  type Redact,
  reportedFailure,
} from "./upstream_errors.ts";

export interface CompletionReader {
  /** @throws {ModelError} when the provider breaks its word. */
  event(event: SseEvent): void;
  /** Chunks so far; the watchdog counts these and nothing else as life. */
  readonly chunks: number;
  /** The provider gave its reason, or said `[DONE]`: only usage can follow. */
  readonly ended: "no" | "finish" | "done";
  /**
   * Sums up once no more events can come.
   *
   * @throws {ModelError} upstream_truncated without an end, and
   * upstream_bad_response without a single event.
   */
  turn(): ModelTurn;
}

// deno-lint-ignore no-explicit-any
type Loose = any;

export function completionReader(options: {
  emit: (event: ModelEvent) => void;
  /** Tool call ids of earlier steps. */
  taken: ReadonlySet<string>;
  /** Hears, once and safely put, what was wrong after a complete answer. */
  warn: (text: string) => void;
  redact: Redact;
}): CompletionReader {
  const { emit, redact, warn } = options;
  const calls = callAssembler(options);
  let chunks = 0;
  let heard = false;
  let ended: CompletionReader["ended"] = "no";
  let reason = "";
  let refused = false;
  let usage: unknown;
  let late = 0;

  function event({ type, data }: SseEvent) {
    if (data.length < 16) {
      const word = data.trim();
      if (word === "") return;
      if (word === "[DONE]") {
        ended = "done";
        heard = true;
        return;
      }
    }
    if (ended !== "no") return afterEnd(data);
    if (type !== "message") {
      if (type !== "error") return;
      throw reportedFailure("upstream_error", parsed(data) ?? data, redact);
    }
    heard = true;
    const chunk = parsed(data);
    if (chunk === undefined) {
      throw failure("upstream_malformed", {
        cause: `not JSON, ${data.length} characters`,
      });
    }
    if (typeof chunk !== "object" || chunk === null) return;
    chunks++;
    if (chunk.error) {
      throw reportedFailure("upstream_error", chunk.error, redact);
    }
    if (chunk.usage) usage = chunk.usage;
    const choice = firstChoice(chunk.choices);
    if (choice === undefined) return;
    if (choice.delta) read(choice.delta);
    finish(choice.finish_reason);
  }

  /** Nothing said now can spoil the answer (U13, U26). */
  function afterEnd(data: string) {
    const chunk = parsed(data);
    if (chunk?.usage) usage = chunk.usage;
    else late++;
    if (chunk?.error) {
      const { code, type } = providerError(chunk.error);
      warn(
        `The model provider reported an error after the end of its answer: ${
          redact(code ?? type ?? "no code")
        }`,
      );
    }
  }

  function read(delta: Loose) {
    // Some servers send one thought under both names.
    say("reasoning", delta.reasoning_content || delta.reasoning);
    const { content } = delta;
    if (typeof content === "string") say("text", content);
    else if (Array.isArray(content)) content.forEach(readPart);
    if (delta.refusal) {
      refused = true;
      say("text", delta.refusal);
    }
    if (Array.isArray(delta.tool_calls)) delta.tool_calls.forEach(calls.add);
    if (delta.function_call) calls.add({ function: delta.function_call });
  }

  /** Content in parts, as Mistral sends it (U18); thoughts are parts there too. */
  function readPart(part: Loose) {
    if (typeof part === "string") return say("text", part);
    say("text", part?.text);
    if (Array.isArray(part?.thinking)) {
      for (const thought of part.thinking) say("reasoning", thought?.text);
    }
  }

  function say(type: "text" | "reasoning", delta: unknown) {
    if (typeof delta === "string" && delta !== "") emit({ type, delta });
  }

  function finish(given: unknown) {
    if (typeof given !== "string" || given === "") return;
    reason = given.toLowerCase();
    if (reason === "insufficient_system_resource") {
      throw failure("upstream_unavailable", { cause: reason });
    }
    if (reason === "error") throw failure("upstream_error", { cause: reason });
    ended = "finish";
  }

  function turn(): ModelTurn {
    if (!heard) {
      throw failure("upstream_bad_response", {
        message: "The model provider's answer was empty.",
        retryable: true,
      });
    }
    if (ended === "no") throw failure("upstream_truncated");
    if (late > 0) {
      warn(
        `${late} chunk(s) after the end of the model provider's answer were ignored`,
      );
    }
    const reported = readUsage(usage);
    const rest = reported === undefined ? {} : { usage: reported };
    let finishReason = FINISH_REASONS.get(reason) ?? "other";
    if (finishReason === "length" || finishReason === "content-filter") {
      // Not to be run, whole as they may look (U39); whoever heard them begin
      // must hear of their end.
      return { finishReason, toolCalls: calls.cut(), ...rest };
    }
    const toolCalls = calls.finish();
    if (toolCalls.length > 0) finishReason = "tool-calls";
    // A refusal is shown as text; this is how it is told from an answer (U24).
    else if (refused) finishReason = "content-filter";
    return { finishReason, toolCalls, ...rest };
  }

  return {
    event,
    turn,
    get chunks() {
      return chunks;
    },
    get ended() {
      return ended;
    },
  };
}

/** Reasons providers give when nothing was called; any other is "other". */
const FINISH_REASONS = new Map<string, FinishReason>([
  ["", "stop"], // only [DONE] was said
  ["stop", "stop"],
  ["tool_calls", "stop"],
  ["function_call", "stop"],
  ["length", "length"],
  ["max_tokens", "length"],
  ["model_length", "length"],
  ["content_filter", "content-filter"],
]);

/** undefined if it is not JSON. */
function parsed(data: string): Loose {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** The choice with index 0; one without an index counts as that. */
function firstChoice(choices: Loose): Loose {
  if (!Array.isArray(choices)) return undefined;
  return choices.find((choice) =>
    typeof choice === "object" && choice !== null && (choice.index ?? 0) === 0
  );
}

/** The provider's figures; undefined when it gave none. */
function readUsage(raw: Loose): Usage | undefined {
  const amount = (value: unknown) =>
    typeof value === "number" && value >= 0 && Number.isFinite(value)
      ? value
      : undefined;
  const input = amount(raw?.prompt_tokens);
  const output = amount(raw?.completion_tokens);
  if (input === undefined && output === undefined) return undefined;
  const reasoning = amount(raw.completion_tokens_details?.reasoning_tokens);
  const cached = amount(raw.prompt_tokens_details?.cached_tokens) ??
    amount(raw.prompt_cache_hit_tokens);
  return {
    input: input ?? 0,
    output: output ?? 0,
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(cached === undefined ? {} : { cached }),
    total: amount(raw.total_tokens) ?? (input ?? 0) + (output ?? 0),
  };
}
