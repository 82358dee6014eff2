import { assertEquals, assertStringIncludes } from "@std/assert";
import type { HostRules } from "../../lib/web/hosts.ts";
import { guarded, serveGuarded } from "../helpers/guarded.ts";
import { assertFullHeaders, raw } from "../helpers/raw_http.ts";

const ok = () => new Response("fine");
const JSON_TYPE = { "content-type": "application/json" };

async function statusFor(
  host: string,
  rules: Partial<HostRules> = {},
): Promise<number> {
  await using server = serveGuarded(ok, rules);
  const res = await raw(server.port, ["GET / HTTP/1.1", `host: ${host}`]);
  assertFullHeaders(res.headers);
  assertEquals(server.seen.length, res.status === 200 ? 1 : 0);
  return res.status;
}

Deno.test("E11: a loopback server answers to names of this computer only", async () => {
  for (
    const host of [
      "127.0.0.1",
      "127.0.0.1:8000",
      "127.1.2.3",
      "localhost",
      "LocalHost:9000",
      "[::1]:8000",
    ]
  ) {
    assertEquals(await statusFor(host), 200, host);
  }
  for (
    const host of [
      "attacker.test",
      "localhost.attacker.test",
      "127.0.0.1.attacker.test",
      "attacker.test:8000",
      "192.168.1.5",
      "0.0.0.0",
      "[::]",
      "localhost.",
      "127.0.0.1.",
      "2130706433",
      "0x7f.1",
      "127.1",
      "127.0.0.01",
    ]
  ) {
    assertEquals(await statusFor(host), 421, host);
  }
});

Deno.test("FR7: odd Hosts and foreign absolute-form targets are 421, and the log says which", async () => {
  for (
    const host of [
      "",
      'evil"onx=1.test',
      "user@127.0.0.1",
      "127.0.0.1/../x",
      "127.0.0.1, localhost",
      "127.0.0.1:",
      "127.0.0.1:8000:8000",
      "localhost:x",
      "a".repeat(400),
    ]
  ) {
    const status = await statusFor(host);
    // "127.0.0.1/../x" moves part of the Host into the path, which is odd too.
    assertEquals(status, host.includes("/") ? 400 : 421, host);
  }
  await using server = serveGuarded(ok);
  for (
    const [target, host, status] of [
      ["http://evil.test/", "127.0.0.1", 421],
      ["http://127.0.0.1/", "evil.test", 421],
      ["http://localhost/", "127.0.0.1", 421],
      ["http://127.0.0.1/", "127.0.0.1", 200],
    ] as const
  ) {
    const res = await raw(server.port, [
      `GET ${target} HTTP/1.1`,
      `host: ${host}`,
    ]);
    assertEquals(res.status, status, `${target} ${host}`);
    assertFullHeaders(res.headers);
  }
  assertEquals(
    server.logged().map((line) => line.reason).at(1),
    "wrong_host: host evil.test",
  );
});

Deno.test("E08: X-Forwarded-Host changes nothing", async () => {
  await using server = serveGuarded((req) => new Response(req.url));
  const res = await raw(server.port, [
    "GET /x HTTP/1.1",
    "host: localhost",
    "x-forwarded-host: evil.test",
  ]);
  assertEquals([res.status, res.body], [200, "http://localhost/x"]);
});

Deno.test("isAllowedHost() knows the public origin and the listed hosts, by whole name", async () => {
  const rules: HostRules = {
    origin: "https://chat.example.org",
    hosts: ["box", "lan.local:8000", "[fe80::1]"],
    access: "loopback",
  };
  for (
    const host of [
      "chat.example.org",
      "chat.example.org:443",
      "CHAT.example.org",
      "box",
      "box:1234",
      "lan.local:8000",
      "[fe80::1]:9",
      "localhost",
    ]
  ) {
    assertEquals(await statusFor(host, rules), 200, host);
  }
  for (
    const host of [
      "chat.example.org:8000",
      "evil-chat.example.org",
      "chat.example.org.evil.test",
      "example.org",
      "lan.local",
      "lan.local:80",
      "mybox",
      "10.0.0.1",
    ]
  ) {
    assertEquals(await statusFor(host, rules), 421, host);
  }
});

Deno.test("isAllowedHost() in public takes addresses, which cannot be rebound, but no names", async () => {
  const rules: Partial<HostRules> = { access: "public" };
  for (const host of ["192.168.1.5:8000", "10.0.0.1", "[2001:db8::1]:8000"]) {
    assertEquals(await statusFor(host, rules), 200, host);
  }
  for (const host of ["attacker.test", "1.2.3.4.nip.io", "256.1.1.1"]) {
    assertEquals(await statusFor(host, rules), 421, host);
  }
});

async function post(
  headers: Record<string, string>,
  rules: Partial<HostRules> = {},
  url = "http://localhost:8000/api/runs",
): Promise<number> {
  const { handler, seen } = guarded(ok, rules);
  let worst = 0;
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    const res = await handler(
      new Request(url, {
        method,
        headers: { ...JSON_TYPE, ...headers },
        body: "{}",
      }),
    );
    assertFullHeaders(res.headers);
    worst = Math.max(worst, res.status);
  }
  assertEquals(seen.length, worst === 200 ? 4 : 0);
  return worst;
}

Deno.test("E09: writes from other origins are 403 and never reach the host", async () => {
  const refused: Record<string, string>[] = [
    { origin: "https://evil.test" },
    { origin: "null" },
    { origin: "http://localhost:3000" },
    { origin: "https://localhost:8000" },
    { origin: "http://127.0.0.1:8000" },
    { origin: "http://localhost:8000.evil.test" },
    { origin: "http://localhost:8000, https://evil.test" },
    { origin: "" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "same-site", origin: "http://localhost:8000" },
    { "sec-fetch-site": "same-origin", origin: "null" },
    { "sec-fetch-site": "same-origin", origin: "https://evil.test" },
    { "sec-fetch-site": "" },
  ];
  for (const headers of refused) {
    assertEquals(await post(headers), 403, JSON.stringify(headers));
  }
  const accepted: Record<string, string>[] = [
    {},
    { origin: "http://localhost:8000" },
    { origin: "http://localhost:8000", "sec-fetch-site": "same-origin" },
    { "sec-fetch-site": "none" },
  ];
  for (const headers of accepted) {
    assertEquals(await post(headers), 200, JSON.stringify(headers));
  }
});

Deno.test("E12: behind a TLS proxy only the configured public origin may write", async () => {
  const origin = "https://chat.example.org";
  const url = "http://chat.example.org/api/runs";
  assertEquals(
    await post({ origin }, { hosts: ["chat.example.org"] }, url),
    403,
  );
  assertEquals(await post({ origin }, { origin }, url), 200);
  // A proxy that does not hand the Host on.
  assertEquals(await post({ origin }, { origin }), 200);
  for (
    const other of [
      "http://chat.example.org",
      "https://chat.example.org:8443",
      "https://example.org",
      "https://evil.test",
    ]
  ) {
    assertEquals(await post({ origin: other }, { origin }, url), 403, other);
  }
});

Deno.test("E10: a write whose body is not JSON is 415, whatever it holds", async () => {
  for (
    const type of [
      "text/plain",
      "text/plain; application/json",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonp",
      "",
    ]
  ) {
    assertEquals(await post({ "content-type": type }), 415, type);
  }
  for (const type of ["application/json; charset=utf-8", "Application/JSON"]) {
    assertEquals(await post({ "content-type": type }), 200, type);
  }
});

Deno.test("E10: a write without a body needs no type; one with a body does", async () => {
  await using server = serveGuarded(ok);
  const cases: [number, string[], string][] = [
    [200, [], ""],
    [200, ["content-length: 0"], ""],
    [200, ["content-length: 0", "content-type: application/json"], ""],
    [415, ["content-length: 2"], "{}"],
    [415, ["transfer-encoding: chunked"], "2\r\n{}\r\n0\r\n\r\n"],
    [415, ["content-length: 0", "content-type: text/plain"], ""],
  ];
  for (const [status, headers, body] of cases) {
    const res = await raw(server.port, [
      "POST /api/runs/x/stop HTTP/1.1",
      "host: localhost",
      ...headers,
    ], body);
    assertEquals(res.status, status, headers.join());
  }
});

Deno.test("E10: forms go to the listed paths only", async () => {
  const { handler } = guarded(ok, { formPaths: ["/ask", "/prefs"] });
  const send = async (path: string, body: URLSearchParams | FormData) =>
    (await handler(
      new Request(`http://localhost${path}`, { method: "POST", body }),
    )).status;
  const form = new FormData();
  form.set("text", "hi");
  const plain = new URLSearchParams({ text: "hi" });
  assertEquals(await send("/ask", plain), 200);
  assertEquals(await send("/prefs", form), 200);
  for (const path of ["/api/runs", "/ask/x", "/Ask", "/"]) {
    assertEquals(await send(path, plain), 415, path);
  }
});

Deno.test("E10: an encoded path cannot dodge the rules of the decoded one", async () => {
  const { handler } = guarded(() => html404());
  const res = await handler(
    new Request("http://localhost/%61pi/runs", {
      headers: { accept: "text/html" },
    }),
  );
  assertStringIncludes(res.headers.get("content-type")!, "problem+json");
});

function html404(): Response {
  return new Response("<p>", {
    status: 404,
    headers: { "content-type": "text/html" },
  });
}
