/**
 * The model adapter for every server that speaks OpenAI Chat Completions: the
 * request goes through `npm:openai` (auth, base URL, abort), the answer is read
 * by us, because the SDK's own loop reports cut answers, error bodies and aborts
 * as success (protocol 1.3; decision 4).
 *
 * @module
 */
import type OpenAI from "openai";
import {
  type Model,
  ModelError,
  type ModelEvent,
  type ModelRequest,
  type ModelTurn,
} from "../agent/contracts.ts";
import { sseParser, SseTooLongError } from "../chat/sse_parser.ts";
import { completionReader } from "./completion.ts";
import {
  type OptionalField,
  refusedField,
  requestBody,
} from "./openai_request.ts";
import { readBody, ReadError, readSome, withShortErrors } from "./read_body.ts";
import { delayBeforeRetry, wait } from "./retry.ts";
import { createTransport } from "./transport.ts";
import {
  connectionFailure,
  failure,
  redactor,
  reportedFailure,
  statusFailure,
} from "./upstream_errors.ts";
import { type Watchdog, watchdog } from "./watchdog.ts";

/** How patient the adapter is; all in milliseconds. */
export interface OpenAITimings {
  /** From sending the request to the response's headers. */
  headersMs: number;
  /** Between two data chunks; comments and pings do not count. */
  silenceMs: number;
  /** After a finish reason, for the usage and the end of the stream. */
  settleMs: number;
  /** After `[DONE]`, for the end of the stream. */
  doneMs: number;
  /** For the body of an error, once its status is known. */
  errorBodyMs: number;
  /** Upper bound of the first backoff; doubles with each attempt. */
  backoffMs: number;
  /** A longer `Retry-After` fails at once and is reported. */
  maxRetryAfterMs: number;
}

/** Protocol 2.5. */
const TIMINGS: OpenAITimings = {
  headersMs: 45_000,
  silenceMs: 60_000,
  settleMs: 2_000,
  doneMs: 100,
  errorBodyMs: 2_000,
  backoffMs: 1_000,
  maxRetryAfterMs: 30_000,
};

export interface OpenAIOptions {
  /** null for local servers that want none. */
  apiKey: string | null;
  /** null for OpenAI itself. */
  baseUrl: string | null;
  model: string;
  /** Instead of the transport of `transport.ts`. */
  fetch?: typeof fetch;
  timings?: Partial<OpenAITimings>;
  /** Hears about oddities after a complete answer; safe to log (U13, U26). */
  warn?: (text: string) => void;
}

/** Loads the SDK (about 0.1 s); otherwise the first question pays for it. */
export const loadOpenAI = () => import("openai");

/**
 * A {@linkcode Model} behind a Chat Completions server.
 *
 * `stream` sends at most three requests, and a further one only as long as
 * nothing was emitted. Its errors are {@linkcode ModelError}s.
 */
export function createOpenAIModel(options: OpenAIOptions): Model {
  const timings = { ...TIMINGS, ...options.timings };
  const redact = redactor(options.apiKey);
  const refused = new Set<OptionalField>();
  let client: OpenAI | undefined;

  async function getClient(): Promise<OpenAI> {
    const { default: OpenAI } = await loadOpenAI();
    return client ??= new OpenAI({
      // The SDK insists on a key; where there is none no header is sent.
      apiKey: options.apiKey ?? "none",
      ...(options.apiKey === null
        ? { defaultHeaders: { Authorization: null } }
        : {}),
      baseURL: options.baseUrl ?? "https://api.openai.com/v1",
      // Everything else it would read from the environment is said here (OA5):
      // config.ts is the only reader, and a debug log would hold prompts.
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      logLevel: "off",
      maxRetries: 0,
      fetch: withShortErrors(
        options.fetch ?? createTransport(),
        timings.errorBodyMs,
      ),
      // A redirect could carry the conversation to another host.
      fetchOptions: { redirect: "manual" },
    });
  }

  /** Sends the request, once more for each optional field the server refuses. */
  async function send(
    request: ModelRequest,
    signal: AbortSignal,
  ): Promise<Response> {
    const { chat } = await getClient();
    while (true) {
      const body = requestBody(options.model, request, refused);
      try {
        return await chat.completions.create(body, { signal }).asResponse();
      } catch (error) {
        if (!isStatusError(error)) throw connectionFailure(error, redact);
        const field = refusedField(error.status, error.error, body);
        if (field === undefined) {
          throw statusFailure(
            error.status,
            error.error ?? error.message,
            error.headers,
            redact,
          );
        }
        refused.add(field);
      }
    }
  }

  /** One request and its answer, both under watch. */
  async function attempt(
    request: ModelRequest,
    emit: (event: ModelEvent) => void,
    signal: AbortSignal,
  ): Promise<ModelTurn> {
    signal.throwIfAborted();
    // Aborts for the caller and for the watchdog; either way the socket closes.
    const stop = new AbortController();
    const abort = () => stop.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const dog = watchdog();
    try {
      dog.watch(
        timings.headersMs,
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
  }

  async function mustBeStream(response: Response) {
    const type = response.headers.get("content-type") ?? "none";
    const isStream = /^\s*text\/event-stream\s*(?:;|$)/i.test(type);
    if (response.status === 200 && isStream) return;
    let said: unknown = "";
    try {
      said = JSON.parse(await readSome(response, timings.errorBodyMs));
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
    const reader = completionReader({
      emit,
      redact,
      taken: callIds(request),
      warn: options.warn ?? (() => {}),
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
      const patience = ended === "done" ? timings.doneMs : timings.settleMs;
      dog.watch(patience, () => stop.abort(SETTLED));
    }

    dog.watch(timings.silenceMs, () => stop.abort(failure("upstream_stalled")));
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

  /** Asks until there is an answer or no use in asking. */
  async function stream(
    request: ModelRequest,
    emit: (event: ModelEvent) => void,
    signal: AbortSignal,
  ): Promise<ModelTurn> {
    let shown = false;
    const show = (event: ModelEvent) => {
      shown = true;
      emit(event);
    };
    for (let attempts = 1;; attempts++) {
      try {
        return await attempt(request, show, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (shown || !(error instanceof ModelError)) throw error;
        const afterMs = delayBeforeRetry(error, { attempts, ...timings });
        if (afterMs === null) throw error;
        const rateLimited = error.code === "upstream_rate_limited";
        emit({ type: "retry", attempt: attempts + 1, afterMs, rateLimited });
        await wait(afterMs, signal);
      }
    }
  }

  return { id: options.model, stream };
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
