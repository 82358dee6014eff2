import type { StartedRun } from "../../lib/chat/views.ts";
import { readJson } from "../../lib/web/body.ts";
import { api, problem } from "../../lib/web/problem.ts";
import { startRequest } from "../../lib/web/requests.ts";
import type { Handlers } from "../../lib/web/route.ts";
import { eventFrames } from "../../lib/web/sse.ts";
import { tapeResponse } from "../../lib/web/tape_response.ts";
import { wants } from "../../lib/web/wants.ts";

/** `POST /api/runs`: ask. 202 with the run, or its events if asked for them. */
export const handler: Handlers = api({
  async POST({ req, state }) {
    const body = await readJson(req, startRequest);
    const { runs, owner } = state;
    const outcome = await runs.start({
      owner,
      text: body.text,
      chat: body.chat_id ?? undefined,
      idempotencyKey: body.idempotency_key ?? undefined,
    });
    switch (outcome.kind) {
      case "no-chat":
        return problem(404, "no_such_chat", "There is no such chat.");
      case "closing":
        return problem(
          503,
          "closing",
          "The server is restarting. Try again in a moment.",
          { headers: { "retry-after": "2" } },
        );
      case "unsaved":
        return problem(
          outcome.full ? 507 : 503,
          outcome.full ? "store_full" : "store_unavailable",
          "Your message could not be saved, so nothing was sent. Keep it and try again.",
          { headers: { "retry-after": "5" } },
        );
      case "active":
        return problem(
          409,
          "run_active",
          "The last question of this chat is still being answered.",
          { members: { run_id: outcome.run, chat_id: outcome.chat } },
        );
    }
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
