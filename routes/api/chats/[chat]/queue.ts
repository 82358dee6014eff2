import { isChatId } from "../../../../lib/chat/ids.ts";
import { readJson } from "../../../../lib/web/body.ts";
import { noSuchChat } from "../../../../lib/web/chat_refusal.ts";
import { api, problem } from "../../../../lib/web/problem.ts";
import { orderRequest } from "../../../../lib/web/requests.ts";
import type { Handlers, Visit } from "../../../../lib/web/route.ts";

/**
 * `GET /api/chats/{chat}/queue`: the messages that wait, the next one first.
 * `PUT` puts them into another order, if `order` is exactly those that wait.
 */
export const handler: Handlers = api({
  async GET({ params, state }) {
    const queue = await queueOf(state, params.chat!);
    if (queue === null) return noSuchChat();
    return Response.json({ queue }, {
      headers: { "cache-control": "no-store" },
    });
  },

  async PUT({ req, params, state }) {
    const { order } = await readJson(req, orderRequest);
    const id = params.chat!;
    const done = isChatId(id) &&
      await state.runs.reorder(state.owner, id, order);
    const queue = await queueOf(state, id);
    if (queue === null) return noSuchChat();
    if (!done) {
      return problem(
        409,
        "queue_changed",
        "Other messages wait by now than those you put in order.",
        { members: { queue } },
      );
    }
    return Response.json({ queue }, {
      headers: { "cache-control": "no-store" },
    });
  },
});

/** Null if there is no such chat of this owner. */
async function queueOf({ runs, owner }: Visit, id: string) {
  return isChatId(id) ? await runs.queue(owner, id) : null;
}
