import { assert, assertEquals } from "@std/assert";
import { openSite } from "./site.ts";

Deno.test("static files carry a type and a tag, and 304 answers who has them", async () => {
  await using site = await openSite();
  const css = await site.visit("/styles.css");
  assertEquals(css.headers.get("content-type"), "text/css; charset=utf-8");
  assertEquals(css.headers.get("cache-control"), "no-cache");
  assertEquals(await css.text(), "body {\n  color: black;\n}\n");
  const etag = css.headers.get("etag")!;
  const again = await site.visit("/styles.css", {
    headers: { "if-none-match": `"x", ${etag}` },
  });
  assertEquals([again.status, again.body], [304, null]);
  const svg = await site.visit("/img/logo.svg", { method: "HEAD" });
  assertEquals(svg.headers.get("content-type"), "image/svg+xml");
  assertEquals(svg.body, null);
  const named = await site.visit(`/${encodeURIComponent("中 文")}.txt`);
  assertEquals(await named.text(), "中\n");
  const posted = await site.visit("/styles.css", { method: "POST" });
  assertEquals([posted.status, posted.headers.get("allow")], [
    405,
    "GET, HEAD",
  ]);
});

Deno.test("a page names its style sheet by content, and that address is cached for ever", async () => {
  await using site = await openSite();
  const html = await (await site.visit("/about")).text();
  const [, href] = /href="(\/styles\.css\?v=[0-9a-f]+)"/.exec(html)!;
  const css = await site.visit(href!);
  assertEquals(
    css.headers.get("cache-control"),
    "public, max-age=31536000, immutable",
  );
  await css.body?.cancel();
  const stale = await site.visit("/styles.css?v=0000");
  assertEquals(stale.headers.get("cache-control"), "no-cache");
  await stale.body?.cancel();
});

Deno.test("E16: nothing outside static/ is served, by any spelling", async () => {
  await using site = await openSite();
  const paths = [
    "/.git/HEAD",
    "/.env",
    "/.secret",
    "/deno.json",
    "/app.js.map",
    "/routes/index.tsx",
    "/static/styles.css",
    "/_npm/manifest.json",
    "/../deno.json",
    "/..%2fdeno.json",
    "/%2e%2e/deno.json",
    "/img/..%2f..%2fdeno.json",
    "/img/%2e%2e%2f%2e%2e%2froutes/index.tsx",
    "/..%5cdeno.json",
    "/styles.css%00",
    "/img/",
    "/img",
  ];
  for (const path of paths) {
    const response = await site.visit(path);
    assertEquals([path, response.status], [path, 404]);
    await response.body?.cancel();
  }
});

Deno.test("bundles are served for ever under their hash, without source maps", async () => {
  await using site = await openSite();
  const html = await (await site.visit("/")).text();
  const [, src] = /<script type="module" src="([^"]+)"/.exec(html)!;
  const script = await site.visit(src!);
  const code = await script.text();
  assertEquals(
    script.headers.get("content-type"),
    "text/javascript; charset=utf-8",
  );
  assert(script.headers.get("cache-control")!.endsWith("immutable"));
  assert(!code.includes("sourceMappingURL"));
  const gone = await site.visit("/_npm/_client-00000000.js");
  assertEquals(gone.status, 404);
  await gone.body?.cancel();
});
