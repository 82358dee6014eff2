import { assert, assertEquals } from "@std/assert";
import { MAX_BODY } from "../../lib/web/images.ts";
import { guarded, serveGuarded } from "../helpers/guarded.ts";
import {
  assertFullHeaders,
  parseResponse,
  readAll,
  writeAll,
} from "../helpers/raw_http.ts";

const MiB = 1024 * 1024;
const HEAD = [
  "POST /api/chats HTTP/1.1",
  "host: 127.0.0.1",
  "content-type: application/json",
  "connection: close",
];

const reading = async (req: Request) =>
  new Response(String((await req.bytes()).length));

Deno.test("E06: 300 MB announced is 413 before a byte is sent", async () => {
  await using server = serveGuarded(reading);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await writeAll(
    conn,
    [...HEAD, `content-length: ${300 * MiB}`, "", ""].join("\r\n"),
  );
  const res = parseResponse(
    await readAll(conn, (text) => text.includes("too_large")),
  );
  assertEquals(res.status, 413);
  assertFullHeaders(res.headers);
  assertEquals(server.seen.length, 0);
});

Deno.test("E06: 300 MB in chunks is 413 after little more than the limit; memory stays", async () => {
  await using server = serveGuarded(reading);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const before = Deno.memoryUsage().rss;
  await writeAll(
    conn,
    [...HEAD, "transfer-encoding: chunked", "", ""].join("\r\n"),
  );
  const size = 64 * 1024;
  const chunk = new Uint8Array(size + 9).fill(0x61);
  chunk.set(new TextEncoder().encode(`${size.toString(16)}\r\n`));
  chunk.set([13, 10], size + 7);
  let answered = false;
  const answer = readAll(conn, (text) => text.includes("too_large"))
    .finally(() => answered = true);
  let sent = 0;
  while (!answered && sent < 300 * MiB && await writeAll(conn, chunk)) {
    sent += size;
  }
  const res = parseResponse(await answer);
  assertEquals(res.status, 413);
  assertFullHeaders(res.headers);
  // What the kernel buffers on both sides comes on top of the limit.
  assert(sent < 32 * MiB, `${sent} bytes were taken`);
  const grown = Deno.memoryUsage().rss - before;
  assert(grown < 16 * MiB, `${grown} bytes more`);
});

Deno.test("E06: the limit holds also where the host swallows what the reader threw", async () => {
  let source = 0;
  const endless = () =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        source += 1024;
        controller.enqueue(new Uint8Array(1024));
      },
    });
  const { handler } = guarded(async (req) => {
    await req.text().catch(() => "");
    return new Response("all fine");
  }, { bodyLimits: { "/api": 10_000, "/api/upload": 20_000 } });
  for (
    const [path, limit] of [["/api/runs", 10_000], ["/api/upload", 20_000]]
  ) {
    source = 0;
    const res = await handler(
      new Request(`http://localhost${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: endless(),
      }),
    );
    assertEquals([res.status, (await res.json()).code], [413, "too_large"]);
    assert(source <= Number(limit) + 4096, `${source} bytes were read`);
  }
});

Deno.test("limited() lets a body at the limit pass, announced or in chunks, a larger one where images may come along", async () => {
  const { handler } = guarded(reading);
  const limits = {
    "/api/chats": MiB,
    "/api/chat/x": MiB,
    "/api/runs/x/stop": MiB,
    "/api/chat": MAX_BODY,
    "/api/runs": MAX_BODY,
    "/v1/chat/completions": MAX_BODY,
  };
  for (const [path, limit] of Object.entries(limits)) {
    for (const extra of [0, 1]) {
      const bytes = new Uint8Array(limit + extra);
      const announced = { "content-length": String(bytes.length) };
      for (const headers of [{}, announced]) {
        const res = await handler(
          new Request(`http://localhost${path}`, {
            method: "POST",
            headers: { "content-type": "application/json", ...headers },
            body: bytes,
          }),
        );
        assertEquals(res.status, extra === 0 ? 200 : 413, path);
        if (extra === 0) assertEquals(await res.text(), String(limit));
      }
    }
  }
});

Deno.test("E06: large bodies together are bounded: one more is 503 unread, and finds room once another was read or has left", async () => {
  const answers = Promise.withResolvers<void>();
  let read = Promise.withResolvers<void>();
  const { handler } = guarded(async (req) => {
    const size = (await req.bytes()).length;
    read.resolve();
    await answers.promise;
    return new Response(String(size));
  });
  const large = 16 * MiB;
  /** A body of which the last byte is held back. */
  const begin = (
    headers: HeadersInit = { "content-length": String(large) },
  ) => {
    let body!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
    const answer = handler(
      new Request("http://localhost/api/runs", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: new ReadableStream({
          start(controller) {
            body = controller;
            controller.enqueue(new Uint8Array(large - 1));
          },
        }),
      }),
    );
    const end = () => {
      body.enqueue(new Uint8Array(1));
      body.close();
    };
    return { answer, end, breakOff: () => body.error(new Error("gone")) };
  };
  const open = Array.from({ length: 8 }, () => begin());
  for (const headers of [undefined, {}]) {
    const refused = await begin(headers).answer;
    assertEquals(refused.status, 503);
    assertEquals(refused.headers.get("retry-after"), "2");
    assertEquals((await refused.json()).code, "busy");
  }
  const small = handler(
    new Request("http://localhost/api/runs", {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": "2" },
      body: "{}",
    }),
  );
  open[0]!.breakOff();
  assertEquals((await open[0]!.answer).status, 500);
  open.push(begin());
  // The answer to a body that was read may be long in coming.
  read = Promise.withResolvers();
  open[1]!.end();
  await read.promise;
  open.push(begin());
  answers.resolve();
  assertEquals((await small).status, 200);
  for (const { answer, end } of open.slice(2)) {
    end();
    assertEquals(await (await answer).text(), String(large));
  }
  assertEquals((await open[1]!.answer).status, 200);
});

Deno.test("E06: a client that goes away in mid-body hurts nobody", async () => {
  const outcome = Promise.withResolvers<string>();
  await using server = serveGuarded(async (req) => {
    if (req.method === "GET") return new Response("still here");
    try {
      await req.text();
      outcome.resolve("complete");
    } catch (error) {
      outcome.resolve((error as Error).name);
      throw error;
    }
    return new Response("");
  });
  {
    using conn = await Deno.connect({
      hostname: "127.0.0.1",
      port: server.port,
    });
    await writeAll(conn, [...HEAD, "content-length: 10", "", "{"].join("\r\n"));
  }
  assert(await outcome.promise !== "complete");
  const res = await fetch(server.url);
  assertEquals(await res.text(), "still here");
});
