import { isRunId } from "../../../../../lib/chat/ids.ts";
import { imageResponse } from "../../../../../lib/web/image_response.ts";
import { api, problem } from "../../../../../lib/web/problem.ts";
import type { Handlers } from "../../../../../lib/web/route.ts";

/** `GET /api/runs/{run}/images/{name}`: an image sent with a question. */
export const handler: Handlers = api({
  async GET({ params, state }) {
    const { run, name } = params as { run: string; name: string };
    const url = isRunId(run) && /^image-\d$/.test(name)
      ? await state.runs.kept(state.owner, run, name)
      : null;
    return url === null
      ? problem(404, "no_such_image", "There is no such image.")
      : imageResponse(url);
  },
});
