import { isChatId, isMessageId } from "../../../../../lib/chat/ids.ts";
import { notWaiting } from "../../../../../lib/web/chat_refusal.ts";
import { api } from "../../../../../lib/web/problem.ts";
import type { Handlers } from "../../../../../lib/web/route.ts";

/**
 * `DELETE /api/chats/{chat}/queue/{id}`: takes a waiting message back. Answers
 * with the message, so that its text goes back to where it was written.
 */
export const handler: Handlers = api({
  async DELETE({ params, state }) {
    const { chat, id } = params as { chat: string; id: string };
    const message = isChatId(chat) && isMessageId(id)
      ? await state.runs.withdraw(state.owner, chat, id)
      : null;
    if (message === null) return notWaiting();
    return Response.json(message, { headers: { "cache-control": "no-store" } });
  },
});
