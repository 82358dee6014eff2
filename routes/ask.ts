import { readForm } from "../lib/web/form.ts";
import { api } from "../lib/web/problem.ts";
import { askForm } from "../lib/web/requests.ts";
import type { Handlers } from "../lib/web/route.ts";
import { startRefusal } from "../lib/web/start_refusal.ts";

/**
 * `POST /ask`: the composer's form where there are no scripts. Pressed twice, or
 * sent again by a reload, the key in the form asks once (N10). A browser that
 * goes back shows the same form again: with other words it is another question.
 */
export const handler: Handlers = api({
  async POST({ req, state }) {
    const { text, chat_id, idempotency_key } = await readForm(req, askForm);
    const outcome = await state.runs.start({
      owner: state.owner,
      text,
      chat: chat_id || undefined,
      idempotencyKey: idempotency_key
        ? await keyOf(idempotency_key, [chat_id ?? "", text])
        : undefined,
      queue: true,
    });
    // The page shows what waits, too: nothing that was written is lost (R12).
    if (outcome.kind !== "started" && outcome.kind !== "queued") {
      return startRefusal(outcome);
    }
    return new Response(null, {
      status: 303,
      headers: { location: `/c/${outcome.chat}` },
    });
  },
});

async function keyOf(form: string, fields: string[]): Promise<string> {
  const words = new TextEncoder().encode(JSON.stringify([form, ...fields]));
  const hash = await crypto.subtle.digest("SHA-256", words);
  return `form-${new Uint8Array(hash).toHex()}`;
}
