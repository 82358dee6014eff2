/**
 * Every door of the server, as somebody has looked at it. A new one is a line
 * here, and belongs into docs/api.md or docs/architecture.md.
 */
import { assertEquals } from "@std/assert";
import { readRoutes } from "../../host/route_table.ts";
import { methodsOf } from "../../host/surround.ts";
import { ROOT } from "../structure/imports.ts";

const REVIEWED = [
  "GET /",
  "POST /api/chat",
  "GET /api/chat/:id/stream",
  "GET /api/chats",
  "DELETE GET /api/chats/:chat",
  "GET PUT /api/chats/:chat/queue",
  "DELETE /api/chats/:chat/queue/:id",
  "POST /api/chats/:chat/queue/:id/now",
  "PUT /api/chats/:chat/settings",
  "PUT /api/chats/:chat/shown",
  "GET /api/export",
  "GET /api/models",
  "POST /api/runs",
  "GET /api/runs/:run",
  "POST /api/runs/:run/approvals/:id",
  "GET /api/runs/:run/events",
  "GET /api/runs/:run/images/:name",
  "GET /api/runs/:run/outputs/:name",
  "POST /api/runs/:run/stop",
  "GET /api/tools",
  "POST /api/tools/confirm",
  "POST /ask",
  "GET /c/:chat",
  "GET /healthz",
  "GET /print_stream",
  "GET /tools",
  "POST /v1/chat/completions",
  "GET /v1/models",
  "GET /v1/models/:id",
];

Deno.test("A12: the routes there are, with their methods, are those somebody has reviewed", async () => {
  const { routes } = await readRoutes(new URL("routes/", ROOT));
  const found = await Promise.all(routes.map(async ({ pattern, file }) => {
    const methods = methodsOf(await import(file.href));
    // Every GET is a HEAD as well.
    return `${
      methods.filter((method) => method !== "HEAD").sort().join(" ")
    } ${pattern}`;
  }));
  const byPath = (line: string) => line.slice(line.indexOf("/"));
  assertEquals(
    found.sort((a, b) => byPath(a) < byPath(b) ? -1 : 1),
    REVIEWED,
  );
});
