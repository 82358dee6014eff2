/**
 * Puts the app together: services, a host for the routes, the guard around it,
 * and a socket.
 *
 * @module
 */
import type { Services } from "../lib/services.ts";
import type { Log } from "../lib/log.ts";
import { guard } from "../lib/web/guard.ts";
import {
  HttpProblem,
  noteCause,
  problem,
  problemOf,
} from "../lib/web/problem.ts";
import type { Visit } from "../lib/web/route.ts";
import { wants } from "../lib/web/wants.ts";
import { statusWords } from "../lib/web/words.ts";
import { statusOf } from "./http_error.ts";
import type { NpmHostOptions } from "./mod.ts";
import { readStaticFiles } from "./static_files.ts";
import {
  type HostContext,
  type HostHandler,
  surround,
  type SurroundOptions,
} from "./surround.ts";

/** Which host serves the routes. */
export type HostName = "fresh" | "npm";

export interface AppOptions {
  services: Services;
  log: Log;
  host: HostName;
  /** The project folder, ending in a slash. Default: this one. */
  root?: URL;
  /** Readable bundles with source maps (npm host). */
  dev?: boolean;
}

export interface RunningApp extends AsyncDisposable {
  /** As in `http://127.0.0.1:8000`. */
  url: string;
  /**
   * Stops listening, and closes the services.
   *
   * @param graceMs How long runs may take to end by themselves; default 0.
   */
  close(graceMs?: number): Promise<void>;
}

type Common = Omit<SurroundOptions<Visit>, "routes">;

/** Time for open requests to end once the services have let them go, ms. */
const DRAIN = 500;

/** A handler for `Deno.serve`: the routes on a host, behind the guard. */
export async function createHandler(
  options: AppOptions,
): Promise<Deno.ServeHandler> {
  const { services, log, root = new URL("../", import.meta.url) } = options;
  const common: Common = {
    prepare: (ctx, headers) => services.prepare(ctx, headers),
    failed,
  };
  const handler = options.host === "npm"
    ? await npmHandler({ root, dev: options.dev, ...common })
    : await freshHandler(root, common);
  const { access, hosts, origin } = services.config;
  return guard(handler, { access, hosts, origin, log, nonceOf });
}

/** Serves the app on an address of its own; port 0 takes any free one. */
export async function startApp(
  options: AppOptions & { port: number; hostname: string },
): Promise<RunningApp> {
  const handler = await createHandler(options);
  const { port, hostname, services } = options;
  const server = Deno.serve({
    port,
    hostname,
    automaticCompression: true,
    // Thousands may come back at once (D03); the system has its own upper limit.
    tcpBacklog: 4096,
    onListen: () => {},
  }, handler);
  const close = async (graceMs?: number) => {
    const done = server.shutdown();
    await services.close(graceMs);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN);
    });
    await Promise.race([done, late]);
    clearTimeout(timer);
  };
  return {
    url: urlOf(server.addr),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/** The address people type, for what a server listens on. */
export function urlOf(addr: { hostname: string; port: number }): string {
  const any = addr.hostname === "0.0.0.0" || addr.hostname === "::";
  const host = any
    ? "localhost"
    : addr.hostname.includes(":")
    ? `[${addr.hostname}]`
    : addr.hostname;
  return `http://${host}:${addr.port}`;
}

/**
 * People get the error page, programs a problem. What happened is kept for the
 * log line the guard writes; an address that is not there is nobody's failure.
 */
function failed(error: unknown, ctx: HostContext<Visit>): Response | undefined {
  const { req, url } = ctx;
  const status = statusOf(error);
  if (status >= 500 || error instanceof HttpProblem) noteCause(req, error);
  if (!url.pathname.startsWith("/api/") && wants(req, "text/html")) return;
  if (status >= 500 || error instanceof HttpProblem) return problemOf(error);
  const code = status === 404
    ? "not_found"
    : status === 405
    ? "method_not_allowed"
    : "refused";
  return problem(status, code, statusWords(status, "en").hint);
}

/** Fresh leaves the nonce of a rendered page's scripts on the response. */
function nonceOf(response: Response): string | undefined {
  const nonce: unknown = Reflect.get(response, Symbol.for("__freshNonce"));
  return typeof nonce === "string" ? nonce : undefined;
}

// Each host is loaded only where it serves: its packages may not be there.

async function npmHandler(
  options: NpmHostOptions<Visit>,
): Promise<HostHandler> {
  const { createNpmHost } = await import("./mod.ts");
  return (await createNpmHost(options)).handler;
}

/**
 * Fresh sends style sheets with `no-store` and publishes esbuild's list of
 * sources; so `static/` is served as by the npm host, and the list is not.
 */
async function freshHandler(root: URL, common: Common): Promise<HostHandler> {
  const around = await surround({
    routes: new URL("routes/", root),
    ...common,
  });
  const statics = await readStaticFiles(new URL("static/", root));
  const entry = new URL("_fresh/server.js", root).href;
  const { default: built } = await import(entry);
  return around((req, info) => {
    const url = new URL(req.url);
    const file = statics.serve(req, url);
    if (file) return Promise.resolve(file);
    if (!url.pathname.endsWith("/metafile.json")) return built.fetch(req, info);
    return Promise.resolve(new Response(null, { status: 404 }));
  });
}
