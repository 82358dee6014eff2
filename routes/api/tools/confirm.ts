import * as z from "zod";
import { readJson } from "../../../lib/web/body.ts";
import { api, problem } from "../../../lib/web/problem.ts";
import type { Handlers } from "../../../lib/web/route.ts";

const confirmation = z.object({
  server: z.string().min(1).max(64),
  tool: z.string().min(1).max(256),
});

/**
 * `POST /api/tools/confirm`: take a changed tool as it is now (case T06). For the
 * person who runs the server alone, not for visitors and not for programs with a
 * token (case T11).
 */
export const handler: Handlers = api({
  async POST({ req, state }) {
    const { owner, access, by, toolServers } = state;
    if (access !== "loopback" || by === "token") {
      return problem(
        403,
        "not_here",
        "Only who runs this server can confirm a changed tool.",
      );
    }
    const { server, tool } = await readJson(req, confirmation);
    if (!await toolServers.confirm(owner, server, tool)) {
      return problem(
        409,
        "nothing_to_confirm",
        "There is no such change, or the tool has changed again. Look at it anew.",
      );
    }
    return Response.json({ servers: toolServers.status(owner) }, {
      headers: { "cache-control": "no-store" },
    });
  },
});
