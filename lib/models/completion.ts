/**
 * What the events of a chat completion stream mean (protocol 2.8, cases
 * U09-U43): provider chunks in, {@linkcode ModelEvent}s and a
 * {@linkcode ModelTurn} out. Pure; knows no socket and no clock.
 *
 * @module
 */
import type { ModelTurn } from "../agent/contracts.ts";
import type { FinishReason } from "../chat/events.ts";
import { answerReader, type Loose, readUsage } from "./answer.ts";
import { callAssembler } from "./assemble.ts";
import { chatCarry, textOfDetails } from "./chat_carry.ts";
import type { AnswerReader, Ended, ReaderOptions } from "./dialect.ts";
import { failure } from "./upstream_errors.ts";

/** A reader of the chunks that `POST /chat/completions` streams. */
export function completionReader(options: ReaderOptions): AnswerReader {
  const { emit } = options;
  const calls = callAssembler(options);
  const carry = chatCarry(options.model);
  let ended: Ended = "no";
  let reason = "";
  let refused = false;
  let usage: Loose;

  function hear(chunk: Loose): boolean {
    late(chunk);
    const choice = firstChoice(chunk.choices);
    if (choice !== undefined) {
      if (choice.delta) read(choice.delta);
      finish(choice.finish_reason);
    }
    return true;
  }

  function late(chunk: Loose): boolean {
    if (!chunk?.usage) return false;
    usage = chunk.usage;
    return true;
  }

  function read(delta: Loose) {
    carry.hear(delta);
    // Some servers send one thought under several names.
    say(
      "reasoning",
      delta.reasoning_content || delta.reasoning ||
        textOfDetails(delta.reasoning_details),
    );
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
    const reported = readUsage({
      input: usage?.prompt_tokens,
      output: usage?.completion_tokens,
      reasoning: usage?.completion_tokens_details?.reasoning_tokens,
      cached: usage?.prompt_tokens_details?.cached_tokens ??
        usage?.prompt_cache_hit_tokens,
      total: usage?.total_tokens,
    });
    const rest = reported === undefined ? {} : { usage: reported };
    let finishReason = FINISH_REASONS.get(reason) ?? "other";
    if (finishReason === "length" || finishReason === "content-filter") {
      // Not to be run, whole as they may look (U39); whoever heard them begin
      // must hear of their end.
      return { finishReason, toolCalls: calls.cut(), ...rest };
    }
    const toolCalls = calls.finish();
    if (toolCalls.length > 0) {
      const wanted = carry.items(calls.extras());
      return {
        finishReason: "tool-calls",
        toolCalls,
        ...rest,
        ...(wanted === undefined ? {} : { carry: wanted }),
      };
    }
    // A refusal is shown as text; this is how it is told from an answer (U24).
    if (refused) finishReason = "content-filter";
    return { finishReason, toolCalls, ...rest };
  }

  return answerReader({
    speaks: (type) => type === "message",
    hear,
    late,
    get ended() {
      return ended;
    },
    endsWithDone: true,
    turn,
  }, options);
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
  // Gemini hands on its own words.
  ["safety", "content-filter"],
  ["recitation", "content-filter"],
  ["blocklist", "content-filter"],
  ["prohibited_content", "content-filter"],
  ["spii", "content-filter"],
]);

/** The choice with index 0; one without an index counts as that. */
function firstChoice(choices: Loose): Loose {
  if (!Array.isArray(choices)) return undefined;
  return choices.find((choice) =>
    typeof choice === "object" && choice !== null && (choice.index ?? 0) === 0
  );
}
