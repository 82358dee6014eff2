import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { guarded, serveGuarded } from "../helpers/guarded.ts";
import { assertFullHeaders, raw } from "../helpers/raw_http.ts";

const ok = () => new Response("fine");
const html = (text = "<!doctype html><p>hello") =>
  new Response(text, { headers: { "content-type": "text/html" } });

Deno.test("E01: a path that is no UTF-8 is 400 with every header", async () => {
  await using server = serveGuarded(ok);
  for (const path of ["/c/%E0%A4%A", "/%", "/%zz", "/%ff", "/a%c0%afb"]) {
    const res = await raw(server.port, [
      `GET ${path} HTTP/1.1`,
      "host: 127.0.0.1",
    ]);
    assertEquals(res.status, 400, path);
    assertFullHeaders(res.headers);
    assertEquals(JSON.parse(res.body).code, "bad_path");
  }
  assertEquals(server.seen.length, 0);
});

Deno.test("E02: a method nobody knows is 405 with Allow; TRACE echoes nothing", async () => {
  await using server = serveGuarded(ok);
  const methods = ["QUERY", "PROPFIND", "TRACE", "FOO", "get", "LOCK"];
  for (const method of methods) {
    for (const path of ["/", "/api/runs", "/healthz", "/c/x", "/static/a.js"]) {
      const res = await raw(server.port, [
        `${method} ${path} HTTP/1.1`,
        "host: localhost",
        "x-canary: canary",
      ]);
      assertEquals(res.status, 405, `${method} ${path}`);
      assertFullHeaders(res.headers);
      assertStringIncludes(res.headers.get("allow") ?? "", "GET, HEAD, POST");
      assert(!res.body.includes("canary"));
    }
  }
  const connect = await raw(server.port, [
    "CONNECT evil.test:443 HTTP/1.1",
    "host: localhost",
  ]);
  assertEquals(connect.status, 405);
  assertEquals(server.seen.length, 0);
});

Deno.test("E03: every status carries the full header set, at every kind of path", async () => {
  const host = (req: Request) => {
    const url = new URL(req.url);
    const status = Number(url.pathname.split("/").at(-1));
    const body = [204, 304].includes(status) ? null : "x";
    return new Response(body, {
      status,
      headers: {
        "x-powered-by": "stub",
        "server": "stub",
        "content-security-policy": "default-src * 'unsafe-inline'",
        ...(url.pathname.startsWith("/page")
          ? { "content-type": "text/html; charset=utf-8" }
          : {}),
      },
    });
  };
  await using server = serveGuarded(host);
  const statuses = [
    ...[200, 204, 302, 304, 400, 401, 403, 404, 405, 413, 415, 429],
    ...[500, 503],
  ];
  for (const status of statuses) {
    for (const prefix of ["/page/", "/api/", "/file/"]) {
      const res = await fetch(`${server.url}${prefix}${status}`, {
        redirect: "manual",
      });
      assertEquals(res.status, status);
      const page = prefix === "/page/";
      assertFullHeaders(res.headers, page ? "page" : "file");
      const text = await res.text();
      if (prefix === "/api/" && status >= 400) {
        assertEquals(JSON.parse(text).status, status);
      } else if (status !== 204 && status !== 304) {
        assertEquals(text, "x");
      }
    }
  }
});

Deno.test("E03: a rendered page may run its own files and its nonce, nothing inline", async () => {
  const { handler } = guarded(() => html(), {
    nonceOf: () => "0123456789abcdef",
  });
  const res = await handler(new Request("http://127.0.0.1:8000/"));
  assertEquals(
    res.headers.get("content-security-policy"),
    "default-src 'none'; script-src 'self' 'nonce-0123456789abcdef'; " +
      "style-src 'self'; img-src 'self' data:; font-src 'self'; " +
      "connect-src 'self'; manifest-src 'self'; form-action 'self'; " +
      "base-uri 'none'; frame-ancestors 'none'",
  );
  const forged = guarded(() => html(), {
    nonceOf: () => "x'; script-src *",
  });
  const other = await forged.handler(new Request("http://127.0.0.1:8000/"));
  assertStringIncludes(
    other.headers.get("content-security-policy")!,
    "script-src 'self';",
  );
});

Deno.test("FR2: HTML from the API or offered as a download is no page", async () => {
  const { handler } = guarded((req) => {
    const res = html();
    if (req.url.endsWith("/download")) {
      res.headers.set("content-disposition", "attachment");
    }
    return res;
  });
  for (const path of ["/api/x", "/v1/x", "/download"]) {
    const res = await handler(new Request(`http://127.0.0.1${path}`));
    assertFullHeaders(res.headers, "file");
  }
});

Deno.test("E04: a redirect and an answer of fetch() pass, with headers", async () => {
  await using upstream = serveGuarded(() => new Response("from upstream"));
  await using server = serveGuarded(async (req) => {
    if (req.url.endsWith("/redirect")) {
      return Response.redirect("http://127.0.0.1/elsewhere", 302);
    }
    if (req.url.endsWith("/error")) return Response.error();
    return await fetch(upstream.url);
  });
  const moved = await fetch(`${server.url}/redirect`, { redirect: "manual" });
  assertEquals(moved.status, 302);
  assertEquals(moved.headers.get("location"), "http://127.0.0.1/elsewhere");
  assertFullHeaders(moved.headers);
  await moved.body?.cancel();
  const passed = await fetch(`${server.url}/upstream`);
  assertEquals([passed.status, await passed.text()], [200, "from upstream"]);
  assertFullHeaders(passed.headers);
  const broken = await fetch(`${server.url}/error`);
  assertEquals(broken.status, 500);
  assertFullHeaders(broken.headers);
  await broken.body?.cancel();
});

Deno.test("guard() hands a stream on as it is: the very same response", async () => {
  const stream = new Response(new ReadableStream(), {
    headers: { "content-type": "text/event-stream" },
  });
  const { handler } = guarded(() => stream);
  const res = await handler(new Request("http://127.0.0.1/api/x"));
  assert(res === stream);
  assertFullHeaders(res.headers, "file");
  await res.body!.cancel();
});

Deno.test("E07: paths with NUL, line breaks or encoded slashes never reach the host", async () => {
  await using server = serveGuarded(ok);
  const bad = ["%00", "a%0d%0aset-cookie:%20x", "..%2f", "..%5c", "a\\b"];
  const dots = ["../x", "a/../b", "%2e%2e/x", "./x", "a//b"];
  for (const part of [...bad, ...dots, "a%7f"]) {
    for (const prefix of ["/", "/api/runs/"]) {
      const res = await raw(server.port, [
        `GET ${prefix}${part} HTTP/1.1`,
        "host: 127.0.0.1",
      ]);
      assertEquals(res.status, 400, part);
      assertFullHeaders(res.headers);
    }
  }
  assertEquals(server.seen.length, 0);
  for (const path of ["/c/%E4%BD%A0", "/a%20b", "/a...b", "/.well-known/x"]) {
    const res = await fetch(`${server.url}${path}`);
    assertEquals([res.status, await res.text()], [200, "fine"]);
  }
});

Deno.test("E08: `GET //evil.test/` is 400, so nothing can redirect there", async () => {
  await using server = serveGuarded((req) =>
    Response.redirect(new URL(new URL(req.url).pathname + "/", req.url))
  );
  const res = await raw(server.port, [
    "GET //evil.test/ HTTP/1.1",
    "host: 127.0.0.1",
  ]);
  assertEquals([res.status, res.headers.get("location")], [400, null]);
});

Deno.test("E13: HEAD on a stream answers the head and leaves no stream", async () => {
  let open = 0;
  await using server = serveGuarded(() => {
    open++;
    return new Response(
      new ReadableStream({
        pull: () => new Promise(() => {}),
        cancel: () => void open--,
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  });
  for (let round = 0; round < 2; round++) {
    const res = await fetch(`${server.url}/api/runs/x/events`, {
      method: "HEAD",
    });
    assertEquals(res.status, 200);
    assertEquals(res.headers.get("content-type"), "text/event-stream");
    assertFullHeaders(res.headers);
    await res.body?.cancel();
    assertEquals(open, 0);
  }
  // Without Deno's server behind it, which ends the body of a HEAD by itself.
  const bare = await server.handler(
    new Request(`${server.url}/`, { method: "HEAD" }),
  );
  assertEquals([bare.body, open], [null, 0]);
  assertEquals(bare.headers.get("content-type"), "text/event-stream");
});

Deno.test("E14: no answer ever allows another origin, also not a preflight", async () => {
  await using server = serveGuarded(() =>
    new Response("x", {
      headers: {
        "access-control-allow-origin": "*",
        "access-control-allow-credentials": "true",
      },
    })
  );
  for (const method of ["OPTIONS", "GET"]) {
    const res = await raw(server.port, [
      `${method} /api/chats HTTP/1.1`,
      "host: 127.0.0.1",
      "origin: https://evil.test",
      "access-control-request-method: POST",
      "access-control-request-headers: content-type",
    ]);
    assertEquals(res.status, method === "GET" ? 200 : 204);
    assertFullHeaders(res.headers);
  }
  assertEquals(server.seen.length, 1);
});

Deno.test("E15: CL + TE, a 70 KB URL and 200 headers are refused; a long URL is 414", async () => {
  await using server = serveGuarded(ok);
  const both = await raw(server.port, [
    "POST /api/runs HTTP/1.1",
    "host: 127.0.0.1",
    "content-type: application/json",
    "content-length: 3",
    "transfer-encoding: chunked",
  ], "0\r\n\r\n");
  const longer = await raw(server.port, [
    `GET /?${"a".repeat(70_000)} HTTP/1.1`,
    "host: 127.0.0.1",
  ]);
  const many = await raw(server.port, [
    "GET / HTTP/1.1",
    "host: 127.0.0.1",
    ...Array.from({ length: 200 }, (_, at) => `x-${at}: a`),
  ]);
  // These three never leave Deno's HTTP layer (DN15).
  assertEquals([both.status, longer.status, many.status], [400, 400, 400]);
  const long = await raw(server.port, [
    `GET /?${"a".repeat(40_000)} HTTP/1.1`,
    "host: 127.0.0.1",
  ]);
  assertEquals(long.status, 414);
  assertFullHeaders(long.headers);
  assertEquals(server.seen.length, 0);
  const question = encodeURIComponent("几".repeat(2000));
  const asked = await fetch(`${server.url}/print_stream?question=${question}`);
  assertEquals([asked.status, await asked.text()], [200, "fine"]);
});

Deno.test("HSTS is sent where the public origin is https, and only there", async () => {
  for (const origin of [null, "http://a.test", "https://a.test"]) {
    const { handler } = guarded(ok, { origin });
    const res = await handler(new Request("http://localhost/"));
    assertEquals(
      res.headers.has("strict-transport-security"),
      origin === "https://a.test",
    );
  }
});

Deno.test("S03: the access log has method, path, status, time and id, never the query", async () => {
  const { handler, logged } = guarded(ok);
  const res = await handler(
    new Request("http://127.0.0.1/print_stream?question=secret", {
      headers: { referer: "http://127.0.0.1/?secret" },
    }),
  );
  const [line, ...more] = logged();
  assertEquals(more, []);
  assertEquals({ ...line, time: 0, ms: typeof line!.ms }, {
    time: 0,
    level: "info",
    event: "request",
    id: res.headers.get("x-request-id"),
    method: "GET",
    path: "/print_stream",
    status: 200,
    ms: "number",
  });
  await handler(new Request("http://127.0.0.1/%00?question=secret"));
  assertEquals(logged()[1]!.path, "/%00");
  assert(!JSON.stringify(logged()).includes("secret"));
  const silent = guarded(ok, { accessLog: false });
  await silent.handler(new Request("http://127.0.0.1/"));
  assertEquals(silent.logged(), []);
});
