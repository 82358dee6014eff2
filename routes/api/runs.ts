import type { StartedRun } from "../../lib/chat/views.ts";
import { readJson } from "../../lib/web/body.ts";
import { checkedImages, MAX_BODY } from "../../lib/web/images.ts";
import { api } from "../../lib/web/problem.ts";
import { startRequest } from "../../lib/web/requests.ts";
import type { Handlers } from "../../lib/web/route.ts";
import { eventFrames } from "../../lib/web/sse.ts";
import { startRefusal } from "../../lib/web/start_refusal.ts";
import { tapeResponse } from "../../lib/web/tape_response.ts";
import { wants } from "../../lib/web/wants.ts";

/** `POST /api/runs`: ask. 202 with the run, or its events if asked for them. */
export const handler: Handlers = api({
  async POST({ req, state }) {
    const body = await readJson(req, startRequest, { limit: MAX_BODY });
    const { runs, owner } = state;
    const outcome = await runs.start({
      owner,
      text: body.text,
      chat: body.chat_id ?? undefined,
      idempotencyKey: body.idempotency_key ?? undefined,
      images: checkedImages(
        (body.images ?? []).map((url, i) => ({ url, param: `images[${i}]` })),
      ),
      settings: body.settings ?? undefined,
    });
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
    return Response.json(started, {
      status: 202,
      headers: { location: `/api/runs/${run}`, "cache-control": "no-store" },
    });
  },
});
