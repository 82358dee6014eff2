/**
 * The reference server from npm, which nobody here wrote, over both transports.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  everything,
  openTestHub,
  runTool,
  type TestHub,
} from "../helpers/mcp_hub.ts";

/** What must hold over either transport. */
async function tryIt({ hub, tool, said }: TestHub): Promise<void> {
  const tools = await hub.tools("ann", 10_000);
  assert(tools.length >= 10, said.join("; "));
  for (const { name, effect, outbound, untrusted, source } of tools) {
    assert(/^all__[a-z-]+$/.test(name), name);
    const expected = name === "all__get-sum" ? "read" : "external";
    assertEquals(
      { effect, outbound, untrusted, source },
      { effect: expected, outbound: true, untrusted: true, source: "MCP: all" },
    );
  }

  const sum = await tool("all__get-sum");
  assertEquals(
    (await runTool(sum, { a: 2, b: 40 })).text,
    "The sum of 2 and 40 is 42.",
  );
  assertEquals(sum.input.safeParse({ a: "2" }).success, false);

  const image = await runTool(await tool("all__get-tiny-image"), {});
  assert(/\[image: image\/png, \d+ KB, not shown\]/.test(image.text));
  assert(image.text.length < 500);

  const weather = await runTool(await tool("all__get-structured-content"), {
    location: "Chicago",
  });
  assertEquals((weather.data as { kind: string }).kind, "mcp");

  const done: number[] = [];
  const long = await tool("all__trigger-long-running-operation");
  await runTool(long, { duration: 0.2, steps: 4 }, {
    progress: (progress) => {
      assertEquals(progress.total, 4);
      done.push(progress.done);
    },
  });
  // The SDK drops a report that comes in one piece with the result.
  assertEquals(done.slice(0, 3), [1, 2, 3]);

  // Stopped in the middle: the call ends at once, the connection lives on.
  const stop = new AbortController();
  const stopped = runTool(long, { duration: 30, steps: 300 }, {
    signal: stop.signal,
    progress: () => stop.abort(new Error("enough")),
  });
  await assertRejects(() => stopped, Error, "enough");
  assertEquals(
    (await runTool(await tool("all__echo"), { message: "hi" })).text,
    "Echo: hi",
  );
}

Deno.test("openMcp() works with the reference server as a program", async () => {
  await using test = openTestHub({
    all: { ...everything(), read: ["get-sum"] },
  });
  await tryIt(test);
});

Deno.test("openMcp() works with the reference server over streamable HTTP", async () => {
  const { command, args } = everything("streamableHttp");
  // It prints the port it was told, so it cannot be told to choose one.
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  await using server = new Deno.Command(command, {
    args,
    env: { PORT: String(port) },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = server.stderr.getReader();
  await stderr.read(); // "... listening on port ..."
  await using test = openTestHub({
    all: { url: `http://127.0.0.1:${port}/mcp`, read: ["get-sum"] },
  });
  await tryIt(test);
  await test.hub.close();
  server.kill("SIGKILL");
  await stderr.cancel();
});

Deno.test("openMcp() shows a program of the environment only what the file gives it", async () => {
  await using test = openTestHub(
    { all: { ...everything(), env: { GIVEN: "${HOME}" } } },
    { env: { OPENAI_API_KEY: "sk-canary-0123456789", UNRELATED: "x" } },
  );
  Deno.env.set("OPENAI_API_KEY", "sk-canary-0123456789");
  try {
    const { text } = await runTool(await test.tool("all__get-env"), {});
    const seen = JSON.parse(text);
    assertEquals(seen.GIVEN, "${HOME}");
    assertEquals(seen.PATH, Deno.env.get("PATH"));
    assertEquals([seen.OPENAI_API_KEY, seen.UNRELATED], [undefined, undefined]);
  } finally {
    Deno.env.delete("OPENAI_API_KEY");
  }
});
