import { openAI } from "../../../lib/web/openai_api.ts";
import { openAIModel } from "../../../lib/web/openai_models.ts";
import type { Handlers } from "../../../lib/web/route.ts";

/** `GET /v1/models/{id}`: one line of the list, or 404 `model_not_found`. */
export const handler: Handlers = openAI({
  async GET({ params, state }) {
    return Response.json(openAIModel(await state.models.view(), params.id!));
  },
});
