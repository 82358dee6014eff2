/**
 * The two hosts answer alike: the fixture site is served by Fresh and by the npm
 * host, and both are asked the same. Needs Fresh, so it runs where that serves.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";
import { createNpmHost } from "../../host/mod.ts";
import { type HostHandler, surround } from "../../host/surround.ts";
import { ROOT } from "../structure/imports.ts";
import { copySite, FIXTURE, type SiteState } from "./site.ts";

const FRESH = Deno.env.get("TICKERTAPE_SERVE_WITH") === "fresh";

const QUESTIONS: [method: string, path: string][] = [
  ["GET", "/"],
  ["HEAD", "/"],
  ["POST", "/"],
  ["GET", "/?note=%3C/script%3E%3C!--%E2%80%A8x"],
  ["GET", "/about"],
  ["GET", "/about/"],
  ["GET", "//about"],
  ["DELETE", "/about"],
  ["GET", "/form"],
  ["POST", "/form"],
  ["PUT", "/form"],
  ["GET", "/c/new"],
  ["GET", "/c/%E4%BD%A0%2Fx"],
  ["GET", "/c/a%20b"],
  ["GET", "/c/x/"],
  ["GET", "/c/x/y"],
  ["GET", "/nope"],
  ["GET", "/broken"],
  ["GET", "/redirect"],
  ["GET", "/api/items/7"],
  ["DELETE", "/api/items/7"],
  ["POST", "/api/items/7"],
  ["OPTIONS", "/api/items/7"],
  ["PUT", "/api/any"],
  ["GET", "/api/fail"],
  ["GET", "/api/nope"],
  ["HEAD", "/api/stream"],
];

/** What differs on purpose: how islands are marked and started. */
const OWN = [
  /<!--.*?-->/g,
  /<script.*?<\/script>/gs,
  /\?v=[0-9a-f]+/g,
  / nonce="[^"]*"/g,
];

async function ask(host: HostHandler, method: string, path: string) {
  const body = method === "POST" ? "hello" : undefined;
  const response = await host(
    new Request(`http://127.0.0.1:8000${path}`, { method, body }),
  );
  const text = await response.text();
  const headers = new Headers(response.headers);
  for (const name of ["link", "content-length"]) headers.delete(name);
  return {
    status: response.status,
    headers: Object.fromEntries(headers),
    text: OWN.reduce((rest, own) => rest.replace(own, ""), text),
  };
}

function common(log: string[]) {
  return {
    prepare(ctx: { state: SiteState }, headers: Headers) {
      Object.assign(ctx.state, { lang: "zh", log });
      headers.append("Set-Cookie", "visitor=1; Path=/");
    },
    failed(error: unknown, ctx: { url: URL }) {
      if (!ctx.url.pathname.startsWith("/api/")) return;
      const { status = 500 } = error as { status?: number };
      return Response.json({ status }, { status });
    },
  };
}

/** The fixture in place, built by Fresh into memory; `scratch` stays empty. */
async function freshHandler(scratch: URL): Promise<HostHandler> {
  // Not written out, so that nothing looks for Fresh where it is not.
  const [builder, entry] = ["fresh/dev", "../../main.ts"];
  const { Builder } = await import(builder);
  const { app } = await import(entry);
  const apply = await new Builder({
    root: fileURLToPath(ROOT),
    outDir: fileURLToPath(scratch),
    routeDir: fileURLToPath(new URL("routes/", FIXTURE)),
    islandDir: fileURLToPath(new URL("islands/", FIXTURE)),
    staticDir: fileURLToPath(new URL("static/", FIXTURE)),
  }).build({ snapshot: "memory" });
  apply(app);
  return app.handler();
}

Deno.test({
  name: "Fresh and the npm host answer the same requests alike",
  ignore: !FRESH,
  // Fresh's builder keeps esbuild's process.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const root = await copySite();
    try {
      const logs: { npm: string[]; fresh: string[] } = { npm: [], fresh: [] };
      const npm = (await createNpmHost({ root, ...common(logs.npm) })).handler;
      const around = await surround({
        routes: new URL("routes/", FIXTURE),
        ...common(logs.fresh),
      });
      const fresh = around(await freshHandler(new URL("_fresh/", root)));
      for (const [method, path] of QUESTIONS) {
        await t.step(`${method} ${path}`, async () => {
          assertEquals(
            await ask(fresh, method, path),
            await ask(npm, method, path),
          );
        });
      }
      assertEquals(logs.fresh, logs.npm);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});
