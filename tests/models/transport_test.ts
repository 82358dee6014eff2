import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
} from "node:zlib";
import type { OpenAIOptions } from "../../lib/models/openai.ts";
import { createTransport } from "../../lib/models/transport.ts";
import { ask } from "../helpers/ask_model.ts";
import {
  chunk,
  cut,
  done,
  finish,
  hang,
  pause,
  raw,
  refuses,
  reset,
  says,
  type Script,
  scriptedUpstream,
  silent,
  sse,
  sseWith,
} from "../helpers/scripted_upstream.ts";
import { answered, KEY, modelAt } from "./harness.ts";

// The two ways to a provider. What every other test here says of the adapter
// goes over the first; these must be true of both.

const WAYS: Record<string, Partial<OpenAIOptions>> = {
  "node:http": {},
  fetch: { fetch },
};

const hello = [..."Hello"].map((content) => chunk({ content }));
const end = [finish("stop"), done()];

for (const [way, over] of Object.entries(WAYS)) {
  Deno.test(`${way}: U07: a reset before the headers is upstream_reset and asked again`, async () => {
    const said = await answered([silent(reset()), says("ok")], {}, over);
    assertEquals([said.text, said.retries.length], ["ok", 1]);
  });

  Deno.test(`${way}: U08: a reset in the middle is upstream_reset, however the body is framed`, async () => {
    for (const framing of ["chunked", "close", "length"] as const) {
      const read = Promise.withResolvers<void>();
      const length = framing === "length" ? "9999" : null;
      const said = await answered(
        sseWith(
          { framing, headers: { "content-length": length } },
          ...hello,
          pause(read.promise),
          reset(),
          hang(),
        ),
        { heard: (_, { length }) => length === 5 && read.resolve() },
        over,
      );
      assertEquals(
        [said.error?.code, said.text],
        ["upstream_reset", "Hello"],
        framing,
      );
    }
  });

  Deno.test(`${way}: U08: less than was promised, or not what was promised, is upstream_reset`, async () => {
    const scripts: Record<string, Script> = {
      "no last chunk": sse(...hello, cut(), hang()),
      "too short": sseWith(
        { framing: "length", headers: { "content-length": "9999" } },
        ...hello,
        cut(),
      ),
      "no chunk size": sse(...hello, raw("zz\r\nwhat\r\n"), hang()),
      "all at once": silent(
        raw(`${sse().head}${size(hello.join(""))}zz\r\n`),
        hang(),
      ),
    };
    for (const [name, script] of Object.entries(scripts)) {
      const said = await answered(script, {}, over);
      assertEquals(
        [said.error?.code, said.text],
        ["upstream_reset", "Hello"],
        name,
      );
    }
  });

  Deno.test(`${way}: U09: a clean end without a finish is upstream_truncated`, async () => {
    for (const framing of ["chunked", "close"] as const) {
      const said = await answered(sseWith({ framing }, ...hello), {}, over);
      assertEquals(said.error?.code, "upstream_truncated", framing);
    }
  });

  Deno.test(`${way}: U42: a gzip stream is read as it comes`, async () => {
    await readsAsItComes("gzip", over);
  });

  Deno.test(`${way}: stop closes the socket before the headers, in the text and in an error's body`, async () => {
    const [begun] = await compressed("gzip", hello);
    const headers = { "content-encoding": "gzip" };
    const error = { status: 400, headers: { "content-type": "text/plain" } };
    const scripts: Record<string, Script> = {
      "before the headers": silent(hang()),
      "in the text": sse(...hello, hang()),
      "in compressed text": sseWith({ headers }, begun!, hang()),
      "in an error's body": sseWith(error, "no", hang()),
    };
    for (const [name, script] of Object.entries(scripts)) {
      await using upstream = await scriptedUpstream([script]);
      const controller = new AbortController();
      const asked = ask(modelAt(upstream, over), { signal: controller.signal });
      const { closed } = await upstream.arrived(1);
      setTimeout(() => controller.abort(new Error("stopped")), 20);
      const began = performance.now();
      await assertRejects(() => asked, Error, "stopped");
      await closed;
      assert(performance.now() - began < 1_000, name);
    }
  });

  Deno.test(`${way}: U04: a refused connection is told without its address`, async () => {
    const gone = await scriptedUpstream([]);
    await gone.close();
    const { error } = await ask(modelAt(gone, over));
    assertEquals(error?.code, "upstream_unavailable");
    const whole = Deno.inspect(error, { depth: 10 });
    for (const secret of ["127.0.0.1", new URL(gone.baseUrl).port, KEY]) {
      assert(!whole.includes(secret), `${secret} in ${whole}`);
    }
  });
}

Deno.test("U42: deflate and br are read as they come too, and identity is asked for", async () => {
  for (const coding of ["deflate", "br"] as const) {
    const { headers } = await readsAsItComes(coding, {});
    assertEquals(headers.get("accept-encoding"), "identity");
  }
});

Deno.test("U42: a compressed body that is none, or ends too soon, is upstream_reset", async () => {
  const headers = { "content-encoding": "gzip" };
  const [begun] = await compressed("gzip", [hello.join("")]);
  const endings: Script["steps"][] = [[], [cut(), hang()], [
    pause(20),
    reset(),
    hang(),
  ]];
  for (const ending of endings) {
    const said = await answered(sseWith({ headers }, begun!, ...ending));
    assertEquals([said.error?.code, said.text], ["upstream_reset", "Hello"]);
  }
  const none = sseWith({ headers }, "not gzip");
  const { error } = await answered([none, none, none]);
  assertEquals(error?.code, "upstream_reset");
});

Deno.test("U14: what speaks no HTTP is upstream_bad_response, after one request", async () => {
  const scripts: Record<string, Script> = {
    "another protocol": silent(raw("220 mail.example ESMTP\r\n"), hang()),
    "another protocol's switch": silent(
      raw("HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
      hang(),
    ),
    "no such status": silent(
      raw("HTTP/1.1 700 Odd\r\ncontent-length: 0\r\n\r\n"),
      hang(),
    ),
    "too many headers": silent(
      raw(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n\r\n`),
      hang(),
    ),
  };
  for (const [name, script] of Object.entries(scripts)) {
    const { error } = await answered(script);
    assertEquals(error?.code, "upstream_bad_response", name);
  }
});

Deno.test("headers of 40 KB are read", async () => {
  const headers = { "x-long": "y".repeat(40_000) };
  const said = await answered(sseWith({ headers }, ...hello, ...end));
  assertEquals(said.text, "Hello");
});

Deno.test("a connection the provider closed meanwhile is not used again", async () => {
  await using upstream = await scriptedUpstream([
    sse(...hello, ...end, raw("0\r\n\r\n"), cut()),
    says("again"),
  ]);
  const model = modelAt(upstream);
  await ask(model);
  await upstream.requests[0]!.closed;
  const said = await ask(model);
  assertEquals([said.text, said.retries], ["again", []]);
});

Deno.test("many steps over one connection, refusals between them, leave nothing behind", async () => {
  const steps = 30;
  await using upstream = await scriptedUpstream(
    ({ body }) =>
      body.temperature === 0 ? says("ok") : refuses(400, { code: "no" }),
  );
  const model = modelAt(upstream);
  for (let step = 0; step < steps; step++) {
    await ask(model, { temperature: step % 2 });
  }
  const connections = new Set(upstream.requests.map(({ closed }) => closed));
  assertEquals([upstream.requests.length, connections.size], [steps, 1]);
});

Deno.test("https, and http through a proxy, go by way of fetch; this computer has no proxy", async () => {
  await using upstream = await scriptedUpstream(() => says("ok"));
  const { port } = new URL(upstream.baseUrl);
  const http_proxy = "http://proxy.invalid:3128";
  const list = "local, .corp.invalid,10.0.0.7:8080,plain.invalid";
  const cases: [url: string, env: Record<string, string>, fetch: boolean][] = [
    ["https://api.openai.com/v1", {}, true],
    ["http://gpu.invalid/v1", {}, false],
    ["http://gpu.invalid/v1", { http_proxy: "" }, false],
    ["http://gpu.invalid/v1", { HTTPS_PROXY: http_proxy }, false],
    ["http://gpu.invalid/v1", { http_proxy }, true],
    ["http://gpu.invalid/v1", { HTTP_PROXY: http_proxy }, true],
    ["http://gpu.invalid/v1", { all_proxy: http_proxy }, true],
    ["http://gpu.invalid/v1", { ALL_PROXY: http_proxy }, true],
    ["http://gpu.invalid/v1", { http_proxy, NO_PROXY: "*" }, false],
    ["http://gpu.invalid/v1", { http_proxy, no_proxy: list }, true],
    ["http://a.corp.invalid/v1", { http_proxy, no_proxy: list }, false],
    ["http://corp.invalid/v1", { http_proxy, NO_PROXY: list }, false],
    ["http://notcorp.invalid/v1", { http_proxy, NO_PROXY: list }, true],
    ["http://plain.invalid:81/v1", { http_proxy, NO_PROXY: list }, false],
    [`http://127.0.0.1:${port}/v1`, { http_proxy }, false],
    [`http://localhost:${port}/v1`, { http_proxy }, false],
  ];
  for (const [baseUrl, env, expected] of cases) {
    let fetched = false;
    const transport = createTransport(env, () => {
      fetched = true;
      return Promise.reject(new TypeError("not here"));
    });
    await ask(modelAt(upstream, { baseUrl, fetch: transport }));
    assertEquals(fetched, expected, `${baseUrl} ${JSON.stringify(env)}`);
  }
});

/** One chunk of a chunked body. */
const size = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

const COMPRESSORS = {
  gzip: createGzip,
  deflate: createDeflate,
  br: createBrotliCompress,
};

type Coding = keyof typeof COMPRESSORS;

/** One compressed stream; each piece can be read as soon as it is there. */
async function compressed(
  coding: Coding,
  pieces: string[],
): Promise<Uint8Array[]> {
  const compressor = COMPRESSORS[coding]();
  const out: Uint8Array[] = [];
  const parts: Uint8Array[] = [];
  compressor.on("data", (part) => parts.push(part));
  for (const piece of pieces) {
    await new Promise<void>((flushed) => {
      compressor.write(piece);
      compressor.flush(
        coding === "br"
          ? constants.BROTLI_OPERATION_FLUSH
          : constants.Z_SYNC_FLUSH,
        () => flushed(),
      );
    });
    out.push(new Uint8Array(Buffer.concat(parts.splice(0))));
  }
  const ended = new Promise((done) => compressor.once("end", done));
  compressor.end();
  await ended;
  return [...out, new Uint8Array(Buffer.concat(parts))];
}

/** The second half is sent when the first was heard, or never. */
async function readsAsItComes(coding: Coding, over: Partial<OpenAIOptions>) {
  const [first, second, last] = await compressed(coding, [
    hello.join(""),
    chunk({ content: ", world" }) + end.join(""),
  ]);
  const heard = Promise.withResolvers<void>();
  const said = await answered(
    sseWith(
      { headers: { "content-encoding": coding } },
      first!,
      pause(heard.promise),
      second!,
      last!,
    ),
    { heard: (_, { length }) => length === 5 && heard.resolve() },
    over,
  );
  assertEquals(said.text, "Hello, world", coding);
  return said.requests[0]!;
}
