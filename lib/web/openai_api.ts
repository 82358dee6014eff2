/**
 * What every route under `/v1` has in common: who may ask there, and errors in
 * OpenAI's shape (protocol 2.7).
 *
 * @module
 */
import type { Problem } from "../chat/views.ts";
import { api, HttpProblem } from "./problem.ts";
import type { Handlers } from "./route.ts";

/** The one member of an error's body. */
export interface OpenAIError {
  message: string;
  type: string;
  param: string | null;
  code: string;
}

/** What kind of error a status is, in OpenAI's words. */
export function errorType(status: number): string {
  if (status >= 500) return "server_error";
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  return status === 429 ? "rate_limit_error" : "invalid_request_error";
}

/** Whether errors under this path have OpenAI's shape, whoever makes them. */
export const isOpenAIPath = (path: string): boolean => /^\/v1(\/|$)/.test(path);

/** A problem, told as OpenAI tells it; status and headers stay. */
export async function openAIErrorOf(response: Response): Promise<Response> {
  const { detail, code, ...more }:
    & Problem
    & { param?: string; field?: string } = await response.json();
  const { status } = response;
  const error: OpenAIError = {
    message: detail,
    type: errorType(status),
    param: more.param ?? (more.field === undefined ? null : spell(more.field)),
    code,
  };
  const headers = new Headers(response.headers);
  headers.set("content-type", "application/json");
  return Response.json({ error }, { status, headers });
}

/** `messages.0.content` as OpenAI spells it: `messages[0].content`. */
function spell(field: string): string {
  return field.replace(/\.(\d+)(?=\.|$)/g, "[$1]");
}

/**
 * Wraps the handlers of a route under `/v1`. In public only programs with a
 * token may ask there: a page's cookie is for the page.
 */
export function openAI(handlers: Handlers): Handlers {
  const wrapped: Handlers = {};
  for (const method of Object.keys(handlers) as (keyof Handlers)[]) {
    const handler = handlers[method]!;
    wrapped[method] = (ctx) => {
      if (ctx.state.by !== "cookie") return handler(ctx);
      throw new HttpProblem(
        401,
        "invalid_api_key",
        "A bearer token is needed here. Make one with: deno task token add <name>",
        { headers: { "www-authenticate": "Bearer" } },
      );
    };
  }
  return api(wrapped);
}
