import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { soleModel } from "../../lib/models/catalog.ts";
import type { RouteContext } from "../../lib/web/route.ts";
import { handler } from "../../routes/api/models.ts";
import { ask } from "../helpers/ask_model.ts";
import {
  assertSame,
  configured,
  DEMO,
  KEY,
  lists,
  saidBy,
  stage,
} from "./catalog_stage.ts";
import { serveModels } from "./local_servers.ts";

// The server of the settings.

Deno.test("the model of the settings answers at once, whatever else is offered", async () => {
  await using server = serveModels(["tts-1", "gpt-10", "gpt-9"]);
  await using at = configured(server, "gpt-9");
  const { catalog } = at;
  assertEquals(catalog.about(), { id: "gpt-9", demo: false });
  assertEquals(catalog.words(), "gpt-9 of own server");
  const model = await catalog.standard();
  assertSame(await catalog.find("gpt-9"), model);
  assertEquals(server.requests, []);
  const from = "own server";
  assertEquals(await catalog.view(), {
    standard: "gpt-9",
    models: ["gpt-9", "gpt-10", "tts-1"].map((id) => ({ id, from })),
  });
  assertEquals(await saidBy(model), `gpt-9 of ${server.port}`);
  const other = await catalog.find("gpt-10");
  assertEquals(await saidBy(other!), `gpt-10 of ${server.port}`);
  assertSame(await catalog.find("gpt-10"), other);
  assertEquals(await catalog.find(DEMO.id), null);
  assertEquals(new Set(server.keys), new Set([`Bearer ${KEY}`]));
  assertEquals([at.demo.started, at.warnings], [0, []]);
});

Deno.test("a model of the settings that is not in the list is offered all the same", async () => {
  await using server = serveModels(["qwen3:8b", "llama3.2:latest"]);
  await using alias = configured(server, "my-deployment");
  assertEquals((await alias.catalog.view()).models.map(({ id }) => id), [
    "my-deployment",
    "llama3.2:latest",
    "qwen3:8b",
  ]);
  await using short = configured(server, "llama3.2");
  assertEquals((await short.catalog.view()).models.map(({ id }) => id), [
    "llama3.2",
    "qwen3:8b",
  ]);
});

Deno.test("the list is asked for every 5 minutes; a chat that chose from it waits for no list", async () => {
  await using server = serveModels(["a", "b"]);
  await using at = configured(server, "a");
  const { catalog } = at;
  await Promise.all([catalog.view(), catalog.view(), catalog.find("b")]);
  at.pass(5 * 60_000 - 1);
  await catalog.view();
  assertEquals(lists(server), 1);
  server.models = ["a", "c"];
  at.pass(1);
  assert(await catalog.find("b"));
  assertEquals(lists(server), 1);
  await catalog.view();
  assertEquals(lists(server), 2);
  assertEquals(await catalog.find("b"), null);
  assert(await catalog.find("c"));
});

Deno.test("a list that cannot be had leaves the standard, and one warning without the key", async () => {
  await using server = serveModels(["a", "b"]);
  const failures: Record<string, () => Response> = {
    "status 500": () => new Response(`bad key ${KEY}`, { status: 500 }),
    "status 401": () => Response.json({ error: KEY }, { status: 401 }),
    "status 302": () => Response.redirect("http://127.0.0.1:9/", 302),
    "no list of models": () => new Response("<!doctype html>"),
  };
  for (const [why, answer] of Object.entries(failures)) {
    await using at = configured(server, "a");
    const { catalog } = at;
    server.instead = answer;
    for (let times = 0; times < 3; times++) {
      assertEquals((await catalog.view()).models.map(({ id }) => id), ["a"]);
      assertEquals(await catalog.find("b"), null);
      at.pass(10_000);
    }
    assertEquals(at.warnings.length, 1);
    assertStringIncludes(at.warnings[0]!, why);
    assertStringIncludes(at.warnings[0]!, "only a is offered");
    assert(!at.warnings[0]!.includes(KEY));

    server.instead = null;
    assertEquals((await catalog.view()).models.length, 2);
    // What was offered stays offered while the list fails again.
    server.instead = answer;
    at.pass(5 * 60_000);
    assertEquals((await catalog.view()).models.length, 2);
    assertStringIncludes(at.warnings[1]!, "what it held before");
    assertEquals(at.warnings.length, 2);
    server.instead = null;
  }
});

Deno.test("S07: a list that redirects takes the key nowhere", async () => {
  await using other = serveModels(["trap"]);
  await using server = serveModels([]);
  server.instead = () => Response.redirect(`${other.baseUrl}/models`, 307);
  await using at = configured(server, "a");
  await at.catalog.view();
  assertEquals(await at.catalog.find("trap"), null);
  assertEquals(other.requests, []);
  assertEquals(server.keys, [`Bearer ${KEY}`]);
});

Deno.test("without OPENAI_MODEL the first chat model of the list is the standard, and stays it", async () => {
  await using server = serveModels(["bge-m3", "b", "a"]);
  await using at = configured(server);
  const { catalog } = at;
  assertEquals((await catalog.standard()).id, "b");
  assertMatch(catalog.words(), /^b of own server \(the first it offers/);
  server.models = ["a", "b"];
  at.pass(5 * 60_000);
  assertEquals((await catalog.view()).standard, "b");
  server.models = ["a"];
  at.pass(5 * 60_000);
  assertEquals((await catalog.view()).standard, "a");
  assertEquals(at.warnings, []);
});

Deno.test("without OPENAI_MODEL and without a list, everything says what to set until there is one", async () => {
  await using server = serveModels(["bge-m3"]);
  await using at = configured(server);
  const { catalog } = at;
  const model = await catalog.standard();
  assertStringIncludes(at.warnings[0]!, "set OPENAI_MODEL");
  assertStringIncludes(at.warnings[0]!, "offers no chat model");
  assertStringIncludes(catalog.words(), "set OPENAI_MODEL");
  const { error } = await ask(model);
  assertEquals(error?.code, "upstream_unavailable");
  assertStringIncludes(error!.message, "set OPENAI_MODEL");
  assertEquals((await catalog.view()).standard, catalog.about().id);
  server.instead = () => new Response(null, { status: 503 });
  at.pass(10_000);
  await catalog.standard();
  assertStringIncludes(at.warnings[1]!, "status 503");
  server.instead = null;
  server.models = ["m"];
  at.pass(10_000);
  assertEquals(await saidBy(await catalog.standard()), `m of ${server.port}`);
  assertEquals(at.warnings.length, 2);
});

Deno.test("OPENAI_API decides by the model which API it is asked through", async () => {
  await using server = serveModels(["gpt-5.4", "gpt-4o"]);
  await using at = configured(server, "gpt-4o", ["gpt-5*"]);
  await ask(await at.catalog.standard());
  assertEquals(server.requests.at(-1), "POST /v1/chat/completions");
  await ask((await at.catalog.find("gpt-5.4"))!);
  assertEquals(server.requests.at(-1), "POST /v1/responses");
  await using local = stage({ responsesModels: ["*"] }, {
    Ollama: server.port,
  });
  await ask(await local.catalog.standard());
  assertEquals(server.requests.at(-1), "POST /v1/responses");
});

Deno.test("providers are called by their names, and an address is told to nobody", () => {
  const from = (baseUrl: string | null) =>
    stage({ model: { apiKey: KEY, baseUrl, name: "m" } }).catalog.words();
  const named = {
    "https://api.deepseek.com": "DeepSeek",
    "https://box.openai.azure.com/openai/v1": "Azure",
    "http://localhost:11434/v1": "Ollama",
    "http://127.0.0.1:1234/v1": "LM Studio",
    "http://127.0.0.1:8080/v1": "own server",
    "https://llm.corp.example:8443/v1": "own server",
    "https://api.openai.com.evil.example/v1": "own server",
  };
  assertEquals(from(null), "m of OpenAI");
  for (const [baseUrl, name] of Object.entries(named)) {
    assertEquals(from(baseUrl), `m of ${name}`);
  }
});

Deno.test("soleModel() offers one model", async () => {
  await using at = stage({ localModel: DEMO.id });
  const model = await at.catalog.standard();
  const sole = soleModel(model);
  assertSame(await sole.standard(), model);
  assertSame(await sole.find(model.id), model);
  assertEquals(await sole.find("other"), null);
  const { standard, models } = await sole.view();
  assertEquals([standard, models.map(({ id }) => id)], [model.id, [model.id]]);
});

Deno.test("GET /api/models answers with what can be chosen, fresh every time", async () => {
  await using ollama = serveModels(["llama3.2"]);
  await using at = stage({}, { Ollama: ollama.port });
  const url = new URL("http://127.0.0.1/api/models");
  const context = {
    req: new Request(url),
    url,
    params: {},
    state: { models: at.catalog },
  };
  const answer = await handler.GET!(context as unknown as RouteContext);
  assert(answer instanceof Response);
  assertEquals(answer.headers.get("cache-control"), "no-store");
  assertEquals(await answer.json(), await at.catalog.view());
});
