/**
 * What an API must know to be spoken: how a conversation is asked and how the
 * answer is heard. Everything between the two is the same for all of them
 * (`exchange.ts`).
 *
 * @module
 */
import type OpenAI from "openai";
import type {
  ModelEvent,
  ModelRequest,
  ModelTurn,
} from "../agent/contracts.ts";
import type { SseEvent } from "../chat/sse_parser.ts";
import type { Dispensable } from "./refusals.ts";
import type { Redact } from "./upstream_errors.ts";

export interface Dialect {
  /** @param without names of {@linkcode Dispensable}s that were refused. */
  prepare(
    model: string,
    request: ModelRequest,
    without: ReadonlySet<string>,
  ): Prepared;
  reader(options: ReaderOptions): AnswerReader;
}

/** A request that can be sent. */
export interface Prepared {
  send(client: OpenAI, signal: AbortSignal): Promise<Response>;
  /** What it could do without, should the provider refuse it. */
  dispensable: Dispensable[];
}

export interface ReaderOptions {
  model: string;
  emit: (event: ModelEvent) => void;
  /** Tool call ids of earlier steps. */
  taken: ReadonlySet<string>;
  /** Hears, once and safely put, what was wrong after a complete answer. */
  warn: (text: string) => void;
  redact: Redact;
}

/** How far an answer has got: after `finish` only usage can follow. */
export type Ended = "no" | "finish" | "done";

/** One streamed answer, fed with the events of its stream. */
export interface AnswerReader {
  /** @throws {ModelError} when the provider breaks its word. */
  event(event: SseEvent): void;
  /** Chunks so far; the watchdog counts these and nothing else as life. */
  readonly chunks: number;
  readonly ended: Ended;
  /**
   * Sums up once no more events can come.
   *
   * @throws {ModelError} upstream_truncated without an end, and
   * upstream_bad_response without a single event.
   */
  turn(): ModelTurn;
}
