/**
 * Errors as programs read them: application/problem+json (RFC 9457), each with
 * an id that finds the log line (P03).
 *
 * @module
 */
import type { Problem } from "../chat/views.ts";
import type { Handlers } from "./route.ts";
import { statusWords } from "./words.ts";

export interface ProblemExtra {
  /** As `retry-after` or `allow`. */
  headers?: Record<string, string>;
  /** Further members, as `run_id`; they never replace the standard ones. */
  members?: Record<string, unknown>;
}

/** A new request id: 64 random bits. */
export function newRequestId(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}

const REQUEST_ID = /^[0-9a-f]{16}$/;

/**
 * An error answer. `detail` is shown to people: plain words, nothing secret.
 * `code` is a stable word for programs.
 */
export function problem(
  status: number,
  code: string,
  detail: string,
  extra: ProblemExtra = {},
  id: string = newRequestId(),
): Response {
  const body: Problem & Record<string, unknown> = {
    ...extra.members,
    type: "about:blank",
    title: statusWords(status, "en").title,
    status,
    detail,
    code,
    id,
  };
  const headers = new Headers(extra.headers);
  headers.set("content-type", "application/problem+json");
  headers.set("cache-control", "no-store");
  headers.set("x-request-id", id);
  return new Response(JSON.stringify(body), { status, headers });
}

/** The id a problem answer carries already, so that body, header and log agree. */
export function problemId(response: Response): string | null {
  if (!isProblem(response)) return null;
  const id = response.headers.get("x-request-id") ?? "";
  return REQUEST_ID.test(id) ? id : null;
}

/** Whether the answer is problem details already. */
export function isProblem(response: Response): boolean {
  const type = response.headers.get("content-type") ?? "";
  return type.startsWith("application/problem+json");
}

export interface HttpProblemOptions extends ProblemExtra {
  /** What really happened; for the log only. */
  cause?: unknown;
}

/** Thrown by routes and parsers; becomes {@linkcode problem}. */
export class HttpProblem extends Error {
  override name = "HttpProblem";
  readonly extra: ProblemExtra;

  constructor(
    readonly status: number,
    readonly code: string,
    /** Shown to people. */
    readonly detail: string,
    options: HttpProblemOptions = {},
  ) {
    const { cause, ...extra } = options;
    super(`${code}: ${detail}`, cause === undefined ? undefined : { cause });
    this.extra = extra;
  }
}

/** The answer to whatever was thrown. Only an HttpProblem's words are shown. */
export function problemOf(error: unknown, id?: string): Response {
  if (error instanceof HttpProblem) {
    const { status, code, detail, extra } = error;
    return problem(status, code, detail, extra, id);
  }
  if (isStoreError(error)) return storeProblem(error, id);
  const { hint } = statusWords(500, "en");
  return problem(500, "internal", hint, {}, id);
}

/** Known by its name: this room imports no storage. */
const isStoreError = (error: unknown): error is Error & { kind?: unknown } =>
  error instanceof Error && error.name === "StoreError";

/**
 * The store could not commit, or cannot be read: nothing is pretended, and who
 * sent something keeps it (N9; cases R23, R24).
 */
function storeProblem({ kind }: { kind?: unknown }, id?: string): Response {
  const full = kind === "full";
  const status = full ? 507 : 503;
  return problem(
    status,
    full ? "store_full" : "store_unavailable",
    statusWords(status, "en").hint,
    { headers: { "retry-after": "5" } },
    id,
  );
}

const causes = new WeakMap<Request, unknown>();

/**
 * Remembers why this request failed, for the log line the guard writes. For
 * whoever answers an error itself.
 */
export function noteCause(req: Request, error: unknown): void {
  causes.set(req, error);
}

/** What {@linkcode noteCause} remembered. */
export function causeOf(req: Request): unknown {
  return causes.get(req);
}

/** Paths for programs: their errors are always problems, never pages. */
export const isApiPath = (path: string): boolean =>
  /^\/(api|v1)(\/|$)/.test(path);

/** Whether an error of this request is best told to a person. */
export function wantsPage(req: Request, path: string): boolean {
  return !isApiPath(path) &&
    (req.headers.get("accept") ?? "").includes("text/html");
}

/**
 * Wraps a route's handlers so that whatever they throw becomes a problem under
 * either host.
 */
export function api<Data>(handlers: Handlers<Data>): Handlers<Data> {
  const wrapped: Handlers<Data> = {};
  for (const method of Object.keys(handlers) as (keyof Handlers)[]) {
    const handler = handlers[method]!;
    wrapped[method] = async (ctx) => {
      try {
        return await handler(ctx);
      } catch (error) {
        noteCause(ctx.req, error);
        return problemOf(error);
      }
    };
  }
  return wrapped;
}
