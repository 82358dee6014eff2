import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  HttpProblem,
  noteCause,
  problem,
  problemOf,
} from "../../lib/web/problem.ts";
import { guarded } from "../helpers/guarded.ts";
import { assertFullHeaders } from "../helpers/raw_http.ts";

Deno.test("P03: a throw becomes a generic 500 whose id finds the cause in the log", async () => {
  const throws: (() => Response)[] = [
    () => {
      throw new Error("canary: no such table", { cause: "canary" });
    },
    () => {
      throw "canary";
    },
    () => undefined as unknown as Response,
    () => {
      const used = new Response("canary");
      used.body!.cancel();
      return used;
    },
  ];
  for (const host of throws) {
    const { handler, logged } = guarded(host);
    const res = await handler(new Request("http://127.0.0.1/api/chats?q=no"));
    assertEquals(res.status, 500);
    assertFullHeaders(res.headers);
    const text = await res.text();
    assert(!text.includes("canary") && !text.includes("at "), text);
    const { id, code } = JSON.parse(text);
    assertEquals(code, "internal");
    assertEquals(id, res.headers.get("x-request-id"));
    const line = logged().find((line) => line.level === "error")!;
    assertEquals([line.event, line.id], ["request failed", id]);
    assert(String(line.cause).length > 5);
  }
});

Deno.test("P03: what a host's error hook noted is logged under the id of its answer", async () => {
  const { handler, logged } = guarded((req) => {
    const error = new Error("disk is full");
    noteCause(req, error);
    return problemOf(error);
  });
  const res = await handler(new Request("http://127.0.0.1/api/x"));
  const { id } = await res.json();
  assertEquals(id, res.headers.get("x-request-id"));
  const line = logged().find((line) => line.level === "error")!;
  assertEquals([line.id, line.cause], [id, "Error: disk is full"]);
});

Deno.test("guard() turns a thrown HttpProblem into its answer and logs the reason", async () => {
  const { handler, logged } = guarded(() => {
    throw new HttpProblem(409, "run_active", "Still answering.", {
      headers: { "retry-after": "1" },
      members: { run_id: "r_1", status: 200 },
      cause: new Error("why"),
    });
  });
  const res = await handler(new Request("http://127.0.0.1/api/x"));
  assertEquals(res.status, 409);
  assertEquals(res.headers.get("retry-after"), "1");
  const body = await res.json();
  assertEquals(
    [body.code, body.status, body.run_id, body.detail],
    ["run_active", 409, "r_1", "Still answering."],
  );
  assertEquals(logged().map((line) => [line.event, line.reason]), [
    ["request", "run_active: why"],
  ]);
});

Deno.test("guard() leaves a host's own error page alone, and answers programs with problems", async () => {
  const { handler } = guarded(() =>
    new Response("<h1>Lost</h1>", {
      status: 404,
      headers: { "content-type": "text/html" },
    })
  );
  const headers = { accept: "text/html" };
  const page = await handler(
    new Request("http://127.0.0.1/nowhere", { headers }),
  );
  assertEquals([page.status, await page.text()], [404, "<h1>Lost</h1>"]);
  assertFullHeaders(page.headers, "page");
  const api = await handler(
    new Request("http://127.0.0.1/api/nowhere", { headers }),
  );
  assertEquals(api.headers.get("content-type"), "application/problem+json");
  assertEquals((await api.json()).code, "not_found");
});

Deno.test("guard() shows people a page for what it refuses, in their language", async () => {
  const { handler } = guarded(() => problem(404, "no_such_chat", "No <chat>."));
  const get = (url: string, language: string) =>
    handler(
      new Request(url, {
        headers: { accept: "text/html,*/*", "accept-language": language },
      }),
    );
  const zh = await get("http://evil.test/", "zh-CN,zh;q=0.9,en;q=0.8");
  assertEquals(zh.status, 421);
  assertFullHeaders(zh.headers, "refusal");
  const text = await zh.text();
  assertStringIncludes(text, '<html lang="zh">');
  assertStringIncludes(text, zh.headers.get("x-request-id")!);
  assert(!text.includes("evil"));
  const en = await get("http://127.0.0.1/c/x", "en-GB,zh;q=0.5");
  assertEquals(en.status, 404);
  assertFullHeaders(en.headers, "refusal");
  assertStringIncludes(await en.text(), "<p>No &#60;chat&#62;.</p>");
});
