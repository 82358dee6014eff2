import { readForm } from "../lib/web/form.ts";
import { api, problem } from "../lib/web/problem.ts";
import { askForm } from "../lib/web/requests.ts";
import type { Handlers } from "../lib/web/route.ts";

/** `POST /ask`: the composer's form where there are no scripts. */
export const handler: Handlers = api({
  async POST({ req, state }) {
    const { text, chat_id } = await readForm(req, askForm);
    const outcome = await state.runs.start({
      owner: state.owner,
      text,
      chat: chat_id || undefined,
    });
    switch (outcome.kind) {
      case "started":
      // The chat shows the answer under way; the question waits in the form.
      case "active":
        return new Response(null, {
          status: 303,
          headers: { location: `/c/${outcome.chat}` },
        });
      case "no-chat":
        return problem(404, "no_such_chat", "There is no such chat.");
      default:
        return problem(
          503,
          "unavailable",
          "The question could not be taken. Go back and try again.",
          { headers: { "retry-after": "5" } },
        );
    }
  },
});
