/**
 * The npm host: serves a project's `routes/`, `islands/` and `static/` folders
 * by Fresh's conventions from npm packages alone, for networks that cannot
 * reach JSR. Routes and islands cannot tell the difference.
 *
 * @module
 */
import { Hono } from "hono";
import { build, islandFiles } from "./build.ts";
import { HttpError, statusOf } from "./http_error.ts";
import type { Island } from "./islands.ts";
import { type PageComponent, renderPage } from "./render.ts";
import { paramsOf, readRoutes, type RouteTable } from "./route_table.ts";
import { readStaticFiles, serveBundle } from "./static_files.ts";
import {
  type HostContext,
  type HostHandler,
  inside,
  type RouteModule,
  surround,
  type SurroundOptions,
} from "./surround.ts";

export { HttpError } from "./http_error.ts";

export interface NpmHostOptions<State>
  extends Omit<SurroundOptions<State>, "routes"> {
  /** The project folder, ending in a slash. */
  root: URL;
  /** Readable bundles with source maps. */
  dev?: boolean;
}

export interface NpmHost {
  handler: HostHandler;
  /** True when the bundles of an earlier start were still good. */
  reused: boolean;
}

/** What routes and pages are given. */
interface Context extends HostContext<Record<string, unknown>> {
  error: unknown;
  info?: Deno.ServeHandlerInfo;
}

interface Env {
  Bindings: { url: URL; info?: Deno.ServeHandlerInfo };
}

type Handle = (ctx: Context) => unknown;

/**
 * Builds the islands (or finds them built), loads every route, and answers a
 * handler. Nothing listens yet.
 *
 * @throws {Error} when a route file is not served by both hosts, an island
 * cannot be built, or a module does not load.
 */
export async function createNpmHost<State>(
  options: NpmHostOptions<State>,
): Promise<NpmHost> {
  const { root } = options;
  const routesDir = new URL("routes/", root);
  const table = await readRoutes(routesDir);
  const around = await surround({ ...options, routes: routesDir });
  const modules = await loadRoutes(table);
  const statics = await readStaticFiles(new URL("static/", root));
  const bundles = await build(options);
  const islands = await registry(root, bundles.islands);
  const app = modules.get(table.app?.href)?.default as
    | PageComponent
    | undefined;

  async function respond(
    module: RouteModule,
    ctx: Context,
    status: number,
  ): Promise<Response> {
    const page = module.default as PageComponent | undefined;
    const result = await handle(module, ctx);
    if (result instanceof Response) return result;
    if (typeof result !== "object" || result === null) {
      throw new TypeError(
        `Cannot answer "${ctx.url.pathname}": its handler must give a Response or { data }`,
      );
    }
    const { data, status: own, headers } = result as {
      data?: unknown;
      status?: number;
      headers?: HeadersInit;
    };
    const drawn = await renderPage({
      page,
      app,
      props: { ...ctx, data },
      islands,
      client: bundles.client,
      version: statics.version,
    });
    if (drawn instanceof Response) return drawn;
    const all = new Headers(headers);
    all.set("Content-Type", "text/html; charset=utf-8");
    for (const address of drawn.modules) {
      all.append("Link", `<${address}>; rel="modulepreload"; as="script"`);
    }
    return new Response(drawn.html, { status: own ?? status, headers: all });
  }

  /** Runs a route, or draws what went wrong. */
  async function answer(
    pattern: string | null,
    module: RouteModule | undefined,
    req: Request,
    { url, info }: Env["Bindings"],
  ): Promise<Response> {
    const ctx: Context = {
      req,
      url,
      info,
      params: {},
      state: {},
      route: pattern,
      error: null,
    };
    try {
      if (pattern !== null) {
        Object.assign(ctx, { params: readParams(pattern, url) });
      }
      return await inside(ctx, async () => {
        if (module === undefined) throw new HttpError(404);
        return await respond(module, ctx, 200);
      });
    } catch (error) {
      ctx.error = error;
      const status = statusOf(error);
      const page = modules.get(
        (status === 404 && table.notFound || table.error)?.href,
      );
      if (page === undefined) return plain(status);
      try {
        return await respond({ default: page.default }, ctx, status);
      } catch (second) {
        return options.failed?.(second, ctx as HostContext<State>) ??
          plain(status);
      }
    }
  }

  const fixed = new Set(
    table.routes.map((route) => route.pattern).filter((p) => !p.includes(":")),
  );
  const hono = new Hono<Env>({
    // The raw path: parameters are decoded by Fresh's rule, not by Hono's.
    getPath: (_req, { env } = {}) => pathOf(env!.url, fixed),
  });
  for (const { pattern, file } of table.routes) {
    const module = modules.get(file.href);
    hono.all(pattern, (c) => answer(pattern, module, c.req.raw, c.env));
  }
  hono.notFound((c) => answer(null, undefined, c.req.raw, c.env));

  const handler = around(async (req, info) => {
    const url = new URL(req.url);
    url.pathname = url.pathname.replace(/\/+/g, "/");
    return serveBundle(bundles.files, req, url) ?? statics.serve(req, url) ??
      await hono.fetch(req, { url, info });
  });
  return { handler, reused: bundles.reused };
}

/** The handler for this request's method; a page without one is drawn with no data. */
async function handle(module: RouteModule, ctx: Context): Promise<unknown> {
  const handler = module.handlers ?? module.handler;
  if (typeof handler === "function") return await handler(ctx);
  const byMethod = (handler ?? {}) as Record<string, Handle | undefined>;
  const { method } = ctx.req;
  const run = byMethod[method] ??
    (method === "HEAD" ? byMethod.GET : undefined);
  return run ? await run(ctx) : { data: {} };
}

function readParams(pattern: string, url: URL): Record<string, string> {
  try {
    return paramsOf(pattern, url.pathname);
  } catch {
    throw new HttpError(400);
  }
}

/** A fixed address also answers with a slash at its end, as in Fresh. */
function pathOf(url: URL, fixed: ReadonlySet<string>): string {
  const { pathname } = url;
  const trimmed = pathname.replace(/(.)\/$/, "$1");
  return fixed.has(trimmed) ? trimmed : pathname;
}

function plain(status: number): Response {
  const text = status < 500
    ? "This address cannot be answered."
    : "Something went wrong on the server.";
  return new Response(text, { status });
}

async function loadRoutes(
  table: RouteTable,
): Promise<Map<string | undefined, RouteModule>> {
  const files = [
    ...table.routes.map((route) => route.file),
    table.app,
    table.error,
    table.notFound,
  ].filter((file) => file !== undefined);
  return new Map(
    await Promise.all(files.map(async (file) => {
      const module: RouteModule = await import(file.href);
      if (!module.default && !module.handler && !module.handlers) {
        throw new Error(
          `Cannot serve "${file.pathname}": it exports neither a component nor a handler`,
        );
      }
      return [file.href, module] as const;
    })),
  );
}

/** Every function an island file exports is an island, as in Fresh. */
async function registry(
  root: URL,
  urls: ReadonlyMap<string, string>,
): Promise<Map<unknown, Island>> {
  const islands = new Map<unknown, Island>();
  for (const [name, file] of await islandFiles(root)) {
    const module: Record<string, unknown> = await import(file.href);
    for (const [exportName, component] of Object.entries(module)) {
      if (typeof component !== "function") continue;
      const full = exportName === "default" ? name : `${name}.${exportName}`;
      islands.set(component, { name: full, url: urls.get(name)!, exportName });
    }
  }
  return islands;
}
