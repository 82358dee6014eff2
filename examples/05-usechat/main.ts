/**
 * A React page with `useChat` of the AI SDK, unchanged, in front of Tickertape.
 *
 * ```sh
 * deno run -A --config deno.npm.json examples/05-usechat/main.ts
 * ```
 *
 * Starts a Tickertape, too; one that runs already may be named behind it
 * (`main.ts http://127.0.0.1:8000`). What a tool may do is allowed on
 * Tickertape's own page, where the same chats are.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { startApp } from "../../host/app.ts";
import { readConfig } from "../../lib/config.ts";
import { createLog } from "../../lib/log.ts";
import { createServices } from "../../lib/services.ts";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function startTickertape(): Promise<string> {
  const env = { TICKERTAPE_DATA: "data/usechat", ...Deno.env.toObject() };
  const log = createLog({ level: "error" });
  const services = await createServices(readConfig(env), log);
  const address = { hostname: "127.0.0.1", port: 0 };
  return (await startApp({ services, log, host: "npm", ...address })).url;
}

async function bundlePage(): Promise<Uint8Array<ArrayBuffer>> {
  // Not before Tickertape has started, which sets how esbuild is loaded.
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    entryPoints: [file("page.tsx")],
    bundle: true,
    format: "esm",
    jsx: "automatic",
    jsxImportSource: "react",
    define: { "process.env.NODE_ENV": '"production"' },
    write: false,
  });
  await esbuild.stop();
  return new Uint8Array(outputFiles[0]!.contents);
}

const tickertape = Deno.args[0] ?? await startTickertape();
const script = await bundlePage();
const page = await Deno.readTextFile(file("index.html"));
// Tickertape answers only pages of its own origin, and compares it with the Host.
const asItCame: RequestInit & { client: Deno.HttpClient } = {
  client: Deno.createHttpClient({ allowHost: true }),
  redirect: "manual",
};

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.env.get("PORT") ?? 3000),
  onListen: ({ port }) =>
    console.log(
      `Page        http://127.0.0.1:${port}\nTickertape  ${tickertape}`,
    ),
}, (request) => {
  const { pathname, search } = new URL(request.url);
  if (pathname.startsWith("/api/")) {
    return fetch(
      new Request(tickertape + pathname + search, request),
      asItCame,
    );
  }
  const [body, type] = pathname === "/page.js"
    ? [script, "text/javascript"]
    : [page, "text/html; charset=utf-8"];
  return new Response(body, { headers: { "content-type": type } });
});
