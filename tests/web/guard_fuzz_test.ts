import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import * as z from "zod";
import { readJson } from "../../lib/web/body.ts";
import { problem } from "../../lib/web/problem.ts";
import { guarded } from "../helpers/guarded.ts";
import { assertFullHeaders } from "../helpers/raw_http.ts";

const RUNS = 2000;

/** `TT_SEED` repeats a failure. */
const seed = Number(Deno.env.get("TT_SEED") ?? Date.now() % 2 ** 31);

const schema = z.object({ text: z.string().max(1000) });

/** A host with a page, a stream, an API, a redirect and a fault. */
async function host(req: Request): Promise<Response> {
  const { pathname } = new URL(req.url);
  if (pathname === "/fault") throw new Error("canary");
  if (pathname === "/redirect") return Response.redirect(`${req.url}/x`);
  if (req.method !== "GET" && req.method !== "HEAD") {
    return Response.json(await readJson(req, schema));
  }
  if (pathname.startsWith("/api/runs")) {
    return new Response(
      new ReadableStream({ pull: () => new Promise(() => {}) }),
      { headers: { "content-type": "text/event-stream" } },
    );
  }
  if (pathname.startsWith("/api")) return problem(404, "not_found", "No.");
  return new Response("<p>", { headers: { "content-type": "text/html" } });
}

const methods = fc.oneof(
  { weight: 4, arbitrary: fc.constant("GET") },
  {
    weight: 8,
    arbitrary: fc.constantFrom("HEAD", "POST", "PUT", "DELETE", "OPTIONS"),
  },
  { weight: 1, arbitrary: fc.constantFrom("QUERY", "PROPFIND", "FOO") },
);
const part = fc.oneof(
  fc.constantFrom("api", "runs", "c", "fault", "redirect", "ask", "..", "."),
  fc.constantFrom("%00", "%2f", "%5c", "%0d%0a", "%E0%A4%A", "%zz", "", "a b"),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ maxLength: 12 }).map(encodeURIComponent),
);
const path = fc.oneof(
  fc.constantFrom(["api", "runs"], ["api", "x"], ["c", "x"], ["fault"], [
    "ask",
  ]),
  fc.array(part, { maxLength: 5 }),
);
const target = fc.tuple(
  path,
  fc.option(fc.string({ maxLength: 40 }), { nil: "" }),
).map(([parts, query]) => `/${parts.join("/")}?${query}`);
const value = fc.oneof(
  fc.constantFrom("null", "cross-site", "same-origin", "none", "*/*"),
  fc.constantFrom("application/json", "text/html", "text/plain", "zh,en;q=1"),
  fc.constantFrom("http://localhost", "https://evil.test", "localhost"),
  fc.string({ maxLength: 30 }),
);
const header = fc.tuple(
  fc.constantFrom(
    "host",
    "origin",
    "sec-fetch-site",
    "content-type",
    "accept",
    "accept-language",
    "cookie",
    "x-forwarded-host",
  ),
  value,
);
const body = fc.oneof(
  fc.json(),
  fc.string(),
  fc.record({ text: fc.string() }).map((body) => JSON.stringify(body)),
  fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
);

Deno.test(`G1: ${RUNS} random requests (seed ${seed}) get every header and no unexplained 5xx`, async () => {
  const { handler, logged } = guarded(host);
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(
      methods,
      target,
      fc.array(header, { maxLength: 5 }),
      body,
      async (method, target, pairs, body) => {
        const reads = method === "GET" || method === "HEAD";
        let req: Request;
        try {
          req = new Request("http://localhost/", {
            method,
            headers: pairs,
            ...(reads ? {} : { body }),
          });
        } catch {
          return; // not sendable at all
        }
        // The raw target, as Deno.serve hands it over, unlike `new Request`.
        Object.defineProperty(req, "url", {
          value: `http://localhost${target}`,
        });
        const res = await handler(req);
        statuses.set(res.status, (statuses.get(res.status) ?? 0) + 1);
        assertFullHeaders(res.headers);
        const stream = res.headers.get("content-type") === "text/event-stream";
        if (stream || res.body === null) {
          await res.body?.cancel();
        } else {
          const text = await res.text();
          assert(!text.includes("canary"), text);
        }
        if (res.status < 500) return;
        // The one fault the stub host has.
        const path = new URL(`http://localhost${target}`).pathname;
        assertEquals([res.status, path], [500, "/fault"]);
      },
    ),
    { numRuns: RUNS, seed },
  );
  // A run that only ever saw one kind of answer proved nothing.
  for (const status of [200, 204, 400, 403, 404, 405, 415, 421]) {
    assert(statuses.has(status), `no ${status} among ${[...statuses.keys()]}`);
  }
  const ids = logged().map((line) => line.id);
  assert(ids.length >= [...statuses.values()].reduce((a, b) => a + b, 0));
});
