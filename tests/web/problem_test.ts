import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  api,
  causeOf,
  HttpProblem,
  problem,
  problemOf,
} from "../../lib/web/problem.ts";
import { StoreError } from "../../lib/store/mod.ts";
import type { RouteContext } from "../../lib/web/route.ts";
import { preferredLanguage, statusWords } from "../../lib/web/words.ts";

Deno.test("problem() is problem+json with title, status, detail, code and an id", async () => {
  const res = problem(409, "run_active", "Still answering.", {
    headers: { "retry-after": "1", "content-type": "text/html" },
    members: { run_id: "r_1", code: "forged", id: "forged" },
  });
  assertEquals(res.status, 409);
  assertEquals(res.headers.get("content-type"), "application/problem+json");
  assertEquals(res.headers.get("retry-after"), "1");
  assertEquals(res.headers.get("cache-control"), "no-store");
  const id = res.headers.get("x-request-id")!;
  assertMatch(id, /^[0-9a-f]{16}$/);
  assertEquals(await res.json(), {
    type: "about:blank",
    title: "In conflict",
    status: 409,
    detail: "Still answering.",
    code: "run_active",
    id,
    run_id: "r_1",
  });
});

Deno.test("problemOf() shows an HttpProblem's words, and nothing of any other error", async () => {
  const known = problemOf(
    new HttpProblem(507, "storage_full", "No space left.", {
      cause: new Error("canary"),
    }),
    "0123456789abcdef",
  );
  const text = await known.text();
  assertEquals(known.status, 507);
  assertStringIncludes(text, '"detail":"No space left."');
  assertStringIncludes(text, '"id":"0123456789abcdef"');
  assert(!text.includes("canary"));
  for (const error of [new Error("canary"), "canary", { status: 404 }, null]) {
    const res = problemOf(error);
    assertEquals(res.status, 500);
    const body = await res.text();
    assertStringIncludes(body, '"code":"internal"');
    assert(!body.includes("canary"));
  }
});

Deno.test("safety R24: problemOf() calls a store that cannot answer unavailable, without its words", async () => {
  const error = new StoreError("busy", "Cannot read /somewhere/tape.db");
  const res = problemOf(error);
  assertEquals(res.status, 503);
  const { code, detail } = await res.json();
  assertEquals(code, "store_unavailable");
  assert(!detail.includes("somewhere"));
});

Deno.test("api() turns what a handler throws into a problem", async () => {
  const handlers = api({
    GET() {
      throw new HttpProblem(404, "no_such_run", "There is no such run.");
    },
    POST: () => Promise.reject(new Error("canary")),
    DELETE: () => new Response("gone"),
  });
  const req = new Request("http://localhost/api/x");
  const ctx = { req } as RouteContext;
  const status = async (method: "GET" | "POST" | "DELETE") =>
    (await handlers[method]!(ctx) as Response).status;
  assertEquals(await status("GET"), 404);
  assertEquals(await status("POST"), 500);
  assertEquals((causeOf(req) as Error).message, "canary");
  assertEquals(await status("DELETE"), 200);
  assertEquals(Object.keys(handlers), ["GET", "POST", "DELETE"]);
});

Deno.test("statusWords() has words for every status in both languages", () => {
  for (let status = 400; status < 600; status++) {
    const en = statusWords(status, "en"), zh = statusWords(status, "zh");
    assert(en.title !== "" && en.hint !== "");
    assertMatch(zh.title, /\p{Script=Han}/u);
    assertMatch(zh.hint, /\p{Script=Han}/u);
  }
});

Deno.test("preferredLanguage() is Chinese where it is preferred to English", () => {
  const cases: [string | null, string][] = [
    [null, "en"],
    ["", "en"],
    ["*", "en"],
    ["fr", "en"],
    ["zh", "zh"],
    ["zh-Hant-TW,en;q=0.9", "zh"],
    ["en-US,en;q=0.9,zh;q=0.8", "en"],
    ["en;q=0.3, ZH-cn;q=0.7", "zh"],
    ["fr,zh;q=0.5,en;q=0.4", "zh"],
    ["zh,en", "zh"],
    ["en,zh", "en"],
    ["zh;q=0,en;q=0.1", "en"],
    ["zh;q=abc", "en"],
    ["zhx", "en"],
    [";;;,,,=".repeat(5000), "en"],
  ];
  for (const [header, lang] of cases) {
    assertEquals(preferredLanguage(header), lang, String(header).slice(0, 40));
  }
});
