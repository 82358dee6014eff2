/**
 * The standard-library names of the import map mean the same on both hosts:
 * this file passes with the JSR packages and with `host/std`.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  AssertionError,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { deleteCookie, getCookies, setCookie } from "@std/http/cookie";
import { accepts, acceptsLanguages } from "@std/http/negotiation";
import { FakeTime } from "@std/testing/time";

Deno.test("assertEquals() takes a row without prototype for a plain object", () => {
  assertEquals(Object.assign(Object.create(null), { a: 1 }), { a: 1 });
  assertNotEquals<unknown>({ a: undefined }, {});
  assertEquals(new Map([["k", [1]]]), new Map([["k", [1]]]));
  assertNotEquals(new Uint8Array([1]), new Uint8Array([2]));
});

Deno.test("assertEquals() shows both values when they differ", () => {
  const error = assertThrows(
    () => assertEquals<unknown>({ name: "zhan" }, { name: "站" }),
    AssertionError,
  );
  assertStringIncludes(error.message, "zhan");
  assertStringIncludes(error.message, "站");
});

Deno.test("assertRejects() tells a throw from a rejection, and one error from another", async () => {
  const range = await assertRejects(
    () => Promise.reject(new RangeError("too far")),
    RangeError,
    "far",
  );
  assertEquals(range.message, "too far");
  await assertRejects(
    () => assertRejects(() => Promise.resolve()),
    AssertionError,
  );
  await assertRejects(
    () =>
      assertRejects(() => {
        throw new Error("at once");
      }),
    AssertionError,
  );
  assertThrows(
    () =>
      assertThrows(() => {
        throw new Error("other");
      }, TypeError),
    AssertionError,
  );
});

Deno.test("cookies survive the way out and in, and bad ones are refused", () => {
  const headers = new Headers();
  setCookie(headers, {
    name: "__Host-visitor",
    value: "abc",
    httpOnly: true,
    sameSite: "Lax",
    maxAge: 60,
  });
  assertEquals(
    headers.get("set-cookie"),
    "__Host-visitor=abc; Secure; HttpOnly; Max-Age=60; SameSite=Lax; Path=/",
  );
  const sent = new Headers({ cookie: "a=1; b=x=y; __proto__=2" });
  const got = getCookies(sent);
  assertEquals([got.a, got.b, got.__proto__ as unknown], ["1", "x=y", "2"]);
  assertThrows(() => setCookie(headers, { name: "a", value: "x;y" }));
  assertThrows(() => setCookie(headers, { name: "a b", value: "" }));
  const gone = new Headers();
  deleteCookie(gone, "a", { path: "/" });
  assertStringIncludes(gone.get("set-cookie")!, "Expires=Thu, 01 Jan 1970");
});

Deno.test("accepts() and acceptsLanguages() follow weights and order", () => {
  const wants = (name: string, value: string) => ({
    headers: new Headers({ [name]: value }),
  });
  const stream = wants("accept", "text/html;q=0.5, text/event-stream");
  assertEquals(
    accepts(stream, "text/html", "text/event-stream"),
    "text/event-stream",
  );
  assertEquals(accepts(wants("accept", "image/png"), "text/html"), undefined);
  assertEquals(accepts({ headers: new Headers() }, "text/html"), "text/html");
  const zh = wants("accept-language", "fr, zh-CN;q=0.9, en;q=0.8");
  assertEquals(acceptsLanguages(zh, "en", "zh"), "zh");
  const none = wants("accept-language", "fr;q=1, *;q=0");
  assertEquals(acceptsLanguages(none, "en", "zh"), undefined);
  assertEquals(acceptsLanguages(zh), ["fr", "zh-CN", "en"]);
  assertEquals(accepts(stream), ["text/event-stream", "text/html"]);
  assertEquals(accepts({ headers: new Headers() }), ["*/*"]);
});

Deno.test("FakeTime moves timers, dates and AbortSignal.timeout, and gives them back", async () => {
  const real = globalThis.setTimeout;
  const seen: string[] = [];
  {
    using time = new FakeTime("2026-03-02T07:00:00Z");
    const start = time.now;
    setTimeout(() => seen.push(`late ${Date.now() - start}`), 500);
    const every = setInterval(() => seen.push("beat"), 200);
    const signal = AbortSignal.timeout(450);
    time.tick(199);
    assertEquals(seen, []);
    time.tick(300);
    assertEquals(seen, ["beat", "beat"]);
    assert(signal.aborted);
    assertEquals(signal.reason.name, "TimeoutError");
    Promise.resolve().then(() => setTimeout(() => seen.push("chained"), 1));
    await time.tickAsync(1);
    assertEquals(seen.slice(2).sort(), ["chained", "late 500"]);
    clearInterval(every);
    assertEquals(await time.nextAsync(), false);
    clearTimeout(undefined);
    assertEquals(new Date().toISOString(), "2026-03-02T07:00:00.500Z");
  }
  assert(globalThis.setTimeout === real);
  assert(Math.abs(Date.now() - performance.timeOrigin) < 3_600_000_000);
});
