import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  openTestHub,
  program,
  runTool,
  type TestHub,
} from "../helpers/mcp_hub.ts";
import { startHttpMcp } from "../helpers/mcp_server.ts";

/** Calls `hang`, stops it when it reports, and says when that was. */
async function stopHang({ tool }: TestHub): Promise<number> {
  const stop = new AbortController();
  let at = 0;
  const call = runTool(await tool("s__hang"), {}, {
    signal: stop.signal,
    progress: (progress) => {
      assertEquals(progress, { done: 1, total: 3, message: "at it" });
      at = Date.now();
      stop.abort(new Error("stopped by a person"));
    },
  });
  await assertRejects(() => call, Error, "stopped by a person");
  return at;
}

function soonEnough(how: string, ms: number): void {
  console.log(`    from stop until the server saw it, ${how}: ${ms} ms`);
  assert(ms <= 250, `${ms} ms`);
}

Deno.test("a stopped call is cancelled at a server over HTTP within 250 ms, and its stream is closed", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  const stopped = await stopHang(test);
  await server.until(() => server.script.cancelled.length > 0);
  soonEnough("HTTP", server.script.cancelled[0]!.at - stopped);
  // It need not answer any more; nobody may keep waiting for it.
  await server.until(() => server.open === 0);
  assertEquals(
    (await runTool(await test.tool("s__echo"), { say: "on" })).text,
    "on",
  );
  assertEquals(server.ended, []);
});

Deno.test("a stopped call is cancelled at a program within 250 ms", async () => {
  await using test = openTestHub({ s: program() });
  const stopped = await stopHang(test);
  const { text } = await runTool(await test.tool("s__seen"), {});
  soonEnough("stdio", JSON.parse(text)[0].at - stopped);
});

Deno.test("a call's content becomes text, its files are named, its data cannot pass for ours", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  assertEquals(await runTool(await test.tool("s__rich"), {}), {
    text: [
      "Look:",
      "[image: image/png, 3 KB, not shown]",
      "[note://1]",
      "a note",
      "[file://z: application/zip, 3 bytes, not shown]",
      "[link: more https://more.test/]",
    ].join("\n"),
    data: { kind: "mcp", structured: { kind: "board", rows: [1, 2] } },
  });
});

Deno.test("a call that fails is an error in the server's words", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  const fail = await test.tool("s__fail");
  const error = await assertRejects(() => runTool(fail, {}), Error);
  assertEquals(error.message, "no such file: x");
  server.script.tools = server.script.tools.map((tool) => ({ ...tool }));
  server.script.tools.push({ name: "none", inputSchema: { type: "object" } });
  const none = await test.tool("s__none");
  await assertRejects(() => runTool(none, {}), Error, "Tool none not found");
});

Deno.test("P02: a server that quotes its token in an error is not repeated", async () => {
  await using server = startHttpMcp();
  const token = "tok-0123456789-canary";
  await using test = openTestHub({ s: { url: server.url, tokenEnv: "T" } }, {
    env: { T: token },
  });
  // An error of the protocol, and one of a tool.
  const name = `refuses ${token}`;
  server.script.tools.push({ name, inputSchema: { type: "object" } });
  const tools = await test.hub.tools("ann");
  const refuses = tools.find(({ name }) => name.startsWith("s__refuses"))!;
  const unknown = await assertRejects(() => runTool(refuses, {}), Error);
  assertStringIncludes(unknown.message, "Tool refuses [redacted] not found");
  server.script.failure = `Bad credentials: ${token}`;
  const fail = await test.tool("s__fail");
  const failed = await assertRejects(() => runTool(fail, {}), Error);
  assertEquals(failed.message, "Bad credentials: [redacted]");
});

Deno.test("a server that asks for a model, a form or folders is declined", async () => {
  await using test = openTestHub({ s: program() });
  const { text } = await runTool(await test.tool("s__ask"), {});
  const codes = JSON.parse(text).map((a: { error: { code: number } }) =>
    a.error.code
  );
  assertEquals(codes, [-32601, -32601, -32601]);
});

for (const how of ["HTTP", "a program"]) {
  Deno.test(`a server that sends too much over ${how} is cut off, and can be asked again`, async () => {
    await using server = startHttpMcp();
    // A clock that leaps: a server that died twice is left alone for a while.
    let clock = 0;
    await using test = openTestHub({
      s: how === "HTTP" ? { url: server.url } : program(),
    }, { now: () => new Date(clock += 120_000) });
    for (const name of ["s__big", "s__flood"]) {
      const tool = await test.tool(name);
      const error = await assertRejects(() => runTool(tool, {}), Error);
      assertStringIncludes(error.message, 'The MCP server "s"');
    }
    const again = await test.tool("s__echo");
    assertEquals((await runTool(again, { say: "alive" })).text, "alive");
  });

  Deno.test(`a call during which ${how === "HTTP" ? "the stream ends" : "the program dies"}: its outcome is not known, and the next one works`, async () => {
    await using server = startHttpMcp();
    await using test = openTestHub({
      s: how === "HTTP" ? { url: server.url } : program(),
    });
    const die = await test.tool("s__die");
    const error = await assertRejects(() => runTool(die, {}), Error);
    assertEquals(
      error.message,
      'The MCP server "s" went away during the call. Whether it did anything ' +
        "is not known.",
    );
    const stderr = test.said.some((line) => line.includes("ready to serve"));
    assertEquals(stderr, how !== "HTTP");
    const echo = await test.tool("s__echo");
    assertEquals((await runTool(echo, { say: "back" })).text, "back");
  });
}

Deno.test("a server that forgot the session is greeted anew before a call", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  const echo = await test.tool("s__echo");
  server.forget();
  assertEquals((await runTool(echo, { say: "again" })).text, "again");
});

Deno.test("T08: tools of a server that keeps what it is told carry nothing out; of any other they do", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({
    kept: { url: server.url, local: true },
    out: { url: server.url },
  });
  const flags = async (name: string) => {
    const { outbound, untrusted } = await test.tool(name);
    return [outbound, untrusted];
  };
  assertEquals(await flags("kept__echo"), [undefined, true]);
  assertEquals(await flags("out__echo"), [true, true]);
});
