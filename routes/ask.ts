import { readForm } from "../lib/web/form.ts";
import { api } from "../lib/web/problem.ts";
import { askForm } from "../lib/web/requests.ts";
import type { Handlers } from "../lib/web/route.ts";
import { startRefusal } from "../lib/web/start_refusal.ts";

/** `POST /ask`: the composer's form where there are no scripts. */
export const handler: Handlers = api({
  async POST({ req, state }) {
    const { text, chat_id } = await readForm(req, askForm);
    const outcome = await state.runs.start({
      owner: state.owner,
      text,
      chat: chat_id || undefined,
    });
    // A busy chat shows the answer under way; the question waits in the form.
    if (outcome.kind !== "started" && outcome.kind !== "active") {
      return startRefusal(outcome);
    }
    return new Response(null, {
      status: 303,
      headers: { location: `/c/${outcome.chat}` },
    });
  },
});
