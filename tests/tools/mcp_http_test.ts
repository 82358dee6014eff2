import { assert, assertEquals } from "@std/assert";
import { openTestHub, runTool } from "../helpers/mcp_hub.ts";
import { startHttpMcp } from "../helpers/mcp_server.ts";

const TOKEN = "t-canary-0123456789abcdef";

Deno.test("T12: headers reach the server as they stand in the file, the token from its variable", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({
    s: {
      url: server.url,
      headers: { "X-Key": "${OPENAI_API_KEY}" },
      tokenEnv: "WEB_TOKEN",
    },
  }, { env: { WEB_TOKEN: TOKEN, OPENAI_API_KEY: "sk-canary-0123456789" } });
  await runTool(await test.tool("s__echo"), { say: "x" });
  for (const { headers } of server.requests) {
    assertEquals(headers.get("x-key"), "${OPENAI_API_KEY}");
    assertEquals(headers.get("authorization"), `Bearer ${TOKEN}`);
  }
  assert(server.requests.length > 3);
});

Deno.test("S07: a redirect to another origin is refused, and the token never sent there", async () => {
  await using other = startHttpMcp();
  await using server = startHttpMcp();
  for (const status of [301, 302, 303, 307, 308]) {
    server.instead = () =>
      new Response(null, { status, headers: { location: other.url } });
    await using test = openTestHub({
      s: { url: server.url, tokenEnv: "WEB_TOKEN" },
    }, { env: { WEB_TOKEN: TOKEN } });
    assertEquals(await test.hub.tools("ann"), []);
    assertEquals(
      test.hub.status("ann")[0]!.trouble,
      "The server sends requests on to another address, which is refused.",
    );
  }
  assertEquals(other.requests.length, 0);

  // Within the origin it is followed.
  server.instead = (req) =>
    new URL(req.url).pathname === "/mcp"
      ? new Response(null, { status: 307, headers: { location: "/there" } })
      : null;
  await using test = openTestHub({ s: { url: server.url } });
  assert((await test.hub.tools("ann")).length > 0);
});

Deno.test("a redirect in the middle of a connection is refused too (S07)", async () => {
  await using other = startHttpMcp();
  await using server = startHttpMcp();
  await using test = openTestHub({
    s: { url: server.url, tokenEnv: "WEB_TOKEN" },
  }, { env: { WEB_TOKEN: TOKEN } });
  await test.tool("s__echo");
  server.instead = () =>
    new Response(null, { status: 308, headers: { location: other.url } });
  assertEquals(await test.hub.tools("ann"), []);
  assertEquals(other.requests.length, 0);
});

Deno.test("a server that wants a token says so in plain words, and no token is looked for elsewhere (T12)", async () => {
  await using server = startHttpMcp();
  server.instead = () =>
    new Response("secret words of the server", {
      status: 401,
      headers: {
        "www-authenticate":
          `Bearer resource_metadata="${server.url}/.well-known/x"`,
      },
    });
  await using test = openTestHub({ s: { url: server.url } });
  assertEquals(await test.hub.tools("ann"), []);
  assertEquals(
    test.hub.status("ann")[0]!.trouble,
    "The server refuses the token it was given, or wants one.",
  );
  // OAuth is not spoken: nothing but the address itself was asked for.
  assertEquals(server.requests.every(({ method }) => method === "POST"), true);
});

Deno.test("openMcp() takes at most 100 tools of a server, page by page, and says so", async () => {
  await using server = startHttpMcp();
  server.script.pageSize = 7;
  server.script.tools = Array.from({ length: 250 }, (_, i) => ({
    name: `t${i}`,
    inputSchema: { type: "object" },
  }));
  await using test = openTestHub({ s: { url: server.url } });
  const tools = await test.hub.tools("ann");
  assertEquals(tools.map(({ name }) => name), [
    ...Array(100).keys().map((i) => `s__t${i}`),
  ]);
  assert(test.said.some((line) => line.includes("more than 100 tools")));
  const pages = server.script.methods.filter((m) => m === "tools/list").length;
  assertEquals(pages, 15);
});

Deno.test("a server that lists thousands of tools nobody can use does not fill the log", async () => {
  await using server = startHttpMcp();
  server.script.tools = Array.from({ length: 3_000 }, (_, i) => ({
    name: `${i}${"x".repeat(300)}`,
    inputSchema: { type: "object" },
  }));
  await using test = openTestHub({ s: { url: server.url } });
  assertEquals(await test.hub.tools("ann"), []);
  const told = test.said.filter((line) => line.includes("is left out"));
  assertEquals(told.length, 10);
  assert(test.said.some((line) => line.includes("more than 10 tools")));
});

Deno.test("a server whose list never ends is left after 20 pages", async () => {
  await using server = startHttpMcp();
  server.script.pageSize = 0;
  await using test = openTestHub({ s: { url: server.url } });
  assertEquals(await test.hub.tools("ann"), []);
  const pages = server.script.methods.filter((m) => m === "tools/list").length;
  assertEquals(pages, 20);
});
