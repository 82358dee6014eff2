/**
 * The one place where what a provider did wrong becomes a {@linkcode ModelError}:
 * a sentence that is safe to show (case S06: no key, address, prompt or stack)
 * and a short redacted cause for the log.
 *
 * @module
 */
import { ModelError } from "../agent/contracts.ts";
import type { ErrorCode } from "../chat/events.ts";
import { retryAfterMs } from "./retry.ts";

/** The failures a provider can cause, and what a person reads. */
const FAILURES = {
  upstream_rate_limited: [
    "The model provider is getting too many requests. Try again in a moment.",
    true,
  ],
  upstream_auth: ["The model provider refused this server's API key.", false],
  upstream_bad_request: [
    "The model provider did not accept the request.",
    false,
  ],
  context_length_exceeded: [
    "This conversation is too long for the model.",
    false,
  ],
  upstream_unavailable: ["The model provider is not available.", true],
  upstream_timeout: ["The model provider did not answer in time.", true],
  upstream_stalled: ["The model provider fell silent while answering.", true],
  upstream_reset: ["The connection to the model provider broke.", true],
  upstream_truncated: ["The answer ended before it was complete.", true],
  upstream_malformed: [
    "The model provider sent something that cannot be read.",
    true,
  ],
  upstream_bad_response: [
    "What answered at the model's address is not a chat model.",
    false,
  ],
  upstream_error: ["The model provider reported an error.", true],
} satisfies Partial<Record<ErrorCode, [message: string, retryable: boolean]>>;

/** The codes this room can produce, but for `limit_exceeded`. */
export type UpstreamCode = keyof typeof FAILURES;

/** What is known beyond the code. */
export interface FailureDetails {
  message?: string;
  retryable?: boolean;
  retryAfterMs?: number;
  /** The provider's own code; shown if it looks like one. */
  providerCode?: string;
  /** For the log, redacted already. */
  cause?: string;
}

/** A failed step, in the words of its code unless told better ones. */
export function failure(
  code: UpstreamCode,
  details: FailureDetails = {},
): ModelError {
  const [sentence, retryable] = FAILURES[code];
  const message = details.message ?? sentence;
  const shown = safeCode(details.providerCode);
  return new ModelError(
    code,
    shown === undefined ? message : message.replace(/\.$/, ` (${shown}).`),
    {
      retryable: details.retryable ?? retryable,
      ...(details.retryAfterMs === undefined
        ? {}
        : { retryAfterMs: details.retryAfterMs }),
      ...(details.cause === undefined ? {} : { cause: details.cause }),
    },
  );
}

/** An error object as providers write it; every field may be missing. */
export interface ProviderError {
  message: string;
  code?: string;
  type?: string;
  param?: string;
}

/** Reads `{error: …}`, the object within, a list of either, or a bare string. */
export function providerError(value: unknown): ProviderError {
  if (typeof value === "string") return { message: value };
  // Gemini puts it in a list.
  if (Array.isArray(value)) return providerError(value[0]);
  if (typeof value !== "object" || value === null) return { message: "" };
  const fields = value as Record<string, unknown>;
  if (fields.error) return providerError(fields.error);
  const text = (field: unknown) =>
    typeof field === "string" || typeof field === "number"
      ? String(field)
      : undefined;
  // FastAPI servers say `detail`, which may be a list; Mistral has that in place
  // of a message.
  const said = fields.message ?? fields.detail;
  return {
    message: text(said) ?? (said ? JSON.stringify(said) : ""),
    code: text(fields.code),
    // "error" says no more than that it is one.
    type: fields.type === "error" ? undefined : text(fields.type),
    param: text(fields.param),
  };
}

/** Takes secrets out of a text meant for the log, and shortens it. */
export type Redact = (text: string) => string;

/**
 * A redactor that knows the key in use besides what keys look like. What a
 * provider says can be long, an image quoted back in one word: every pattern
 * must begin where a word does, or look no further than a few characters.
 */
export function redactor(apiKey: string | null): Redact {
  return (text) => {
    if (apiKey) text = text.replaceAll(apiKey, "[key]");
    return text
      .replace(/https?:\/\/\S+/gi, "[url]")
      .replace(/\bBearer\s+\S+/gi, "Bearer [key]")
      .replace(/\b(?:sk|pk|rk|gsk|xai)[-_][\w*.-]{4,}/gi, "[key]")
      .replace(/\b(?:key|token)[-_](?=[\w.-]{0,64}\d)[\w*.-]{6,}/gi, "[key]")
      .replace(/(?<!\S)\S*\*{3,}\S*/g, "[key]")
      .replace(/\b(?=\w*\d)\w{32,}\b/g, "[key]")
      .slice(0, 300);
  };
}

/** A code is shown only if it can be nothing else (U12, S06). */
function safeCode(code: string | undefined): string | undefined {
  if (code === undefined || !/^[a-z0-9_.:-]{1,48}$/i.test(code)) return;
  return redactor(null)(code) === code ? code : undefined;
}

const TOO_LONG =
  /context[_ ](?:length|window|size)|maximum context|prompt is too long|maximum number of tokens/i;

function isTooLong({ code, type, message }: ProviderError): boolean {
  return [code, type, message].some((text) => text && TOO_LONG.test(text));
}

/** What Gemini and xAI say with a 400. */
const WRONG_KEY =
  /\b(?:incorrect|invalid) api key|api key\b.{0,12}(?:not valid|invalid)/i;

/** Turns a refusal by status into a failure (U01-U06). */
export function statusFailure(
  status: number,
  body: unknown,
  headers: Headers,
  redact: Redact,
): ModelError {
  const error = providerError(body);
  const said = error.code ?? error.type;
  const details: FailureDetails = {
    retryAfterMs: retryAfterMs(headers),
    cause: redact(`HTTP ${status} ${said ?? ""} ${error.message}`),
  };
  if (
    status === 401 || status === 403 ||
    (status === 400 && WRONG_KEY.test(error.message))
  ) {
    return failure("upstream_auth", details);
  }
  if (status === 402 || said === "insufficient_quota") {
    return failure("upstream_rate_limited", {
      ...details,
      message: "This server's quota at the model provider is used up.",
      retryable: false,
    });
  }
  if (status === 429) return failure("upstream_rate_limited", details);
  if (status === 413 || isTooLong(error)) {
    return failure("context_length_exceeded", details);
  }
  if (status >= 500 || status === 408 || status === 409 || status === 425) {
    return failure("upstream_unavailable", details);
  }
  if (status >= 400) {
    return failure("upstream_bad_request", {
      ...details,
      providerCode: error.code,
      ...(status === 404
        ? { message: "The model provider does not know this model or address." }
        : {}),
    });
  }
  return failure("upstream_bad_response", details);
}

/** Codes in a stream after which another attempt makes sense. */
const PASSING = /^(?:429|5\d\d)$|rate_limit|overload|server_error|unavailable/i;

/** An error object inside a stream, or in place of one (U12). */
export function reportedFailure(
  code: "upstream_error" | "upstream_bad_response",
  value: unknown,
  redact: Redact,
): ModelError {
  const error = providerError(value);
  const said = error.code ?? error.type;
  const cause = redact(`${said ?? ""} ${error.message}`);
  if (isTooLong(error)) return failure("context_length_exceeded", { cause });
  return failure(code, {
    providerCode: said,
    ...(code === "upstream_error"
      ? { retryable: said !== undefined && PASSING.test(said) }
      : {}),
    cause,
  });
}

/** The request could not be made or its answer not be received (U04, U07). */
export function connectionFailure(error: unknown, redact: Redact): ModelError {
  // The SDK and Deno wrap what happened; the innermost error says it, in the
  // words of `fetch` or of transport.ts.
  let text = String(error);
  for (let at = error; at instanceof Error; at = at.cause) text = String(at);
  const cause = redact(text);
  if (/NotCapable/.test(text)) {
    return failure("upstream_unavailable", {
      message: "This server is not allowed to reach the model provider.",
      retryable: false,
      cause,
    });
  }
  if (/\(Connect\)|Cannot connect|dns error|refused|timed? ?out/i.test(text)) {
    return failure("upstream_unavailable", {
      message: "The model provider cannot be reached.",
      cause,
    });
  }
  if (/Cannot read the answer/.test(text)) {
    return failure("upstream_bad_response", { cause });
  }
  if (/error sending request|connection|reset|broken pipe/i.test(text)) {
    return failure("upstream_reset", { cause });
  }
  return failure("upstream_unavailable", {
    message: "The request to the model provider could not be made.",
    retryable: false,
    cause,
  });
}
