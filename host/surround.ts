/**
 * What both hosts do around every route, so that they agree: fill the state,
 * answer a method the route does not have, drop the body of HEAD, carry headers
 * to the response, and let the application answer or note a failure.
 *
 * `surround` wraps a host's handler, because an error page is drawn after every
 * middleware has ended; `inside` is the middleware that runs before the routes
 * (Fresh's `app.use`, the npm host's own). They meet over the request.
 *
 * @module
 */
import { HttpError, statusOf } from "./http_error.ts";
import { readRoutes } from "./route_table.ts";

/** What a middleware of either host is given. */
export interface HostContext<State> {
  readonly req: Request;
  readonly url: URL;
  readonly params: Record<string, string>;
  readonly state: State;
  /** The pattern that matched, or null. */
  readonly route: string | null;
}

/** Answers one request. */
export type HostHandler = (
  req: Request,
  info?: Deno.ServeHandlerInfo,
) => Promise<Response>;

export interface SurroundOptions<State> {
  /** The `routes/` folder. */
  routes: URL;
  /**
   * Fills `ctx.state` before any route runs. Headers set on `headers` go out
   * with whatever response comes of it, the error page too.
   */
  prepare(ctx: HostContext<State>, headers: Headers): void | Promise<void>;
  /**
   * Sees every failure of a route. A response ends the matter (problem+json for
   * the API); without one the error page is shown.
   */
  failed?(error: unknown, ctx: HostContext<State>): Response | undefined;
}

/** What we look at in a route's module. */
export interface RouteModule {
  default?: unknown;
  handler?: unknown;
  handlers?: unknown;
}

/** Methods a handler function (not an object by method) is asked for. */
const EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Fresh hands the nonce of a rendered page over under this name. */
const NONCE = Symbol.for("__freshNonce");

/** Which methods a route module answers; a page alone answers GET and HEAD. */
export function methodsOf(module: RouteModule): string[] {
  const handler = module.handlers ?? module.handler;
  if (typeof handler === "function") return EVERY_METHOD;
  const methods = new Set(Object.keys(handler ?? {}));
  if (module.default !== undefined) methods.add("GET");
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods];
}

/** One request on its way through a host. */
interface Round {
  options: SurroundOptions<unknown>;
  /** Pattern → module file. */
  files: ReadonlyMap<string, URL>;
  /** Headers for whatever response comes of it. */
  headers: Headers;
  /** The status of a failure the host draws a page for. */
  status?: number;
}

const rounds = new WeakMap<Request, Round>();

/** Answers a function that wraps a host's handler. Reads the routes folder. */
export async function surround<State>(
  options: SurroundOptions<State>,
): Promise<(handler: HostHandler) => HostHandler> {
  const { routes } = await readRoutes(options.routes);
  const files = new Map(routes.map((route) => [route.pattern, route.file]));
  return (handler) => async (req, info) => {
    const round: Round = { options, files, headers: new Headers() };
    rounds.set(req, round);
    return finished(await handler(req, info), round);
  };
}

/**
 * The middleware before the routes.
 *
 * @throws what the route threw, for the host to draw its error page.
 */
export async function inside<State>(
  ctx: HostContext<State>,
  next: () => Promise<Response>,
): Promise<Response> {
  const round = rounds.get(ctx.req);
  if (round === undefined) {
    throw new Error(
      `Cannot answer "${ctx.url.pathname}": the handler is not in surround()`,
    );
  }
  try {
    await round.options.prepare(ctx, round.headers);
    const refused = await refuseMethod(ctx, round);
    if (refused) return refused;
    const response = await next();
    return ctx.req.method === "HEAD" ? await withoutBody(response) : response;
  } catch (error) {
    const answer = round.options.failed?.(error, ctx);
    if (answer) return answer;
    round.status = statusOf(error);
    throw error;
  }
}

/** Fresh answers a missing method with 404 and draws a page for any POST. */
async function refuseMethod(
  ctx: HostContext<unknown>,
  { files, headers }: Round,
): Promise<Response | undefined> {
  const file = ctx.route === null ? undefined : files.get(ctx.route);
  if (file === undefined) return;
  const methods = methodsOf(await import(file.href));
  if (methods.includes(ctx.req.method)) return;
  headers.set("Allow", [...methods, "OPTIONS"].join(", "));
  if (ctx.req.method === "OPTIONS") return new Response(null, { status: 204 });
  throw new HttpError(405);
}

/** Ends the body, so that HEAD on a stream leaves no stream (case E13). */
async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  return keepNonce(response, new Response(null, response));
}

function finished(response: Response, round: Round): Response {
  const extra = [...round.headers];
  // Fresh 2.3.3 sends its _404 page with status 200.
  const status = response.status === 200
    ? round.status ?? 200
    : response.status;
  if (extra.length === 0 && status === response.status) return response;
  // A redirect or a fetched response has headers that cannot be changed (FR3).
  const { statusText, headers, body } = response;
  const copy = keepNonce(
    response,
    new Response(body, { status, statusText, headers }),
  );
  for (const [name, value] of extra) copy.headers.append(name, value);
  return copy;
}

function keepNonce(from: Response, to: Response): Response {
  const nonce: unknown = Reflect.get(from, NONCE);
  if (nonce !== undefined) Reflect.set(to, NONCE, nonce);
  return to;
}
