import { api } from "../../../lib/web/problem.ts";
import { isRunId } from "../../../lib/chat/ids.ts";
import type { Handlers } from "../../../lib/web/route.ts";
import { noSuchRun } from "../../../lib/web/tape_response.ts";

/** `GET /api/runs/{run}`: how far it is, for clients that poll. */
export const handler: Handlers = api({
  async GET({ params, state }) {
    const run = params.run!;
    const view = isRunId(run) ? await state.runs.view(state.owner, run) : null;
    if (view === null) return noSuchRun();
    return Response.json(view, { headers: { "cache-control": "no-store" } });
  },
});
