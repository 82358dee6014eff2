/**
 * The examples that run and end, each by the line in its own comment.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { literalModel } from "../../examples/04-provider.ts";
import type { ModelEvent } from "../../lib/agent/contracts.ts";
import { ROOT } from "../structure/imports.ts";
import {
  chunk,
  done,
  finish,
  scriptedUpstream,
  sse,
  toolCall,
} from "../helpers/scripted_upstream.ts";
import {
  commandOf,
  EXAMPLES,
  HAS_TERMINAL,
  run,
  runOnTerminal,
} from "./run.ts";

Deno.test("the README names every example by the line the tests run", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  for (const example of EXAMPLES) {
    const command = await commandOf(example);
    assert(command.includes(example), `${example} says ${command}`);
    assert(readme.includes(command), `The README lacks: ${command}`);
  }
});

Deno.test("01-ask.ts prints the answer to a bus question word by word", async () => {
  const { text, pieces } = await run("examples/01-ask.ts");
  assertMatch(text, /Railway Station → University/);
  assertMatch(text, /The next one: \*\*\d\d:\d\d\*\* route \w+/);
  assert(pieces > 10, `printed in ${pieces} pieces`);
});

Deno.test("01-ask.ts asks the model of OPENAI_BASE_URL", async () => {
  await using upstream = await scriptedUpstream([
    sse(
      chunk({ content: "From " }),
      chunk({ content: "afar." }),
      finish("stop"),
      done(),
    ),
  ]);
  const { text } = await run("examples/01-ask.ts", {
    env: {
      OPENAI_BASE_URL: upstream.baseUrl,
      OPENAI_API_KEY: "sk-test",
      OPENAI_MODEL: "some-model",
    },
  });
  assertEquals(text, "From afar.\n");
  const { headers, body } = upstream.requests[0]!;
  assertEquals(headers.get("authorization"), "Bearer sk-test");
  assertEquals(body.model, "some-model");
  const question = (await commandOf("examples/01-ask.ts")).split('"')[1];
  assertEquals(body.messages.at(-1).content, question);
});

Deno.test("02-tool.ts reads without asking, and changes nothing where nobody can be asked (T01)", async () => {
  const { text } = await run("examples/02-tool.ts");
  assertStringIncludes(text, '→ stock {"item":"lamp"}\n← In stock: 7.\n');
  assertStringIncludes(text, '→ reserve {"item":"lamp","count":2}\n✗ Not run');
  assertStringIncludes(text, "lamp: 7");
});

Deno.test("02-tool.ts changes what --yes allows", async () => {
  const { text } = await run("examples/02-tool.ts", { more: ["--yes"] });
  assertStringIncludes(text, "← Reserved 2, 5 left.");
  assertStringIncludes(text, "lamp: 5");
});

for (const [answer, left] of [["y", "lamp: 5"], ["n", "lamp: 7"]] as const) {
  Deno.test({
    name: `02-tool.ts does what a person answers on the terminal: ${answer}`,
    ignore: !HAS_TERMINAL,
    async fn() {
      const { text } = await runOnTerminal("examples/02-tool.ts", answer);
      assertStringIncludes(text, 'Allow reserve {"item":"lamp","count":2}?');
      assertStringIncludes(text, left);
    },
  });
}

Deno.test("02-tool.ts asks the model of OPENAI_BASE_URL, and tells it what a tool throws", async () => {
  await using upstream = await scriptedUpstream([
    sse(
      toolCall({
        index: 0,
        id: "call_1",
        name: "reserve",
        arguments: '{"item":"chair","count":9}',
      }),
      finish("tool_calls"),
      done(),
    ),
    sse(chunk({ content: "Sorry." }), finish("stop"), done()),
  ]);
  const { text } = await run("examples/02-tool.ts", {
    more: ["--yes"],
    env: {
      OPENAI_BASE_URL: upstream.baseUrl,
      OPENAI_MODEL: "some-model",
    },
  });
  assertStringIncludes(text, "✗ The tool failed: only 2 are left");
  assertStringIncludes(text, "Sorry.\n");
  const { messages, tools } = upstream.requests[1]!.body;
  assertEquals(messages.at(-1).content, "The tool failed: only 2 are left");
  assertEquals(
    tools.map((tool: { function: { name: string } }) => tool.function.name),
    ["stock", "reserve"],
  );
});

Deno.test("03-mcp.ts calls a tool of the reference server", async () => {
  const { text } = await run("examples/03-mcp.ts");
  assertMatch(text, /^Tools: .*everything__echo .*everything__get-sum /);
  assertStringIncludes(text, '→ everything__get-sum {"a":2,"b":40}');
  assertStringIncludes(text, "← The sum of 2 and 40 is 42.");
});

Deno.test("04-provider.ts answers with what a tool said", async () => {
  const { text } = await run("examples/04-provider.ts");
  const [, call, result, answer] =
    /^→ (current_time) .*\n← (.*)\n(.*)\n$/.exec(text) ?? [];
  assertEquals(call, "current_time");
  assertMatch(result!, /\d{4}-\d\d-\d\d \d\d:\d\d/);
  assertEquals(answer, result);
});

Deno.test("literalModel keeps the contract: who stops it gets the reason back, and no further word", async () => {
  const stop = new AbortController();
  const reason = new Error("enough");
  const heard: ModelEvent[] = [];
  const asking = literalModel.stream(
    { messages: [{ role: "user", text: "hi" }], tools: [], temperature: 0 },
    (event) => {
      heard.push(event);
      stop.abort(reason);
    },
    stop.signal,
  );
  assertEquals(await assertRejects(() => asking), reason);
  assertEquals(heard, [{ type: "text", delta: "Name " }]);
});
