import { isRunId } from "../../../../../lib/chat/ids.ts";
import { api, problem } from "../../../../../lib/web/problem.ts";
import type { Handlers } from "../../../../../lib/web/route.ts";

/** `GET /api/runs/{run}/outputs/{name}`: a tool's long answer in whole (U38). */
export const handler: Handlers = api({
  async GET({ params, state }) {
    const { run, name } = params as { run: string; name: string };
    const text = isRunId(run) && /^\d{1,9}-\d{1,9}$/.test(name)
      ? await state.runs.kept(state.owner, run, name)
      : null;
    if (text === null) {
      return problem(404, "no_such_output", "There is no such output.");
    }
    return new Response(text, {
      headers: {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "private, no-store",
      },
    });
  },
});
