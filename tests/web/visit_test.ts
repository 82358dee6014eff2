/** Whose request it is, and how it is answered. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { identify } from "../../lib/access/mod.ts";
import { startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";

const request = (headers: HeadersInit = {}) =>
  new Request("http://127.0.0.1/", { headers });

Deno.test("identify() knows one person on loopback and sets no cookie", () => {
  const visitor = { owner: "local", setCookie: null };
  assertEquals(identify(request(), "loopback", false), visitor);
  const cookie = `tt_visitor=${"a".repeat(32)}`;
  assertEquals(identify(request({ cookie }), "loopback", false), visitor);
});

Deno.test("A07: identify() gives a new public visitor a cookie scripts cannot read, and knows it again", () => {
  for (const secure of [false, true]) {
    const first = identify(request(), "public", secure);
    assertMatch(first.setCookie!, /; ?HttpOnly/);
    assertMatch(first.setCookie!, /; ?SameSite=Lax/);
    assertEquals(first.setCookie!.startsWith("__Host-"), secure);
    assertEquals(/; ?Secure/.test(first.setCookie!), secure);
    const cookie = first.setCookie!.split(";")[0]!;
    const again = identify(request({ cookie }), "public", secure);
    assertEquals(again, { owner: first.owner, setCookie: null });
  }
});

Deno.test("identify() takes no made-up visitor and survives cookies that are none", () => {
  for (
    const cookie of ["tt_visitor=local", "tt_visitor=../x", "a=1;", ";;", "="]
  ) {
    const visitor = identify(request({ cookie }), "public", false);
    assertMatch(visitor.owner, /^visitor:[0-9a-f]{32}$/);
    assert(visitor.setCookie !== null);
  }
});

Deno.test("a page speaks the language of the cookie, else of the browser, else English", async () => {
  await using app = await startApp({ model: new PuppetModel() });
  const lang = async (headers: HeadersInit) => {
    const html = await (await fetch(app.url, { headers })).text();
    return /<html lang="([^"]+)"/.exec(html)![1];
  };
  assertEquals(
    (await lang({ "accept-language": "zh-TW,en;q=0.5" }))!.slice(0, 2),
    "zh",
  );
  assertEquals(await lang({ "accept-language": "fr,en;q=0.5,zh;q=0.4" }), "en");
  assertEquals(await lang({ "accept-language": "fr" }), "en");
  assertEquals(
    (await lang({ cookie: "tt_lang=zh", "accept-language": "en" }))!.slice(
      0,
      2,
    ),
    "zh",
  );
  assertEquals(await lang({ cookie: "a=1;" }), "en");
});
