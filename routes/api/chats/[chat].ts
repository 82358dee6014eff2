import { isChatId } from "../../../lib/chat/ids.ts";
import { noSuchChat } from "../../../lib/web/chat_refusal.ts";
import { api } from "../../../lib/web/problem.ts";
import type { Handlers } from "../../../lib/web/route.ts";

/**
 * `GET /api/chats/{chat}`: the branch people see, and what waits behind it.
 * `DELETE` takes the chat away for good, whatever still runs in it.
 */
export const handler: Handlers = api({
  async GET({ params, state }) {
    const id = params.chat!;
    const chat = isChatId(id) ? await state.runs.chat(state.owner, id) : null;
    if (chat === null) return noSuchChat();
    return Response.json(chat, { headers: { "cache-control": "no-store" } });
  },

  async DELETE({ params, state }) {
    const id = params.chat!;
    const removed = isChatId(id) && await state.runs.remove(state.owner, id);
    return removed ? new Response(null, { status: 204 }) : noSuchChat();
  },
});
