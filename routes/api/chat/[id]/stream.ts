import { isChatId } from "../../../../lib/chat/ids.ts";
import { api } from "../../../../lib/web/problem.ts";
import type { Handlers, Visit } from "../../../../lib/web/route.ts";
import { tapeResponse } from "../../../../lib/web/tape_response.ts";
import { pathPart } from "../../../../lib/web/target.ts";
import { uiMessageFrames } from "../../../../lib/web/ui_message_frames.ts";
import { chatIdFor } from "../../../../lib/web/ui_message_request.ts";

/**
 * `GET /api/chat/{id}/stream`: the running answer of a chat from its start, for
 * `useChat` to resume; 204 when there is none (case R13).
 */
export const handler: Handlers = api({
  async GET({ req, state }) {
    const run = await activeRun(state, pathPart(req.url, 3));
    if (run === null) return new Response(null, { status: 204 });
    return await tapeResponse(
      state.runs,
      state.owner,
      run,
      null,
      uiMessageFrames,
    );
  },
});

async function activeRun(
  { runs, owner }: Visit,
  id: string,
): Promise<string | null> {
  const own = isChatId(id) ? await runs.active(owner, id) : null;
  return own ?? await runs.active(owner, chatIdFor(owner, id));
}
