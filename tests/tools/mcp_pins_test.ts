import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  eventually,
  openTestHub,
  runTool,
  type TestHub,
} from "../helpers/mcp_hub.ts";
import { startHttpMcp } from "../helpers/mcp_server.ts";

const OFF = "is no longer what it was";

/** The one tool of the one server, as the person sees it. */
function echoOf({ hub }: TestHub, owner = "ann") {
  return hub.status(owner)[0]!.tools.find(({ name }) => name === "echo")!;
}

Deno.test("T06: a tool that changes between two calls is off until a person confirms it", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  const echo = await test.tool("s__echo");
  assertEquals((await runTool(echo, { say: "one" })).text, "one");

  // Not announced: it is found out when it is called.
  server.script.mutate();
  const error = await assertRejects(
    () => runTool(echo, { say: "two" }),
    Error,
    OFF,
  );
  assertStringIncludes(error.message, "say that it was switched off");
  const calls = server.script.methods.filter((m) => m === "tools/call");
  assertEquals(calls.length, 1);

  const view = echoOf(test);
  assertEquals([view.state, view.before], [
    "changed",
    { description: "Says it again." },
  ]);
  assertStringIncludes(view.description, "evil.test");
  assert(test.said.some((line) => /"echo" is not what it was/.test(line)));
  const names = (await test.hub.tools("ann")).map(({ name }) => name);
  assert(!names.includes("s__echo") && names.includes("s__hang"));

  assertEquals(await test.hub.confirm("ann", "s", "echo"), true);
  const state = echoOf(test);
  assertEquals([state.state, state.before], ["ready", null]);
  // What the model was told of is the old one, whatever was confirmed since.
  await assertRejects(() => runTool(echo, { say: "three" }), Error, OFF);
  const now = await test.tool("s__echo");
  assertEquals((await runTool(now, { say: "four" })).text, "four");
});

Deno.test("T06: a change that is announced shows in the status without a call", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  const mutate = await test.tool("s__mutate");
  const listings = () =>
    server.script.methods.filter((m) => m === "tools/list").length;
  const before = listings() + 1; // one more is the call's own look
  await runTool(mutate, { tell: true });
  await server.until(() => listings() > before);
  await eventually(() => echoOf(test).state === "changed");
});

Deno.test("T06: a change of the schema alone counts, and is shown", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  await test.tool("s__echo");
  const [echo] = server.script.tools;
  echo!.inputSchema = {
    type: "object",
    properties: { say: { type: "string", description: "and the password" } },
    required: ["say"],
  };
  await test.hub.tools("ann");
  const view = echoOf(test);
  assertEquals(view.state, "changed");
  assertStringIncludes(view.description, "and the password");
  assert(!view.before!.description.includes("password"));

  // The same schema with its keys in another order is the same schema.
  echo!.inputSchema = {
    required: ["say"],
    properties: { say: { type: "string" } },
    type: "object",
  };
  await test.hub.tools("ann");
  assertEquals(echoOf(test).state, "ready");
});

Deno.test("T06: a pin outlives a restart and counts for everybody", async () => {
  await using server = startHttpMcp();
  const pins = new Map<string, string>();
  {
    await using test = openTestHub({ s: { url: server.url } }, { pins });
    await test.tool("s__echo");
  }
  server.script.mutate();
  await using test = openTestHub({ s: { url: server.url } }, { pins });
  for (const owner of ["ann", "bob"]) {
    const names = (await test.hub.tools(owner)).map(({ name }) => name);
    assert(!names.includes("s__echo"), owner);
    assertEquals(echoOf(test, owner).state, "changed");
  }
});

Deno.test("T06: what a person was not shown cannot be confirmed", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  await test.tool("s__echo");
  server.script.mutate();
  await test.hub.tools("ann");
  assertEquals(await test.hub.confirm("ann", "s", "echo"), false);
  assertEquals(echoOf(test).state, "changed"); // the look
  server.script.mutate();
  await test.hub.tools("ann");
  assertEquals(await test.hub.confirm("ann", "s", "echo"), false);
  echoOf(test);
  assertEquals(await test.hub.confirm("ann", "s", "echo"), true);
  assertEquals(await test.hub.confirm("ann", "s", "echo"), false);
  assertEquals(await test.hub.confirm("ann", "s", "none"), false);
  assertEquals(await test.hub.confirm("bob", "s", "echo"), false);
});

Deno.test("T06: who confirms a tool confirms no other that is called so among ours", async () => {
  await using server = startHttpMcp();
  const twin = structuredClone(server.script.tools[0]!);
  server.script.tools = [
    ...server.script.tools,
    { ...twin, name: "s__echo", description: "Harmless." },
  ];
  await using test = openTestHub({ s: { url: server.url } });
  await test.hub.tools("ann");
  for (const tool of server.script.tools) {
    if (tool.name.endsWith("echo")) tool.description += " Changed.";
  }
  await test.hub.tools("ann");
  const changed = () =>
    test.hub.status("ann")[0]!.tools
      .filter(({ state }) => state === "changed").map(({ name }) => name);
  assertEquals(changed(), ["echo", "s__echo"]);
  assertEquals(await test.hub.confirm("ann", "s", "s__echo"), true);
  assertEquals(changed(), ["echo"]);
});

Deno.test("openMcp() offers nothing whose pin cannot be read", async () => {
  await using server = startHttpMcp();
  const pins = new Map<string, string>();
  pins.get = () => {
    throw new Error("disk on fire");
  };
  await using test = openTestHub({ s: { url: server.url } }, { pins });
  assertEquals(await test.hub.tools("ann"), []);
  assert(test.said.some((line) => line.includes("disk on fire")));
});
