import { api } from "../../lib/web/problem.ts";
import type { Handlers } from "../../lib/web/route.ts";

/** `GET /api/chats`: this visitor's chats, newest first. */
export const handler: Handlers = api({
  async GET({ state }) {
    const chats = await state.runs.chats(state.owner);
    return Response.json({ chats }, {
      headers: { "cache-control": "no-store" },
    });
  },
});
