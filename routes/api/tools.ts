import { api } from "../../lib/web/problem.ts";
import type { Handlers } from "../../lib/web/route.ts";

/** `GET /api/tools`: the servers that bring tools, and how they are. */
export const handler: Handlers = api({
  GET({ state }) {
    const servers = state.toolServers.status(state.owner);
    return Response.json({ servers }, {
      headers: { "cache-control": "no-store" },
    });
  },
});
