import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { askPort, LOCAL_PORTS, portsToAsk } from "../../lib/models/find.ts";
import { listModels } from "../../lib/models/model_list.ts";
import {
  forChoosing,
  isChatModel,
  usesResponses,
} from "../../lib/models/model_names.ts";
import {
  cut,
  hang,
  raw,
  reply,
  reset,
  type Script,
  scriptedUpstream,
  silent,
  sseWith,
  type Step,
} from "../helpers/scripted_upstream.ts";
import { freePort, list, serveModels } from "./local_servers.ts";

const portOf = (baseUrl: string) => Number(new URL(baseUrl).port);

/** What comes of asking a port on which this answers. */
async function asked(script: Script, owner?: string) {
  await using server = await scriptedUpstream(() => script);
  const port = portOf(server.baseUrl);
  const began = performance.now();
  const found = await askPort({ name: "Usual", port, owner });
  const ms = performance.now() - began;
  // Whatever was on its way is not waited for.
  await Promise.all(server.requests.map(({ closed }) => closed));
  return { found, ms, requests: server.requests };
}

/** This piece of body again and again, until the client leaves. */
const endless = (piece: string, everyMs: number): Step => async (peer) => {
  const { closed } = peer.request;
  let gone = false;
  closed.then(() => gone = true);
  while (!gone) {
    await peer.body(piece);
    // Not without end in one turn of the loop: the leaving would not be heard.
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, everyMs);
    await Promise.race([promise, closed]);
    clearTimeout(timer);
  }
};

Deno.test("askPort() finds the servers people have, by their own lists", async () => {
  const lists: [string | undefined, unknown, string, string[]][] = [
    // Ollama: the model pulled last comes first.
    [undefined, list(["qwen3:8b", "llama3.2:latest"]), "Usual", [
      "qwen3:8b",
      "llama3.2:latest",
    ]],
    // Ollama before the first pull.
    [undefined, { object: "list", data: null }, "Usual", []],
    // LM Studio.
    [
      undefined,
      {
        data: [{
          id: "google/gemma-3-4b",
          object: "model",
          owned_by: "organization_owner",
        }],
        object: "list",
      },
      "Usual",
      ["google/gemma-3-4b"],
    ],
    // llama.cpp lists twice, in two dialects.
    [
      "llamacpp",
      {
        models: [{ name: "m.gguf", model: "m.gguf", type: "model" }],
        ...list(["m.gguf"], "llamacpp"),
      },
      "Usual",
      ["m.gguf"],
    ],
    // Somebody else on llama.cpp's port.
    ["llamacpp", list(["m"], "someone"), "port", ["m"]],
  ];
  for (const [owner, body, name, models] of lists) {
    const { found, requests } = await asked(reply(200, body), owner);
    assert(found !== null && found !== "late");
    assertEquals(found.name.split(" ")[0], name);
    assertEquals(found.models, models);
    const [{ method, path, headers } = {}] = requests;
    assertEquals([method, path], ["GET", "/v1/models"]);
    assertEquals(headers?.get("authorization"), null);
  }
});

Deno.test("askPort() takes nothing else for a model server", async () => {
  const page = "<!doctype html><title>Hello</title>";
  const gguf = { id: "m", object: "model" };
  const others: Record<string, Script> = {
    "a web page": reply(200, page, { "content-type": "text/html" }),
    "a page where nothing is": reply(404, page),
    "a login": reply(401, { error: "who are you" }),
    "a failing server": reply(500, list(["m"])),
    "nothing": reply(200, ""),
    "null": reply(200, "null"),
    "a number": reply(200, "7"),
    "a bare array": reply(200, [gguf]),
    "models of cars": reply(200, { data: [{ id: "roadster" }] }),
    "a list of something else": reply(200, {
      object: "list",
      data: [{ name: "x" }],
    }),
    "a list of nothing at all": reply(200, { object: "list", data: [null] }),
    "no JSON": reply(200, '{"object":"list","data":['),
    "another Tickertape": reply(200, list(["tickertape-demo"], "tickertape")),
    "a reset": silent(reset()),
    "a hang-up": silent(cut()),
    "no HTTP": silent(raw("SSH-2.0-OpenSSH_9.9\r\n"), cut()),
    "a list that breaks off": sseWith(
      { framing: "length", headers: { "content-length": "9999" } },
      JSON.stringify(list(["m"])),
      cut(),
    ),
    "headers without end": silent(
      raw(`HTTP/1.1 200 OK\r\n${"x-more: and more\r\n".repeat(10_000)}`),
      hang(),
    ),
  };
  for (const [what, script] of Object.entries(others)) {
    const { found } = await asked(script);
    assertEquals(found, null, what);
  }
  assertEquals(await askPort({ name: "Nobody", port: freePort() }), null);
});

Deno.test("askPort() follows no redirect", async () => {
  await using target = serveModels(["m"]);
  for (const status of [301, 302, 303, 307, 308]) {
    const location = `${target.baseUrl}/models`;
    const { found } = await asked(reply(status, "", { location }));
    assertEquals(found, null);
  }
  assertEquals(target.requests, []);
});

/** The two ways to a server: this computer is asked directly, others by `fetch`. */
const WAYS = ["127.0.0.1", "0.0.0.0"];

for (const host of WAYS) {
  Deno.test(`listModels() of ${host} reads at most 2 MB, however it is packed`, async () => {
    const long = " ".repeat(1 << 20);
    const bomb = gzipSync(new Uint8Array(64 << 20));
    const floods: Record<string, Script> = {
      "a flood": sseWith({}, endless(long, 0)),
      "a bomb": sseWith({
        framing: "length",
        headers: {
          "content-encoding": "gzip",
          "content-length": String(bomb.length),
        },
      }, bomb),
    };
    for (const [what, script] of Object.entries(floods)) {
      await using server = await scriptedUpstream(() => script);
      const baseUrl = server.baseUrl.replace("127.0.0.1", host);
      const listing = await listModels({ apiKey: null, baseUrl, ms: 20_000 });
      assertEquals(listing.kind, "strange", what);
      await server.requests[0]!.closed;
    }
  });

  Deno.test(`S07: listModels() of ${host} takes no redirect, and its key nowhere else`, async () => {
    await using target = serveModels(["m"]);
    for (const status of [301, 302, 303, 307, 308]) {
      const location = `${target.baseUrl}/models`;
      await using server = await scriptedUpstream(() =>
        reply(status, "", { location })
      );
      const baseUrl = server.baseUrl.replace("127.0.0.1", host);
      const listing = await listModels({ apiKey: "k", baseUrl, ms: 20_000 });
      assertEquals(listing, { kind: "status", status });
      const [{ headers } = {}] = server.requests;
      assertEquals(headers?.get("authorization"), "Bearer k");
    }
    assertEquals(target.requests, []);
  });

  Deno.test(`listModels() of ${host} tells late from gone`, async () => {
    await using server = await scriptedUpstream(() => sseWith({}, hang()));
    const baseUrl = server.baseUrl.replace("127.0.0.1", host);
    const ask = (baseUrl: string, ms: number) =>
      listModels({ apiKey: null, baseUrl, ms });
    assertEquals(await ask(baseUrl, 50), { kind: "late" });
    const gone = `http://${host}:${freePort()}/v1`;
    assertEquals(await ask(gone, 20_000), { kind: "unreachable" });
  });
}

Deno.test("askPort() asks all ports in the time of one, and hangs with none", async () => {
  const scripts = [
    silent(hang()),
    sseWith({}, hang()),
    sseWith({}, endless(" ", 20)),
  ];
  await using silentOnes = await scriptedUpstream(() => scripts[0]!);
  await using headed = await scriptedUpstream(() => scripts[1]!);
  await using dripping = await scriptedUpstream(() => scripts[2]!);
  await using good = serveModels(["m"]);
  // Accepts, and never reads.
  using deaf = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ports = [silentOnes, headed, dripping].map((s) => portOf(s.baseUrl))
    .concat(deaf.addr.port, good.port);
  const began = performance.now();
  const found = await Promise.all(
    ports.map((port) => askPort({ name: "Usual", port })),
  );
  const ms = performance.now() - began;
  assertEquals(found.slice(0, 4), ["late", "late", "late", "late"]);
  assertEquals(found[4], { name: "Usual", models: ["m"] });
  console.log(`5 ports, 4 of them hanging: ${Math.round(ms)} ms`);
  // 250 ms and what a busy machine adds; one after the other it would be 1,000.
  assert(ms < 900, `${ms} ms`);
});

Deno.test("askPort() stops at once when it is told to", async () => {
  await using server = await scriptedUpstream(() => silent(hang()));
  const stop = new AbortController();
  const place = { name: "Usual", port: portOf(server.baseUrl) };
  const asking = askPort(place, stop.signal);
  const { closed } = await server.arrived(1);
  stop.abort();
  await closed;
  assertEquals(await asking, "late");
  assertEquals(await askPort(place, stop.signal), "late");
  assertEquals(server.requests.length, 1);
});

Deno.test("portsToAsk() leaves out our own port", () => {
  assertEquals(portsToAsk(8001), [...LOCAL_PORTS]);
  const names = (own: number) => portsToAsk(own).map(({ name }) => name);
  assertEquals(names(8000), ["Ollama", "LM Studio", "llama.cpp"]);
  assertEquals(names(8080), ["Ollama", "LM Studio", "vLLM"]);
});

Deno.test("listModels() reads the lists of hosted providers, and drops what is no name", async () => {
  await using server = serveModels([]);
  const ask = async (body: unknown) => {
    server.instead = () => Response.json(body);
    const { baseUrl } = server;
    const listing = await listModels({ apiKey: "k", baseUrl, ms: 5_000 });
    return listing.kind === "list"
      ? listing.models.map(({ name }) => name)
      : listing.kind;
  };
  assertEquals(await ask([{ id: "a" }, { id: "b" }]), ["a", "b"]);
  assertEquals(await ask({ data: [{ id: "a" }] }), ["a"]);
  assertEquals(await ask({ models: [] }), "strange");
  const odd = ["a", "", " b", "c\n", "\u202ed", "e".repeat(201), "a", "文心"];
  assertEquals(await ask(list(odd)), ["a", "文心"]);
  const many = Array.from({ length: 5_000 }, (_, at) => `m${at}`);
  assertEquals((await ask(list(many))).length, 2_000);
  assertEquals(server.keys[0], "Bearer k");
});

Deno.test("isChatModel() knows by the name what is not for chatting", () => {
  const chat = [
    "gpt-5.4-mini",
    "llama3.2:latest",
    "qwen/qwen3-vl-8b-instruct",
    "deepseek-r1:7b",
    "google/gemma-3n-e4b",
    "mistral-large-latest",
    "models/gemini-2.5-pro",
    "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf",
    "o3",
  ];
  const other = [
    "nomic-embed-text:latest",
    "text-embedding-3-small",
    "text-embedding-nomic-embed-text-v1.5",
    "snowflake-arctic-embed2",
    "bge-m3",
    "all-minilm:22m",
    "jina-reranker-v2",
    "Qwen/Qwen3-Reranker-4B",
    "whisper-1",
    "openai/whisper-large-v3",
    "gpt-4o-mini-tts",
    "gpt-4o-transcribe",
    "gpt-realtime",
    "dall-e-3",
    "gpt-image-1",
    "sora-2",
    "omni-moderation-latest",
    "llama-guard3:1b",
    "babbage-002",
    "gpt-3.5-turbo-instruct",
  ];
  assertEquals(chat.filter((name) => !isChatModel(name)), []);
  assertEquals(other.filter(isChatModel), []);
});

Deno.test("forChoosing() puts chat models first, each kind by name", () => {
  assertEquals(
    forChoosing(["tts-1", "gpt-10", "gpt-9", "bge-m3", "Alpha"]),
    ["Alpha", "gpt-9", "gpt-10", "bge-m3", "tts-1"],
  );
});

Deno.test("usesResponses() goes by names and beginnings", () => {
  const uses = (...patterns: string[]) =>
    ["o3", "o3-mini", "gpt-5.4"].filter((name) =>
      usesResponses(patterns, name)
    );
  assertEquals(uses(), []);
  assertEquals(uses("*"), ["o3", "o3-mini", "gpt-5.4"]);
  assertEquals(uses("o3"), ["o3"]);
  assertEquals(uses("o3*", "gpt-4*"), ["o3", "o3-mini"]);
});
