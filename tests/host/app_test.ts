import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startApp } from "../helpers/app.ts";

const HTML = { accept: "text/html,*/*;q=0.8" };

Deno.test("what is not there is a page for people and a problem for programs", async () => {
  await using app = await startApp();
  const page = await fetch(`${app.url}/nope`, { headers: HTML });
  assertEquals(page.status, 404);
  assertStringIncludes(page.headers.get("content-type")!, "text/html");
  assertStringIncludes(
    page.headers.get("content-security-policy")!,
    "script-src 'self'",
  );
  assertStringIncludes(await page.text(), "</html>");

  for (const path of ["/nope", "/api/nope"]) {
    const problem = await fetch(`${app.url}${path}`);
    assertEquals(problem.status, 404);
    assertEquals((await problem.json()).code, "not_found");
  }
  const api = await fetch(`${app.url}/api/nope`, { headers: HTML });
  assertEquals(
    api.headers.get("content-type"),
    "application/problem+json",
  );
  await api.body?.cancel();
});

Deno.test("a method an address lacks is 405 with its own Allow, for people too", async () => {
  await using app = await startApp();
  const json = { "content-type": "application/json" };
  for (const headers of [json, { ...json, ...HTML }]) {
    const response = await fetch(`${app.url}/healthz`, {
      method: "POST",
      headers,
      body: "{}",
    });
    assertEquals(response.status, 405);
    assertEquals(response.headers.get("allow"), "GET, HEAD, OPTIONS");
    await response.body?.cancel();
  }
});

Deno.test("E16: neither sources nor the lists of the build are served", async () => {
  await using app = await startApp();
  const page = await (await fetch(app.url, { headers: HTML })).text();
  const script = /(\/_(?:npm|fresh)\/[^"]+\/|\/_npm\/)[\w-]+\.js/.exec(page)!;
  const paths = [
    "/deno.json",
    "/.git/HEAD",
    "/lib/config.ts",
    "/data/tickertape.db",
    `${script[1]}metafile.json`,
    `${script[1]}manifest.json`,
    `${script[0]}.map`,
  ];
  for (const path of paths) {
    const response = await fetch(`${app.url}${path}`);
    assertEquals([path, response.status], [path, 404]);
    await response.body?.cancel();
  }
  const code = await fetch(`${app.url}${script[0]}`);
  assertEquals(code.status, 200);
  assertStringIncludes(code.headers.get("cache-control")!, "immutable");
  assert(!(await code.text()).includes("sourceMappingURL"));
});

Deno.test("static files are tagged and may be kept, on either host", async () => {
  await using app = await startApp();
  const css = await fetch(`${app.url}/style.css`);
  assertEquals(css.headers.get("cache-control"), "no-cache");
  const etag = css.headers.get("etag")!;
  await css.body?.cancel();
  const again = await fetch(`${app.url}/style.css`, {
    headers: { "if-none-match": etag },
  });
  assertEquals(again.status, 304);
  assert(again.headers.has("x-content-type-options"));
});
