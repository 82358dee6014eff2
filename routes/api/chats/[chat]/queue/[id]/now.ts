import { isChatId, isMessageId } from "../../../../../../lib/chat/ids.ts";
import { notWaiting } from "../../../../../../lib/web/chat_refusal.ts";
import { api } from "../../../../../../lib/web/problem.ts";
import type { Handlers } from "../../../../../../lib/web/route.ts";

/**
 * `POST /api/chats/{chat}/queue/{id}/now`: the message is the next one, and goes
 * as soon as the answer in progress has stopped. 202 while it does.
 */
export const handler: Handlers = api({
  async POST({ params, state }) {
    const { chat, id } = params as { chat: string; id: string };
    const next = isChatId(chat) && isMessageId(id) &&
      await state.runs.sendNow(state.owner, chat, id);
    if (!next) return notWaiting();
    return Response.json({ status: "sending" }, {
      status: 202,
      headers: { "cache-control": "no-store" },
    });
  },
});
