/**
 * The model adapter for every server that speaks one of OpenAI's two APIs: the
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
import { completionReader } from "./completion.ts";
import type { Dialect } from "./dialect.ts";
import { exchange, type Patience } from "./exchange.ts";
import { chatRequest } from "./openai_request.ts";
import { withShortErrors } from "./read_body.ts";
import { responseReader } from "./responses.ts";
import { responsesRequest } from "./responses_request.ts";
import { delayBeforeRetry, wait } from "./retry.ts";
import { createTransport } from "./transport.ts";
import { redactor } from "./upstream_errors.ts";

/** How patient the adapter is; all in milliseconds. */
export interface OpenAITimings extends Patience {
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

/** `POST /chat/completions`, which every server knows, or `POST /responses`. */
export type OpenAIApi = "chat" | "responses";

const DIALECTS: Record<OpenAIApi, Dialect> = {
  chat: { prepare: chatRequest, reader: completionReader },
  responses: { prepare: responsesRequest, reader: responseReader },
};

export interface OpenAIOptions {
  /** null for local servers that want none. */
  apiKey: string | null;
  /** null for OpenAI itself. */
  baseUrl: string | null;
  model: string;
  /** Which API is spoken; Chat Completions unless said otherwise. */
  api?: OpenAIApi;
  /** Instead of the transport of `transport.ts`. */
  fetch?: typeof fetch;
  timings?: Partial<OpenAITimings>;
  /** Hears about oddities after a complete answer; safe to log (U13, U26). */
  warn?: (text: string) => void;
}

/** Loads the SDK (about 0.1 s); otherwise the first question pays for it. */
export const loadOpenAI = () => import("openai");

/**
 * A {@linkcode Model} behind a server with one of these APIs.
 *
 * `stream` sends at most three requests, and a further one only as long as
 * nothing was emitted. Its errors are {@linkcode ModelError}s.
 */
export function createOpenAIModel(options: OpenAIOptions): Model {
  const timings = { ...TIMINGS, ...options.timings };
  let client: OpenAI | undefined;
  const attempt = exchange({
    dialect: DIALECTS[options.api ?? "chat"],
    model: options.model,
    client: getClient,
    patience: timings,
    redact: redactor(options.apiKey),
    warn: options.warn ?? (() => {}),
  });

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
