/**
 * What all streamed answers have in common (protocol 2.8): which events are
 * speech, what is broken, when it is over and what may come after that. What the
 * chunks mean is for `completion.ts` and `responses.ts` to say.
 *
 * @module
 */
import type { ModelTurn } from "../agent/contracts.ts";
import type { Usage } from "../chat/events.ts";
import type { AnswerReader, Ended, ReaderOptions } from "./dialect.ts";
import { failure, providerError, reportedFailure } from "./upstream_errors.ts";

/** A chunk's JSON: anybody's guess, read with care. */
// deno-lint-ignore no-explicit-any
export type Loose = any;

/** The chunks of one answer, and what they come to. */
export interface Speech {
  /** Whether events of this SSE type are speech; all others are skipped. */
  speaks(type: string): boolean;
  /** Takes one chunk; false if it is no sign of life. */
  hear(chunk: Loose): boolean;
  /** Takes what came after the end; true if there was a use for it. */
  late(chunk: Loose): boolean;
  /** `finish` once the provider said so itself. */
  readonly ended: Ended;
  /** Whether `[DONE]` is an end even if nothing else was said about one. */
  readonly endsWithDone: boolean;
  /** Sums up an answer that has ended. */
  turn(): ModelTurn;
}

/** A reader of one answer. */
export function answerReader(
  speech: Speech,
  { redact, warn }: ReaderOptions,
): AnswerReader {
  let chunks = 0;
  let heard = false;
  let done = false;
  let late = 0;

  const ended = (): Ended => done ? "done" : speech.ended;

  function event({ type, data }: { type: string; data: string }) {
    if (data.length < 16) {
      const word = data.trim();
      if (word === "") return;
      if (word === "[DONE]") {
        heard = true;
        done ||= speech.endsWithDone || speech.ended !== "no";
        return;
      }
    }
    if (ended() !== "no") return afterEnd(data);
    if (type === "error") {
      throw reportedFailure("upstream_error", parsed(data) ?? data, redact);
    }
    if (!speech.speaks(type)) return;
    heard = true;
    const chunk = parsed(data);
    if (chunk === undefined) {
      throw failure("upstream_malformed", {
        cause: `not JSON, ${data.length} characters`,
      });
    }
    if (typeof chunk !== "object" || chunk === null) return;
    if (chunk.error) {
      throw reportedFailure("upstream_error", chunk.error, redact);
    }
    if (speech.hear(chunk)) chunks++;
  }

  /** Nothing said now can spoil the answer (U13, U26). */
  function afterEnd(data: string) {
    const chunk = parsed(data);
    if (!speech.late(chunk)) late++;
    if (chunk?.error) {
      const { code, type } = providerError(chunk.error);
      warn(
        `The model provider reported an error after the end of its answer: ${
          redact(code ?? type ?? "no code")
        }`,
      );
    }
  }

  function turn(): ModelTurn {
    if (!heard) {
      throw failure("upstream_bad_response", {
        message: "The model provider's answer was empty.",
        retryable: true,
      });
    }
    if (ended() === "no") throw failure("upstream_truncated");
    if (late > 0) {
      warn(
        `${late} chunk(s) after the end of the model provider's answer were ignored`,
      );
    }
    return speech.turn();
  }

  return {
    event,
    turn,
    get chunks() {
      return chunks;
    },
    get ended() {
      return ended();
    },
  };
}

/** undefined if it is not JSON. */
function parsed(data: string): Loose {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** The provider's figures, as far as they are any; undefined when it gave none. */
export function readUsage(
  given: Record<"input" | "output" | "reasoning" | "cached" | "total", unknown>,
): Usage | undefined {
  const amount = (value: unknown) =>
    typeof value === "number" && value >= 0 && Number.isFinite(value)
      ? value
      : undefined;
  const input = amount(given.input);
  const output = amount(given.output);
  if (input === undefined && output === undefined) return undefined;
  const reasoning = amount(given.reasoning);
  const cached = amount(given.cached);
  return {
    input: input ?? 0,
    output: output ?? 0,
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(cached === undefined ? {} : { cached }),
    total: amount(given.total) ?? (input ?? 0) + (output ?? 0),
  };
}
