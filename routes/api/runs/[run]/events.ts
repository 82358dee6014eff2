import { isRunId } from "../../../../lib/chat/ids.ts";
import { api, problem } from "../../../../lib/web/problem.ts";
import type { Handlers } from "../../../../lib/web/route.ts";
import { eventFrames } from "../../../../lib/web/sse.ts";
import { noSuchRun, tapeResponse } from "../../../../lib/web/tape_response.ts";
import { wants } from "../../../../lib/web/wants.ts";

/** `GET /api/runs/{run}/events`: the tape, from a cursor on. */
export const handler: Handlers = api({
  async GET({ req, url, params, state }) {
    if (!wants(req, "text/event-stream", { orAnything: true })) {
      return problem(
        406,
        "not_acceptable",
        "Events come as text/event-stream only.",
      );
    }
    const run = params.run!;
    if (!isRunId(run)) return noSuchRun();
    // The header wins: a reconnecting EventSource repeats its old URL (2.1).
    const cursor = req.headers.get("last-event-id") ??
      url.searchParams.get("after");
    const dataBeat = url.searchParams.get("hb") === "data";
    return await tapeResponse(
      state.runs,
      state.owner,
      run,
      cursor,
      (resync) => eventFrames({ resync, dataBeat }),
    );
  },
});
