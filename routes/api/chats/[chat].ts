import { isChatId } from "../../../lib/chat/ids.ts";
import { api, problem } from "../../../lib/web/problem.ts";
import type { Handlers } from "../../../lib/web/route.ts";

/** `GET /api/chats/{chat}`: everything said in it. */
export const handler: Handlers = api({
  async GET({ params, state }) {
    const id = params.chat!;
    const chat = isChatId(id) ? await state.runs.chat(state.owner, id) : null;
    if (chat === null) {
      return problem(404, "no_such_chat", "There is no such chat.");
    }
    return Response.json(chat, { headers: { "cache-control": "no-store" } });
  },
});
