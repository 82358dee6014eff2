/**
 * The one wrapper around both hosts. Whatever a request does and whatever the
 * host makes of it, the answer has every security header, an id, and no stack
 * trace (safety FR1-FR10, E01-E15).
 *
 * @module
 */
import type { Problem } from "../chat/views.ts";
import type { Log } from "../log.ts";
import { dressed, FILE_POLICY, pagePolicy } from "./headers.ts";
import {
  hostOf,
  type HostRules,
  isAllowedHost,
  isSameOrigin,
} from "./hosts.ts";
import { MAX_BODY } from "./images.ts";
import { BodyRoom, tooLarge } from "./limit.ts";
import { isOpenAIPath, openAIErrorOf } from "./openai_api.ts";
import {
  causeOf,
  HttpProblem,
  isApiPath,
  isProblem,
  newRequestId,
  problem,
  problemId,
  problemOf,
  wantsPage,
} from "./problem.ts";
import { REFUSAL_POLICY, refusalPage } from "./refusal_page.ts";
import { rawPath, readTarget } from "./target.ts";
import { preferredLanguage, statusWords } from "./words.ts";

/** A host's handler: Fresh's `app.handler()` or that of `host/`. */
export type HostHandler = (
  req: Request,
  info?: Deno.ServeHandlerInfo,
) => Response | Promise<Response>;

/** `origin`, `hosts` and `access` are those of the configuration. */
export interface GuardOptions extends HostRules {
  log: Log;
  /** One log line per request. Default true. */
  accessLog?: boolean;
  /** Paths that take a form (a page that works without JavaScript). Default `/ask`. */
  formPaths?: readonly string[];
  /**
   * Bytes of body by path prefix; the longest prefix counts. Default 1 MiB, and
   * more where a question may bring images.
   */
  bodyLimits?: Readonly<Record<string, number>>;
  /** The nonce a rendered page gave its inline scripts, if it has any. */
  nonceOf?: (response: Response) => string | undefined;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const ALLOW = METHODS.join(", ");
const READS = ["GET", "HEAD"];
const BODY_LIMIT = 1024 * 1024;
/**
 * For all bodies above that together, while they are read: parsing takes several
 * times as much, and anybody may send them in public.
 */
const LARGE_BODIES = 128 * 1024 * 1024;
const WITH_IMAGES = ["/api/chat", "/api/runs", "/v1/chat/completions"];

const mediaType = (headers: Headers): string =>
  (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();

/** `Deno.serve` gives every POST a body, so the head must tell if there is one. */
const announcesBody = (headers: Headers): boolean =>
  headers.has("content-type") || headers.has("transfer-encoding") ||
  (headers.get("content-length") ?? "0") !== "0";

/** A request in hand, as far as it is understood. */
interface Exchange {
  id: string;
  req: Request;
  /** Decoded; empty if it could not be read. */
  path: string;
  /** Why it failed, for the log. */
  cause?: unknown;
}

/**
 * Puts the guard around a host.
 *
 * @returns a handler for `Deno.serve` or `deno serve`; it never throws.
 */
export function guard(
  handler: HostHandler,
  options: GuardOptions,
): (req: Request, info?: Deno.ServeHandlerInfo) => Promise<Response> {
  const { log, accessLog = true, formPaths = ["/ask"] } = options;
  const https = options.origin?.startsWith("https:") ?? false;
  const limits = Object.entries(options.bodyLimits ?? {})
    .sort(([a], [b]) => b.length - a.length);
  const room = new BodyRoom({ small: BODY_LIMIT, large: LARGE_BODIES });
  const limitFor = (path: string): number =>
    limits.find(([prefix]) => path.startsWith(prefix))?.[1] ??
      (WITH_IMAGES.includes(path) ? MAX_BODY : BODY_LIMIT);

  /** Checks that read the head only; throws what is wrong. */
  function inspect(it: Exchange): Response | null {
    const { req } = it;
    const target = readTarget(req.url);
    if ("path" in target) it.path = target.path;
    if (!METHODS.includes(req.method)) {
      throw new HttpProblem(
        405,
        "method_not_allowed",
        "This method is not known here.",
        { headers: { allow: ALLOW } },
      );
    }
    if ("refused" in target) {
      throw target.refused === "too_long"
        ? new HttpProblem(414, "uri_too_long", "The address is too long.")
        : new HttpProblem(
          400,
          "bad_path",
          "The path of the address is malformed.",
        );
    }
    const host = hostOf(req);
    if (host === null || !isAllowedHost(host, options)) {
      const cause = `host ${req.headers.get("host") ?? "absent"}`;
      const { hint } = statusWords(421, "en");
      throw new HttpProblem(421, "wrong_host", hint, { cause });
    }
    if (req.method === "OPTIONS") {
      // No CORS headers: a preflight of another site fails (E14).
      return new Response(null, { status: 204, headers: { allow: ALLOW } });
    }
    if (!READS.includes(req.method)) inspectWrite(req, host, it.path);
    return null;
  }

  function inspectWrite(req: Request, host: string, path: string): void {
    if (!isSameOrigin(req, host, options)) {
      throw new HttpProblem(
        403,
        "cross_site",
        "This request comes from another site. Behind a proxy with TLS, set " +
          "TICKERTAPE_ORIGIN to the public address.",
      );
    }
    // E10: a browser sends JSON to another site only after a preflight.
    const type = mediaType(req.headers);
    const accepted = type === "application/json" ||
      !announcesBody(req.headers) ||
      (formPaths.includes(path) &&
        (type === "application/x-www-form-urlencoded" ||
          type === "multipart/form-data"));
    if (!accepted) {
      throw new HttpProblem(
        415,
        "unsupported_media_type",
        "The body must be application/json.",
      );
    }
  }

  async function answer(
    it: Exchange,
    info?: Deno.ServeHandlerInfo,
  ): Promise<Response> {
    const early = inspect(it);
    if (early !== null) return early;
    const limit = limitFor(it.path);
    const body = room.admit(it.req, limit);
    try {
      const response = await handler(body.req, info);
      if (!(response instanceof Response)) {
        throw new TypeError("Cannot answer: the host returned no Response");
      }
      if (response.bodyUsed) {
        throw new TypeError("Cannot answer: the response was read before");
      }
      it.cause = causeOf(body.req);
      if (!body.exceeded()) return response;
      await discard(response);
    } catch (error) {
      // A reader may have wrapped or swallowed what the limit threw.
      if (!body.exceeded()) throw error;
    } finally {
      body.leave();
    }
    throw tooLarge(limit);
  }

  /** What the host answered, in the form its path promises. */
  async function settled(it: Exchange, response: Response): Promise<Response> {
    it.id = problemId(response) ?? it.id;
    const { status } = response;
    const plain = status >= 400 && isApiPath(it.path) &&
      !isProblem(response) &&
      mediaType(response.headers) !== "application/json";
    if (!plain) return response;
    await discard(response);
    const allow = response.headers.get("allow");
    const code = status === 404
      ? "not_found"
      : status === 405
      ? "method_not_allowed"
      : status >= 500
      ? "internal"
      : "refused";
    return problem(
      status,
      code,
      statusWords(status, "en").hint,
      allow === null ? {} : { headers: { allow } },
      it.id,
    );
  }

  function dress(it: Exchange, response: Response, refusal: boolean) {
    const html = mediaType(response.headers) === "text/html";
    const page = html && !refusal && !isApiPath(it.path) &&
      !response.headers.has("content-disposition");
    const policy = refusal
      ? REFUSAL_POLICY
      : page
      ? pagePolicy(options.nonceOf?.(response))
      : FILE_POLICY;
    return dressed(response, { id: it.id, policy, page, https });
  }

  function report(it: Exchange, status: number, started: number): void {
    const { id, req: { method, url }, cause } = it;
    // Never the query: it holds what people ask (protocol 2.6).
    const path = (it.path || rawPath(url)).slice(0, 200);
    const where = { id, method, path, status };
    if (status >= 500) log.error("request failed", where, cause);
    if (!accessLog) return;
    const ms = Math.round((performance.now() - started) * 10) / 10;
    log.info("request", { ...where, ms, reason: reasonOf(cause) });
  }

  return async (req, info) => {
    const started = performance.now();
    const it: Exchange = { id: newRequestId(), req, path: "" };
    const failed = (error: unknown): Response => {
      it.cause = error;
      return problemOf(error, it.id);
    };
    let response: Response;
    try {
      response = await settled(it, await answer(it, info));
    } catch (error) {
      response = failed(error);
    }
    const refusal = isProblem(response) && wantsPage(req, it.path);
    try {
      if (refusal) response = await forPeople(it, response);
      else if (
        isProblem(response) && isOpenAIPath(it.path || rawPath(req.url))
      ) {
        response = await openAIErrorOf(response);
      }
      response = dress(it, response, refusal);
      if (req.method === "HEAD") response = await headOnly(response);
    } catch (error) {
      // What nobody can send: status 0 of `Response.error()`, a body in use.
      response = dress(it, failed(error), false);
    }
    report(it, response.status, started);
    return response;
  };
}

/** A problem as a page. */
async function forPeople(it: Exchange, answer: Response): Promise<Response> {
  const lang = preferredLanguage(it.req.headers.get("accept-language"));
  const { detail }: Problem = await answer.json();
  const page = refusalPage(answer.status, lang, it.id, detail);
  for (const name of ["allow", "retry-after"]) {
    const value = answer.headers.get(name);
    if (value !== null) page.headers.set(name, value);
  }
  return page;
}

/** Why a request was refused, in a few words. */
function reasonOf(cause: unknown): string | undefined {
  if (!(cause instanceof HttpProblem)) return undefined;
  const deeper = cause.cause instanceof Error
    ? cause.cause.message
    : cause.cause;
  return typeof deeper === "string" ? `${cause.code}: ${deeper}` : cause.code;
}

/** Lets go of a body nobody will read, so that its source can stop. */
async function discard(response: Response): Promise<void> {
  try {
    await response.body?.cancel();
  } catch {
    // Already locked or broken: then somebody else ends it.
  }
}

/** The head alone; an event stream behind it ends at once (E13). */
async function headOnly(response: Response): Promise<Response> {
  if (response.body === null) return response;
  await discard(response);
  const { status, statusText, headers } = response;
  return new Response(null, { status, statusText, headers });
}
