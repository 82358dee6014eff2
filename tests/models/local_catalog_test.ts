import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { createCatalog } from "../../lib/models/catalog.ts";
import { startDemoUpstream } from "../../lib/models/demo/mod.ts";
import { askPort } from "../../lib/models/find.ts";
import { ask } from "../helpers/ask_model.ts";
import {
  chunk,
  hang,
  pause,
  reply,
  reset,
  says,
  scriptedUpstream,
  silent,
  sse,
} from "../helpers/scripted_upstream.ts";
import {
  assertSame,
  configured,
  DEMO,
  KEY,
  lists,
  saidBy,
  stage,
} from "./catalog_stage.ts";
import { freePort, list, serveModels } from "./local_servers.ts";

// What is found on this computer.

Deno.test("where nothing is found the demo speaks, started when it is first needed", async () => {
  await using at = stage({}, { Ollama: freePort(), "LM Studio": freePort() });
  const { catalog, demo } = at;
  assertEquals(await catalog.view(), { standard: DEMO.id, models: [DEMO] });
  assertEquals(catalog.about(), { id: DEMO.id, demo: true });
  assertMatch(catalog.words(), /^tickertape-demo \(built-in demo; .*Ollama/);
  assertEquals(demo.started, 0);
  const model = await catalog.standard();
  assert((await saidBy(model)).length > 0);
  assertSame(await catalog.find(DEMO.id), model);
  assertEquals(await catalog.find("llama3.2"), null);
  await catalog.close();
  assertEquals([demo, at.warnings], [{ started: 1, ended: 1 }, []]);
});

Deno.test("what Ollama offers is offered, and its first chat model is the standard", async () => {
  await using ollama = serveModels(["nomic-embed-text", "qwen3", "llama3.2"]);
  await using at = stage({}, { Ollama: ollama.port, "LM Studio": freePort() });
  const { catalog } = at;
  const model = await catalog.standard();
  assertEquals(model.id, "qwen3");
  assertEquals(await saidBy(model), `qwen3 of ${ollama.port}`);
  assertEquals(catalog.about(), { id: "qwen3", demo: false });
  assertEquals(
    catalog.words(),
    "qwen3 of Ollama on this computer (found by itself)",
  );
  assertEquals(await catalog.view(), {
    standard: "qwen3",
    models: ["llama3.2", "qwen3", "nomic-embed-text"]
      .map((id) => ({ id, from: "Ollama" })),
  });
  const chosen = await catalog.find("llama3.2");
  assertEquals(await saidBy(chosen!), `llama3.2 of ${ollama.port}`);
  assertSame(await catalog.find("llama3.2"), chosen);
  assertSame(await catalog.find("qwen3"), model);
  assertEquals(await catalog.find("gpt-5"), null);
  assertEquals([at.demo.started, lists(ollama)], [0, 1]);
  assertEquals(new Set(ollama.keys).size, 1);
});

Deno.test("an Ollama started later appears when the list is asked for, at most every 10 s", async () => {
  const port = freePort();
  await using at = stage({}, { Ollama: port });
  const { catalog } = at;
  assertEquals((await catalog.standard()).id, DEMO.id);
  await using ollama = serveModels(["llama3.2"], { port });
  at.pass(9_999);
  assertEquals((await catalog.view()).standard, DEMO.id);
  at.pass(1);
  const [view, again] = await Promise.all([catalog.view(), catalog.view()]);
  assertEquals(view, {
    standard: "llama3.2",
    models: [{ id: "llama3.2", from: "Ollama" }],
  });
  assertEquals(again, view);
  assertEquals(lists(ollama), 1);
  assertEquals(await saidBy(await catalog.standard()), `llama3.2 of ${port}`);
  // Chats that chose the demo keep it.
  assertEquals((await catalog.find(DEMO.id))?.id, DEMO.id);
});

Deno.test("an Ollama that died is an error that says so, never the demo; it may come back", async () => {
  const ollama = serveModels(["llama3.2", "qwen3"]);
  const { port } = ollama;
  await using at = stage({}, { Ollama: port });
  const { catalog } = at;
  const model = await catalog.standard();
  assertEquals(await saidBy(model), `llama3.2 of ${port}`);
  await ollama.stop();

  const heard = [await ask(model), await ask(model), await ask(model)];
  // Not asked again after a wait, as one that only stumbles is; unless the wait
  // happened to be shorter than the look.
  assert(heard.some(({ retries }) => retries.length === 1));
  const [{ error } = {}] = heard;
  assertEquals(
    [error?.code, error?.message, error?.options.retryable],
    [
      "upstream_unavailable",
      "Ollama on this computer does not answer any more: start it again, or " +
      "choose another model.",
      true,
    ],
  );
  assertSame(await catalog.standard(), model);
  at.pass(10_000);
  assertEquals(await catalog.view(), {
    standard: "llama3.2",
    models: [{ id: "llama3.2", from: "Ollama" }, DEMO],
  });
  assertEquals(catalog.about(), { id: "llama3.2", demo: false });
  assertSame(await catalog.standard(), model);
  // A chat that chose one of its models hears the same.
  const other = await catalog.find("qwen3");
  assertEquals((await ask(other!)).error?.message, error?.message);

  await using again = serveModels(["qwen3", "llama3.2"], { port });
  at.pass(10_000);
  assertEquals((await catalog.view()).standard, "llama3.2");
  assertSame(await catalog.standard(), model);
  assertEquals(await saidBy(model), `llama3.2 of ${port}`);
  assertEquals([at.demo.started, again.requests.length], [0, 2]);
});

Deno.test("a server that dies in the middle of an answer is named too; one that lives is not", async () => {
  let lives = true;
  let read = Promise.withResolvers<void>();
  await using upstream = await scriptedUpstream(({ path }) =>
    path !== "/v1/models"
      ? sse(chunk({ content: "Hel" }), pause(read.promise), reset())
      : lives
      ? reply(200, list(["m"]))
      : silent(reset())
  );
  const port = Number(new URL(upstream.baseUrl).port);
  await using at = stage({}, { "LM Studio": port });
  const model = await at.catalog.standard();
  const broken = () => {
    read = Promise.withResolvers();
    return ask(model, { heard: () => read.resolve() });
  };
  const alive = await broken();
  assertEquals([alive.text, alive.error?.code], ["Hel", "upstream_reset"]);
  assert(!alive.error?.message.includes("LM Studio"));
  lives = false;
  const gone = await broken();
  assertEquals([gone.text, gone.error?.code], ["Hel", "upstream_reset"]);
  assertStringIncludes(gone.error!.message, "LM Studio on this computer");
});

Deno.test("a server that only stumbles is asked again, and its answer is whole", async () => {
  let asked = 0;
  await using upstream = await scriptedUpstream(({ path }) =>
    path === "/v1/models"
      ? reply(200, list(["m"]))
      : asked++ === 0
      ? silent(reset())
      : says("Whole.")
  );
  const port = Number(new URL(upstream.baseUrl).port);
  await using at = stage({}, { Ollama: port });
  const said = await ask(await at.catalog.standard());
  assertEquals([said.text, said.retries.length], ["Whole.", 1]);
});

Deno.test("a stop is a stop, also while it is seen whether the server is gone", async () => {
  let lists = 0;
  await using upstream = await scriptedUpstream(({ path }) =>
    path !== "/v1/models"
      ? sse(chunk({ content: "Hel" }), reset())
      : lists++ === 0
      ? reply(200, list(["m"]))
      : silent(hang())
  );
  const port = Number(new URL(upstream.baseUrl).port);
  await using at = stage({}, { Ollama: port });
  const model = await at.catalog.standard();
  const stop = new AbortController();
  upstream.arrived(3).then(() => stop.abort("user"));
  const reason = await ask(model, { signal: stop.signal })
    .catch((reason) => reason);
  assertEquals(reason, "user");
});

Deno.test("another server on this computer takes the place of one that died", async () => {
  const ollama = serveModels(["llama3.2"]);
  await using studio = serveModels(["text-embedding-x", "gemma"]);
  await using at = stage({}, {
    Ollama: ollama.port,
    "LM Studio": studio.port,
  });
  assertEquals((await at.catalog.standard()).id, "llama3.2");
  await ollama.stop();
  at.pass(10_000);
  assertEquals(await at.catalog.view(), {
    standard: "gemma",
    models: [
      { id: "gemma", from: "LM Studio" },
      { id: "text-embedding-x", from: "LM Studio" },
    ],
  });
});

Deno.test("a server too busy to answer keeps its models", async () => {
  let busy = false;
  await using upstream = await scriptedUpstream(() =>
    busy ? silent(hang()) : reply(200, list(["m"]))
  );
  const port = Number(new URL(upstream.baseUrl).port);
  await using at = stage({}, { Ollama: port });
  const before = await at.catalog.view();
  busy = true;
  at.pass(10_000);
  assertEquals(await at.catalog.view(), before);
  assertEquals(upstream.requests.length, 2);
});

Deno.test("a model taken from its server is offered no more, and the next is the standard", async () => {
  await using ollama = serveModels(["a", "b"]);
  await using at = stage({}, { Ollama: ollama.port });
  assertEquals((await at.catalog.standard()).id, "a");
  ollama.models = ["b"];
  at.pass(10_000);
  assertEquals((await at.catalog.view()).models.map(({ id }) => id), ["b"]);
  assertEquals((await at.catalog.standard()).id, "b");
  assertEquals(await at.catalog.find("a"), null);
  ollama.models = [];
  at.pass(10_000);
  // Not silently the demo: a question now is Ollama's to refuse.
  assertEquals(await at.catalog.view(), {
    standard: "b",
    models: [{ id: "b", from: "Ollama" }],
  });
});

Deno.test("a name that two servers offer is two ids, which stay with their models", async () => {
  const port = freePort();
  await using studio = serveModels(["llama", "gemma"]);
  await using at = stage({}, { Ollama: port, "LM Studio": studio.port });
  const { catalog } = at;
  const first = await catalog.find("llama");
  await using ollama = serveModels(["llama", "qwen"], { port });
  at.pass(10_000);
  assertEquals((await catalog.view()).models, [
    { id: "ollama/llama", from: "Ollama" },
    { id: "qwen", from: "Ollama" },
    { id: "gemma", from: "LM Studio" },
    { id: "llama", from: "LM Studio" },
  ]);
  assertSame(await catalog.find("llama"), first);
  assertEquals(await saidBy(first!), `llama of ${studio.port}`);
  const second = await catalog.find("ollama/llama");
  assertEquals(second?.id, "ollama/llama");
  assertEquals(await saidBy(second!), `llama of ${ollama.port}`);
});

Deno.test("llama.cpp's model is called by its file, without where that lies", async () => {
  const path = "/home/me/models/gemma-3-Q4_K_M.gguf";
  await using server = serveModels([path, "C:\\models\\Phi-4.gguf"]);
  await using at = stage({}, { "llama.cpp": server.port });
  const model = await at.catalog.standard();
  assertEquals(model.id, "gemma-3-Q4_K_M.gguf");
  assertEquals(await saidBy(model), `${path} of ${server.port}`);
  const { models } = await at.catalog.view();
  assertEquals(models.map(({ id }) => id), [
    "gemma-3-Q4_K_M.gguf",
    "Phi-4.gguf",
  ]);
});

Deno.test("our own port is never asked", async () => {
  await using own = serveModels(["ours"]);
  await using at = stage({ port: own.port }, { vLLM: own.port });
  assertEquals((await at.catalog.view()).standard, DEMO.id);
  assertEquals(own.requests, []);
});

Deno.test("a server without a chat model leaves the demo speaking, and says why", async () => {
  await using ollama = serveModels([]);
  await using at = stage({}, { Ollama: ollama.port });
  assertEquals((await at.catalog.standard()).id, DEMO.id);
  assertStringIncludes(
    at.catalog.words(),
    "Ollama on this computer has no chat",
  );
  ollama.models = ["nomic-embed-text"];
  at.pass(10_000);
  assertEquals(await at.catalog.view(), {
    standard: DEMO.id,
    models: [{ id: "nomic-embed-text", from: "Ollama" }, DEMO],
  });
});

Deno.test("OPENAI_MODEL alone chooses among what is found", async () => {
  await using ollama = serveModels(["qwen3:8b", "llama3.2:latest"]);
  const ports = { Ollama: ollama.port };
  for (const localModel of ["llama3.2:latest", "llama3.2"]) {
    await using at = stage({ localModel }, ports);
    const { id } = await at.catalog.standard();
    assertEquals([id, at.warnings], ["llama3.2:latest", []]);
  }
  await using at = stage({ localModel: KEY }, ports);
  assertEquals((await at.catalog.standard()).id, "qwen3:8b");
  at.pass(10_000);
  await at.catalog.view();
  assertEquals(at.warnings.length, 1);
  assertStringIncludes(at.warnings[0]!, "qwen3:8b speaks instead");
  assert(!at.warnings[0]!.includes(KEY));
});

Deno.test("OPENAI_MODEL=tickertape-demo is the demo, and nobody is asked", async () => {
  await using ollama = serveModels(["llama3.2"]);
  await using at = stage({ localModel: DEMO.id }, { Ollama: ollama.port });
  assertEquals((await at.catalog.standard()).id, DEMO.id);
  assertEquals((await at.catalog.view()).models, [DEMO]);
  assertEquals([ollama.requests, at.warnings], [[], []]);
});

Deno.test("a demo that could not be started is started by the next question", async () => {
  let tries = 0;
  const upstream = await startDemoUpstream();
  const catalog = createCatalog({
    config: { port: 1, model: null, localModel: null, responsesModels: [] },
    demo: () =>
      tries++ === 0
        ? Promise.reject(new Error("no port"))
        : Promise.resolve(upstream),
    warn: () => {},
    ports: [],
  });
  const first = await catalog.standard().catch((error) => error.message);
  assertEquals(first, "no port");
  assertEquals((await catalog.standard()).id, DEMO.id);
  await catalog.close();
});

Deno.test("close() leaves off asking", async () => {
  await using upstream = await scriptedUpstream(() => silent(hang()));
  const port = Number(new URL(upstream.baseUrl).port);
  const patient = askPort({ name: "Ollama", port });
  await upstream.arrived(1);
  const catalogs = [stage({}, { Ollama: port }), configured(upstream, "m")]
    .map(({ catalog }) => catalog);
  const looking = catalogs.map((catalog) => catalog.view());
  await upstream.arrived(3);
  for (const catalog of catalogs) await catalog.close();
  // Asked before them, it would be the first to give up.
  const first = await Promise.race([patient, Promise.all(looking)]);
  assert(first !== "late");
  assertEquals((await looking[0]!).standard, DEMO.id);
  await patient;
});
