import { assert, assertEquals, assertRejects } from "@std/assert";
import { createNpmHost } from "../../host/mod.ts";
import { paramsOf, readRoutes } from "../../host/route_table.ts";
import { copySite, openSite } from "./site.ts";

Deno.test("readRoutes() puts fixed addresses before those with parameters", async () => {
  const { routes, app, error } = await readRoutes(
    new URL("../fixtures/site/routes/", import.meta.url),
  );
  const patterns = routes.map((route) => route.pattern);
  assertEquals(patterns, [
    "/",
    "/about",
    "/api/any",
    "/api/fail",
    "/api/stream",
    "/broken",
    "/c/new",
    "/form",
    "/redirect",
    "/unplain",
    "/api/items/:item",
    "/c/:chat",
  ]);
  assert(app?.pathname.endsWith("/routes/_app.tsx"));
  assert(error?.pathname.endsWith("/routes/_error.tsx"));
});

Deno.test("paramsOf() decodes letters and leaves what would split the path", () => {
  const params = paramsOf("/c/:chat/of/:who", "/c/%E4%BD%A0%2Fx/of/a%20b");
  assertEquals({ ...params }, { chat: "你%2Fx", who: "a b" });
});

Deno.test("the host refuses a route file that Fresh and we would not serve alike", async (t) => {
  const cases: [string, RegExp][] = [
    ["routes/[...rest].tsx", /neither a plain name nor \[param\]/],
    ["routes/(group)/page.tsx", /neither a plain name nor \[param\]/],
    ["routes/_layout.tsx", /neither a plain name nor \[param\]/],
    ["routes/about/index.tsx", /two route files answer it/],
    ["routes/c/[other].tsx", /two route files answer it/],
  ];
  for (const [path, says] of cases) {
    await t.step(path, async () => {
      const root = await copySite();
      try {
        const file = new URL(path, root);
        await Deno.mkdir(new URL(".", file), { recursive: true });
        await Deno.writeTextFile(file, "export default () => null;\n");
        const error = await assertRejects(
          () => createNpmHost({ root, prepare: () => {} }),
          Error,
        );
        assert(says.test(error.message), error.message);
      } finally {
        await Deno.remove(root, { recursive: true });
      }
    });
  }
});

Deno.test("the host draws pages in _app, with the state a route set", async () => {
  await using site = await openSite();
  const response = await site.visit("/");
  const html = await response.text();
  assertEquals(response.status, 200);
  assertEquals(
    response.headers.get("content-type"),
    "text/html; charset=utf-8",
  );
  assert(html.startsWith('<!DOCTYPE html><html lang="zh"><head><title>Home'));
  assert(html.includes("<main><h1>Home</h1>"));
  const about = await (await site.visit("/about")).text();
  assert(about.includes("<title>Fixture</title>"));
  assert(about.includes("<p>About this site</p>"), "an asynchronous page");
});

Deno.test("the host matches fixed addresses first and forgives slashes as Fresh does", async () => {
  await using site = await openSite();
  const text = async (path: string) => await (await site.visit(path)).text();
  assert((await text("/c/new")).includes("a new chat"));
  assert((await text("/c/%E4%BD%A0%2Fx")).includes("chat 你%2Fx"));
  assert((await text("/about/")).includes("About this site"));
  assert((await text("//about")).includes('data-path="/about"'));
  assertEquals((await site.visit("/c/x/")).status, 404);
  assertEquals((await site.visit("/c/x/y")).status, 404);
});

Deno.test("a handler is asked by method; its data, status and headers are used", async () => {
  await using site = await openSite();
  const posted = await site.visit("/form", { method: "POST", body: "hello" });
  assertEquals(posted.status, 201);
  assertEquals(posted.headers.get("x-saved"), "yes");
  assert((await posted.text()).includes("<p>hello</p>"));
  const shown = await site.visit("/form");
  assert((await shown.text()).includes("nothing yet"), "a page without GET");
  const any = await site.visit("/api/any", { method: "PUT" });
  assertEquals(await any.text(), "PUT");
});

Deno.test("a method the route lacks is 405 with Allow, OPTIONS is answered", async () => {
  await using site = await openSite();
  const cases: [string, string, string][] = [
    ["/", "POST", "GET, HEAD, OPTIONS"],
    ["/about", "DELETE", "GET, HEAD, OPTIONS"],
    ["/form", "PUT", "POST, GET, HEAD, OPTIONS"],
    ["/api/items/1", "POST", "GET, DELETE, HEAD, OPTIONS"],
  ];
  for (const [path, method, allow] of cases) {
    const response = await site.visit(path, { method });
    assertEquals([path, response.status], [path, 405]);
    assertEquals(response.headers.get("allow"), allow);
    await response.body?.cancel();
    const options = await site.visit(path, { method: "OPTIONS" });
    assertEquals(options.status, 204);
    assertEquals(options.headers.get("allow"), allow);
  }
});

Deno.test("E13: HEAD is GET without a body, and leaves no stream behind", async () => {
  await using site = await openSite();
  const page = await site.visit("/", { method: "HEAD" });
  assertEquals([page.status, page.body], [200, null]);
  const stream = await site.visit("/api/stream", { method: "HEAD" });
  assertEquals(stream.headers.get("content-type"), "text/event-stream");
  assertEquals(stream.body, null);
  assertEquals(site.log, ["open", "cancelled"]);
});

Deno.test("a failure is a page for people and whatever `failed` says for programs", async () => {
  await using site = await openSite();
  const missing = await site.visit("/nope");
  assertEquals(missing.status, 404);
  assert((await missing.text()).includes("404 in zh"));
  const broken = await site.visit("/broken");
  const html = await broken.text();
  assertEquals(broken.status, 500);
  assert(html.includes("500 in zh") && !html.includes("secret detail"));
  const api = await site.visit("/api/fail");
  assertEquals([api.status, await api.json()], [500, { status: 500 }]);
  const none = await site.visit("/api/nope");
  assertEquals([none.status, await none.json()], [404, { status: 404 }]);
  const malformed = await site.visit("/c/%E0%A4%A");
  assertEquals(malformed.status, 400);
  await malformed.body?.cancel();
  assertEquals(site.failures.length, 4);
});

Deno.test("an error page that fails is a plain sentence, and both failures are seen", async () => {
  const root = await copySite();
  await Deno.writeTextFile(
    new URL("routes/_error.tsx", root),
    'export default () => { throw new Error("again"); };\n',
  );
  await using site = await openSite({ root });
  const response = await site.visit("/broken");
  assertEquals(response.status, 500);
  assertEquals(await response.text(), "Something went wrong on the server.");
  const messages = site.failures.map((error) => (error as Error).message);
  assertEquals(messages, ["secret detail", "again"]);
});

Deno.test("headers set before a route go out with every response, fixed ones too", async () => {
  await using site = await openSite();
  for (const path of ["/", "/nope", "/broken", "/redirect", "/api/items/1"]) {
    const response = await site.visit(path);
    assertEquals(
      [path, response.headers.get("set-cookie")],
      [path, "visitor=1; Path=/"],
    );
    await response.body?.cancel();
  }
  const redirect = await site.visit("/redirect");
  assertEquals(redirect.status, 302);
  assertEquals(
    redirect.headers.get("location"),
    "http://127.0.0.1:8000/about",
  );
});
