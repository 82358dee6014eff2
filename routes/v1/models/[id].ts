import { openAI } from "../../../lib/web/openai_api.ts";
import { openAIModel } from "../../../lib/web/openai_models.ts";
import type { Handlers } from "../../../lib/web/route.ts";
import { pathPart } from "../../../lib/web/target.ts";

/** `GET /v1/models/{id}`: one line of the list, or 404 `model_not_found`. */
export const handler: Handlers = openAI({
  async GET({ req, state }) {
    const id = pathPart(req.url, 3);
    return Response.json(openAIModel(await state.models.view(), id));
  },
});
