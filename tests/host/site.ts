/**
 * The fixture site, copied to a folder of its own and served by the npm host.
 *
 * @module
 */
import { pathToFileURL as toFileUrl } from "node:url";
import { createNpmHost, type NpmHostOptions } from "../../host/mod.ts";

export interface SiteState {
  lang: string;
  title?: string;
  /** What the stream route notes. */
  log: string[];
}

/** Calls the host with a path; `Host` is the usual one. */
export type Visit = (path: string, init?: RequestInit) => Promise<Response>;

export interface Site extends AsyncDisposable {
  root: URL;
  visit: Visit;
  handler: (req: Request) => Promise<Response>;
  log: string[];
  failures: unknown[];
  reused: boolean;
}

export const FIXTURE = new URL("../fixtures/site/", import.meta.url);

/** Copies the fixture to a temporary folder. */
export async function copySite(): Promise<URL> {
  const dir = await Deno.makeTempDir({ prefix: "site-" });
  const root = toFileUrl(`${dir}/`);
  await copy(FIXTURE, root);
  return root;
}

/** Serves the fixture, or a copy changed by the test. Gone at the end of `using`. */
export async function openSite(
  options: Partial<NpmHostOptions<SiteState>> = {},
): Promise<Site> {
  const root = options.root ?? await copySite();
  const log: string[] = [];
  const failures: unknown[] = [];
  const { handler, reused } = await createNpmHost<SiteState>({
    root,
    prepare(ctx, headers) {
      Object.assign(ctx.state, { lang: "zh", log });
      headers.append("Set-Cookie", "visitor=1; Path=/");
    },
    failed(error, ctx) {
      failures.push(error);
      if (!ctx.url.pathname.startsWith("/api/")) return;
      const { status = 500 } = error as { status?: number };
      return Response.json({ status }, { status });
    },
    ...options,
  });
  return {
    root,
    handler,
    log,
    failures,
    reused,
    visit: (path, init) =>
      handler(new Request(`http://127.0.0.1:8000${path}`, init)),
    async [Symbol.asyncDispose]() {
      await Deno.remove(root, { recursive: true });
    },
  };
}

async function copy(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (name === "_npm") continue;
    const path = encodeURIComponent(name) + (isDirectory ? "/" : "");
    if (isDirectory) await copy(new URL(path, from), new URL(path, to));
    else await Deno.copyFile(new URL(path, from), new URL(path, to));
  }
}
