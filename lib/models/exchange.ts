/**
 * One request to a provider and its streamed answer, both under watch.
 *
 * @module
 */
import type OpenAI from "openai";
import type {
  ModelEvent,
  ModelRequest,
  ModelTurn,
} from "../agent/contracts.ts";
import { sseParser, SseTooLongError } from "../chat/sse_parser.ts";
import type { Dialect } from "./dialect.ts";
import { readBody, ReadError, readSome } from "./read_body.ts";
import { refusedOf } from "./refusals.ts";
import {
  connectionFailure,
  failure,
  type Redact,
  reportedFailure,
  statusFailure,
} from "./upstream_errors.ts";
import { type Watchdog, watchdog } from "./watchdog.ts";

/** How patient an exchange is; all in milliseconds. */
export interface Patience {
  /** From sending the request to the response's headers. */
  headersMs: number;
  /** Between two data chunks; comments and pings do not count. */
  silenceMs: number;
  /** After a finish reason, for the usage and the end of the stream. */
  settleMs: number;
  /** After `[DONE]` or its like, for the end of the stream. */
  doneMs: number;
  /** For the body of an error, once its status is known. */
  errorBodyMs: number;
}

/** One request and its answer; errors are not yet tried again. */
export type Exchange = (
  request: ModelRequest,
  emit: (event: ModelEvent) => void,
  signal: AbortSignal,
) => Promise<ModelTurn>;

/**
 * How long what was refused is left out. Servers are updated, and one failure that
 * happened to speak of images must not blind a model for good.
 */
const REMEMBERED_MS = 60 * 60_000;

/** An exchange that remembers what the provider refused. */
export function exchange(options: {
  dialect: Dialect;
  model: string;
  client: () => Promise<OpenAI>;
  patience: Patience;
  redact: Redact;
  warn: (text: string) => void;
}): Exchange {
  const { dialect, model, patience, redact, warn } = options;
  /** Until when each thing is left out, by `performance.now()`. */
  const refused = new Map<string, number>();

  /** Sends the request, once more for each thing the provider refuses. */
  async function send(
    request: ModelRequest,
    signal: AbortSignal,
  ): Promise<Response> {
    const client = await options.client();
    const now = performance.now();
    const without = new Set(
      refused.keys().filter((name) => refused.get(name)! > now),
    );
    const lasting: string[] = [];
    while (true) {
      const prepared = dialect.prepare(model, request, without);
      try {
        const response = await prepared.send(client, signal);
        // Only what helped is remembered.
        for (const name of lasting) refused.set(name, now + REMEMBERED_MS);
        return response;
      } catch (error) {
        if (!isStatusError(error)) throw connectionFailure(error, redact);
        const { status, headers } = error;
        const said = error.error ?? error.message;
        const thing = refusedOf(prepared.dispensable, status, said);
        if (thing === undefined) {
          throw statusFailure(status, said, headers, redact);
        }
        without.add(thing.name);
        if (thing.lasting !== false) lasting.push(thing.name);
      }
    }
  }

  async function mustBeStream(response: Response) {
    const type = response.headers.get("content-type") ?? "none";
    const isStream = /^\s*text\/event-stream\s*(?:;|$)/i.test(type);
    if (response.status === 200 && isStream) return;
    let said: unknown = "";
    try {
      said = JSON.parse(await readSome(response, patience.errorBodyMs));
    } catch {
      // A web page, most likely.
    }
    throw reportedFailure(
      "upstream_bad_response",
      said,
      (text) => redact(`HTTP ${response.status}, ${type}: ${text}`),
    );
  }

  /** Reads a stream to its end, or as far as it matters. */
  async function answer(
    response: Response,
    request: ModelRequest,
    emit: (event: ModelEvent) => void,
    stop: AbortController,
    dog: Watchdog,
  ): Promise<ModelTurn> {
    const reader = dialect.reader({
      model,
      emit,
      redact,
      taken: callIds(request),
      warn,
    });
    // An emit may abort; the rest of the same read is then not heard.
    let over = false;
    stop.signal.addEventListener("abort", () => over = true, { once: true });
    const parser = sseParser({ event: (event) => over || reader.event(event) });
    let [chunks, ended] = [0, reader.ended];

    function push(bytes: Uint8Array) {
      parser.push(bytes);
      if (reader.chunks !== chunks) dog.feed();
      chunks = reader.chunks;
      if (reader.ended === ended) return;
      ended = reader.ended;
      const wait = ended === "done" ? patience.doneMs : patience.settleMs;
      dog.watch(wait, () => stop.abort(SETTLED));
    }

    dog.watch(
      patience.silenceMs,
      () => stop.abort(failure("upstream_stalled")),
    );
    try {
      await readBody(response, push, stop.signal);
    } catch (error) {
      if (error instanceof SseTooLongError) {
        throw failure("upstream_malformed", { cause: error.message });
      }
      if (!(error instanceof ReadError)) throw error;
      // A complete answer stays complete, however its connection ended.
      if (reader.ended === "no" && !stop.signal.aborted) {
        throw failure("upstream_reset", { cause: redact(String(error.cause)) });
      }
    }
    if (stop.signal.reason !== SETTLED) stop.signal.throwIfAborted();
    return reader.turn();
  }

  return async (request, emit, signal) => {
    signal.throwIfAborted();
    // Aborts for the caller and for the watchdog; either way the socket closes.
    const stop = new AbortController();
    const abort = () => stop.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const dog = watchdog();
    try {
      dog.watch(
        patience.headersMs,
        () => stop.abort(failure("upstream_timeout")),
      );
      const response = await send(request, stop.signal);
      await mustBeStream(response);
      return await answer(response, request, emit, stop, dog);
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      dog.rest();
      signal.removeEventListener("abort", abort);
    }
  };
}

/** Why a stream was left after its end was announced; no failure. */
const SETTLED = Symbol("settled");

/** The SDK's error for a response that was not ok. */
interface StatusError {
  status: number;
  error: unknown;
  message: string;
  headers: Headers;
}

function isStatusError(error: unknown): error is StatusError {
  return error instanceof Error && "headers" in error &&
    typeof (error as Partial<StatusError>).status === "number";
}

function callIds({ messages }: ModelRequest): Set<string> {
  return new Set(
    messages.flatMap((message) =>
      message.role === "assistant"
        ? message.toolCalls.map((call) => call.id)
        : []
    ),
  );
}
