import { assert, assertEquals, assertRejects } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FakeTime } from "@std/testing/time";
import {
  eventually,
  openTestHub,
  program,
  runTool,
} from "../helpers/mcp_hub.ts";
import { startHttpMcp } from "../helpers/mcp_server.ts";

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Whether a process is there and not merely waiting to be buried. */
function lives(pid: number): boolean {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return !/^State:\s+[ZX]/m.test(status);
  } catch {
    return false;
  }
}

Deno.test("openMcp() starts nothing before a tool is needed, and one client per person and server", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  assertEquals(test.hub.status("ann")[0]!.state, "connecting");
  assertEquals(server.requests.length, 0);
  const greeted = () =>
    server.script.methods.filter((m) => m === "initialize").length;
  await Promise.all([test.hub.tools("ann"), test.hub.tools("ann")]);
  await runTool(await test.tool("s__echo"), { say: "x" });
  assertEquals(greeted(), 1);
  await runTool(await test.tool("s__echo", "bob"), { say: "y" });
  assertEquals(greeted(), 2);

  // Threat 19: nobody's calls go over another one's session.
  const said = new Map(
    server.requests.filter(({ body }) => body?.method === "tools/call").map((
      { body, headers },
    ) => [
      (body!.params!.arguments as { say: string }).say,
      headers.get("mcp-session-id"),
    ]),
  );
  assertEquals(said.size, 2);
  assert(said.get("x") !== said.get("y"));
  await test.hub.close();
  assertEquals(server.ended.sort(), [...said.values()].sort());
});

Deno.test("close() closes the stream a client listens on, also after a garbage collection", async () => {
  // Deno 2.9 forgets to abort an answer that nobody holds any more.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  await test.tool("s__echo");
  await server.until(() => server.listeners === 1);
  for (let times = 0; times < 5; times++) {
    collect();
    await tick();
  }
  await test.hub.close();
  await server.until(() => server.listeners === 0);
});

Deno.test("where there is one person, a look at the status connects already", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } }, { warm: true });
  assertEquals(test.hub.status("local")[0]!.tools, []);
  await eventually(() => test.hub.status("local")[0]!.state === "ready");
  await server.until(() => server.script.methods.includes("tools/list"));
});

Deno.test("a dead server gives no tools, says why in plain words, and takes nobody's time", async () => {
  await using server = startHttpMcp();
  const gone = startHttpMcp();
  await gone[Symbol.asyncDispose]();
  await using test = openTestHub({
    dead: { url: `${gone.url}/s/pathkey?key=querykey` },
    none: { command: "no-such-program-anywhere" },
    s: { url: server.url },
  });
  const began = performance.now();
  const tools = await test.hub.tools("ann");
  const ms = Math.round(performance.now() - began);
  console.log(`    tools() beside two dead servers: ${ms} ms`);
  assert(ms < 1_500, `${ms} ms`);
  assert(tools.length > 0 && tools.every(({ name }) => name.startsWith("s__")));
  const [dead, none, alive] = test.hub.status("ann");
  assertEquals(dead, {
    name: "dead",
    state: "unreachable",
    trouble: "The server cannot be reached.",
    tools: [],
  });
  assertEquals(none!.trouble, "The server's program is not installed here.");
  assertEquals([alive!.state, alive!.trouble], ["ready", null]);
  // The log knows more than the person.
  assert(test.said.some((line) => line.includes("no-such-program-anywhere")));
  // Many servers have their key in their address (P02).
  const { host } = new URL(gone.url);
  assert(test.said.some((line) => line.includes(host)), test.said.join());
  assert(!/pathkey|querykey/.test(test.said.join()), test.said.join());
});

Deno.test("a server that does not answer delays a question by two seconds at most, and connects in the background", async () => {
  await using server = startHttpMcp();
  const { promise: go, resolve } = Promise.withResolvers<null>();
  server.instead = () => go;
  await using test = openTestHub({ s: { url: server.url } });
  const began = performance.now();
  assertEquals(await test.hub.tools("ann"), []);
  const ms = Math.round(performance.now() - began);
  console.log(`    tools() beside a server that is silent: ${ms} ms`);
  assert(ms < 2_300, `${ms} ms`);
  assertEquals(test.hub.status("ann")[0]!.state, "connecting");
  resolve(null);
  await eventually(() => test.hub.status("ann")[0]!.state === "ready");
  assert((await test.hub.tools("ann")).length > 0);
});

Deno.test("a server that does not come up is asked later and later", async () => {
  let now = 0;
  await using server = startHttpMcp();
  server.instead = () => new Response("no", { status: 503 });
  await using test = openTestHub({ s: { url: server.url } }, {
    now: () => new Date(now),
  });
  const asked = async () => {
    const before = server.requests.length;
    await test.hub.tools("ann");
    return server.requests.length > before;
  };
  assertEquals(await asked(), true);
  const [view] = test.hub.status("ann");
  assertEquals(view!.trouble, "The server answered with HTTP status 503.");
  assertEquals(await asked(), false);
  const waits: number[] = [];
  for (let tries = 0; tries < 8; tries++) {
    const since = now;
    do now += 500; while (!await asked() && now < since + 100_000);
    waits.push(now - since);
  }
  assertEquals(waits, [1, 2, 4, 8, 16, 32, 60, 60].map((s) => s * 1000));
  server.instead = null;
  now += 60_000;
  assert((await test.hub.tools("ann")).length > 0);
});

Deno.test("the connections of all people together are bounded: the one used longest ago goes first", async () => {
  let now = 0;
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } }, {
    now: () => new Date(++now),
  });
  const people = Array.from({ length: 66 }, (_, i) => `person-${i}`);
  for (const person of people) await test.hub.tools(person);
  await server.until(() => server.ended.length === 2);
  const order = [
    ...new Set(
      server.requests.map(({ headers }) => headers.get("mcp-session-id")),
    ),
  ].filter((id) => id !== null);
  assertEquals(server.ended, order.slice(0, 2));
  // Who comes back is connected anew.
  assert((await test.hub.tools(people[0]!)).length > 0);
});

Deno.test("a connection nobody used for ten minutes is closed, and made anew when needed", async () => {
  await using server = startHttpMcp();
  const test = openTestHub({ s: { url: server.url } });
  {
    using time = new FakeTime();
    const echo = await test.tool("s__echo");
    await time.tickAsync(9 * 60_000);
    await runTool(echo, { say: "still here" });
    await time.tickAsync(9 * 60_000);
    assertEquals(server.ended.length, 0);
    await time.tickAsync(61_000);
    await server.until(() => server.ended.length === 1);
    assertEquals((await runTool(echo, { say: "back" })).text, "back");
    await test.hub.close();
  }
});

Deno.test("a program ends with everything it started, even one that will not", async () => {
  const file = await Deno.makeTempFile();
  try {
    const test = openTestHub({ s: program("deaf", "parent", file) });
    await test.tool("s__echo");
    const child = Number(await Deno.readTextFile(file));
    assertEquals(lives(child), true);
    const began = performance.now();
    await test.hub.close();
    console.log(
      `    a program that will not end: gone after ${
        Math.round(performance.now() - began)
      } ms`,
    );
    await eventually(() => !lives(child));
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a program that prints other things, or ends at a question it does not know, still serves", async () => {
  await using test = openTestHub({ n: program("noisy"), p: program("picky") });
  for (const name of ["n__echo", "p__echo"]) {
    assertEquals(
      (await runTool(await test.tool(name), { say: "ok" })).text,
      "ok",
    );
  }
});

Deno.test("close() ends a connection that is still being made", async () => {
  await using server = startHttpMcp();
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const { promise: never, resolve: letGo } = Promise.withResolvers<null>();
  server.instead = () => {
    resolve();
    return never;
  };
  const test = openTestHub({ s: { url: server.url } });
  const tools = test.hub.tools("ann");
  await asked;
  await test.hub.close();
  assertEquals(await tools, []);
  letGo(null);
  await assertRejects(() => test.tool("s__echo"));
});
