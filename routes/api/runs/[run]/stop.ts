import { api } from "../../../../lib/web/problem.ts";
import { isRunId } from "../../../../lib/chat/ids.ts";
import type { Handlers } from "../../../../lib/web/route.ts";
import { noSuchRun } from "../../../../lib/web/tape_response.ts";

/** `POST /api/runs/{run}/stop`: 202 while it stops, 200 if it is over already. */
export const handler: Handlers = api({
  async POST({ params, state }) {
    const run = params.run!;
    if (!isRunId(run)) return noSuchRun();
    const outcome = await state.runs.stop(state.owner, run);
    switch (outcome.kind) {
      case "missing":
        return noSuchRun();
      case "stopping":
        return Response.json({ status: "stopping" }, { status: 202 });
      case "over":
        return Response.json({ status: outcome.status });
    }
  },
});
