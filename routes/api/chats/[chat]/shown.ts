import { isChatId } from "../../../../lib/chat/ids.ts";
import { readJson } from "../../../../lib/web/body.ts";
import { noSuchTurn } from "../../../../lib/web/chat_refusal.ts";
import { api } from "../../../../lib/web/problem.ts";
import { shownRequest } from "../../../../lib/web/requests.ts";
import type { Handlers } from "../../../../lib/web/route.ts";

/**
 * `PUT /api/chats/{chat}/shown`: shows the branch a version is on, here and
 * wherever the chat is opened next. Answers with the chat as it is shown then.
 */
export const handler: Handlers = api({
  async PUT({ req, params, state }) {
    const { run } = await readJson(req, shownRequest);
    const { runs, owner } = state;
    const id = params.chat!;
    const shown = isChatId(id) && await runs.show(owner, id, run);
    const chat = shown ? await runs.chat(owner, id) : null;
    if (chat === null) return noSuchTurn();
    return Response.json(chat, { headers: { "cache-control": "no-store" } });
  },
});
