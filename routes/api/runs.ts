import type { QueuedRun, StartedRun } from "../../lib/chat/views.ts";
import { readJson } from "../../lib/web/body.ts";
import { idempotencyHeader } from "../../lib/web/idempotency.ts";
import { checkedImages, MAX_BODY } from "../../lib/web/images.ts";
import { api } from "../../lib/web/problem.ts";
import { startRequest } from "../../lib/web/requests.ts";
import type { Handlers } from "../../lib/web/route.ts";
import { eventFrames } from "../../lib/web/sse.ts";
import { startRefusal } from "../../lib/web/start_refusal.ts";
import { tapeResponse } from "../../lib/web/tape_response.ts";
import { wants } from "../../lib/web/wants.ts";

/**
 * `POST /api/runs`: ask, anew, in another's place, or behind one that is still
 * being answered. 202 with the run, its events if asked for them, or the message
 * that waits.
 */
export const handler: Handlers = api({
  async POST({ req, state }) {
    const body = await readJson(req, startRequest, { limit: MAX_BODY });
    const { runs, owner } = state;
    const outcome = await runs.start({
      owner,
      text: body.text ?? undefined,
      chat: body.chat_id ?? undefined,
      idempotencyKey: body.idempotency_key ?? idempotencyHeader(req),
      images: body.images?.length
        ? checkedImages(
          body.images.map((url, i) => ({ url, param: `images[${i}]` })),
        )
        : undefined,
      settings: body.settings ?? undefined,
      replaces: body.replaces ?? undefined,
      continues: body.continues ?? undefined,
      queue: body.queue ?? undefined,
    });
    if (outcome.kind === "queued") {
      const { chat, message } = outcome;
      const waiting: QueuedRun = { chat_id: chat, queued: message };
      return accepted(waiting, `/api/chats/${chat}/queue`);
    }
    if (outcome.kind !== "started") return startRefusal(outcome);
    const { run, chat } = outcome;
    if (wants(req, "text/event-stream")) {
      return await tapeResponse(
        runs,
        owner,
        run,
        req.headers.get("last-event-id"),
        (resync) => eventFrames({ resync, dataBeat: false }),
      );
    }
    const started: StartedRun = {
      run_id: run,
      chat_id: chat,
      events: `/api/runs/${run}/events`,
      stop: `/api/runs/${run}/stop`,
    };
    return accepted(started, `/api/runs/${run}`);
  },
});

function accepted(body: StartedRun | QueuedRun, location: string): Response {
  return Response.json(body, {
    status: 202,
    headers: { location, "cache-control": "no-store" },
  });
}
