import { api } from "../../lib/web/problem.ts";
import type { Handlers } from "../../lib/web/route.ts";

/** `GET /api/models`: the models a chat can choose, and the standard one. */
export const handler: Handlers = api({
  async GET({ state }) {
    return Response.json(await state.models.view(), {
      headers: { "cache-control": "no-store" },
    });
  },
});
