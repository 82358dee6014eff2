import { assert, assertEquals } from "@std/assert";
import type { ToolServerView } from "../../lib/chat/views.ts";
import type { Visit } from "../../lib/web/route.ts";
import { handler as tools } from "../../routes/api/tools.ts";
import { handler as confirm } from "../../routes/api/tools/confirm.ts";
import { startApp } from "../helpers/app.ts";
import { openTestHub } from "../helpers/mcp_hub.ts";
import { startHttpMcp } from "../helpers/mcp_server.ts";

/** Asks a route as a host would, with the doors it needs. */
async function ask(
  handler: typeof tools,
  state: Pick<Visit, "access" | "by" | "toolServers">,
  body?: unknown,
): Promise<
  { status: number; body: { code?: string; servers?: ToolServerView[] } }
> {
  const url = new URL("http://localhost/api/tools");
  const req = body === undefined ? new Request(url) : new Request(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const response = await handler[req.method as "GET" | "POST"]!({
    req,
    url,
    params: {},
    state: { ...state, owner: "ann" } as Visit,
  });
  const { status } = response as Response;
  return { status, body: await (response as Response).json() };
}

Deno.test("T06: GET /api/tools shows the change, POST /api/tools/confirm takes it", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  const state = {
    access: "loopback",
    by: "place",
    toolServers: test.hub,
  } as const;
  await test.tool("s__echo");
  server.script.mutate();
  await test.hub.tools("ann");
  const echo = (body: { servers?: ToolServerView[] }) =>
    body.servers![0]!.tools.find(({ name }) => name === "echo")!;

  const { body } = await ask(tools, state);
  assertEquals(echo(body).state, "changed");
  const sent = { server: "s", tool: "echo" };
  const done = await ask(confirm, state, sent);
  assertEquals([done.status, echo(done.body).state], [200, "ready"]);
  const again = await ask(confirm, state, sent);
  assertEquals([again.status, again.body.code], [409, "nothing_to_confirm"]);
  const wrong = await ask(confirm, state, { server: "s" });
  assertEquals([wrong.status, wrong.body.code], [400, "missing_field"]);
});

Deno.test("T11: visitors of a public server and programs with a token confirm nothing", async () => {
  await using server = startHttpMcp();
  await using test = openTestHub({ s: { url: server.url } });
  await test.tool("s__echo");
  server.script.mutate();
  await test.hub.tools("ann");
  test.hub.status("ann");
  for (
    const [access, by] of [
      ["public", "cookie"],
      ["public", "token"],
      ["loopback", "token"],
    ] as const
  ) {
    const state = { access, by, toolServers: test.hub };
    const { status, body } = await ask(confirm, state, {
      server: "s",
      tool: "echo",
    });
    assertEquals([status, body.code], [403, "not_here"]);
  }
  const [view] = test.hub.status("ann");
  assert(view!.tools.some(({ state }) => state === "changed"));
});

Deno.test("T11, T12: no request adds a server or a command, and there is no OAuth callback", async () => {
  const server = {
    command: "touch",
    args: ["/tmp/owned"],
    url: "http://x.test",
  };
  for (const access of ["loopback", "public"] as const) {
    await using app = await startApp({ access });
    const send = async (method: string, path: string) => {
      const response = await fetch(`${app.url}${path}`, {
        method,
        headers: { "content-type": "application/json" },
        body: method === "GET" ? undefined : JSON.stringify({
          name: "evil",
          mcpServers: { evil: server },
          ...server,
        }),
      });
      await response.body?.cancel();
      return response.status;
    };
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      assertEquals(await send(method, "/api/tools"), 405, method);
      for (const path of ["/api/mcp", "/api/tools/evil", "/api/mcp/servers"]) {
        assertEquals(await send(method, path), 404, `${method} ${path}`);
      }
    }
    for (
      const path of [
        "/oauth/callback?code=x&state=y",
        "/api/mcp/oauth/callback?code=x&state=y",
        "/api/mcp/s/oauth/callback?code=x",
        "/.well-known/oauth-client",
      ]
    ) assertEquals(await send("GET", path), 404, path);
  }
});
