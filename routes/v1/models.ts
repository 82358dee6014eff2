import { openAI } from "../../lib/web/openai_api.ts";
import { openAIModels } from "../../lib/web/openai_models.ts";
import type { Handlers } from "../../lib/web/route.ts";

/** `GET /v1/models`: what may be asked for by name, in OpenAI's shape. */
export const handler: Handlers = openAI({
  async GET({ state }) {
    const data = openAIModels(await state.models.view());
    return Response.json({ object: "list", data });
  },
});
