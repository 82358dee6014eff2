import { isChatId } from "../../../../lib/chat/ids.ts";
import { readJson } from "../../../../lib/web/body.ts";
import { noSuchChat } from "../../../../lib/web/chat_refusal.ts";
import { api } from "../../../../lib/web/problem.ts";
import { chatSettings } from "../../../../lib/web/requests.ts";
import type { Handlers } from "../../../../lib/web/route.ts";

/** `PUT /api/chats/{chat}/settings`: model, temperature, system prompt. */
export const handler: Handlers = api({
  async PUT({ req, params, state }) {
    const settings = await readJson(req, chatSettings);
    const id = params.chat!;
    const known = isChatId(id) &&
      await state.runs.configure(state.owner, id, settings);
    if (!known) return noSuchChat();
    return Response.json(settings, {
      headers: { "cache-control": "no-store" },
    });
  },
});
