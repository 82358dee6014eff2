/**
 * The models of this server, as OpenAI lists them.
 *
 * @module
 */
import type { ModelsView } from "../chat/views.ts";
import { HttpProblem } from "./problem.ts";

/** Names whatever answers where nobody chose. */
const STANDARD = "tickertape";

/** A line of `GET /v1/models`. */
export interface OpenAIModel {
  id: string;
  object: "model";
  /** Not known here, but clients expect a number. */
  created: 0;
  owned_by: string;
}

/** Every name that may be asked for, the server's standard first. */
export function openAIModels({ models }: ModelsView): OpenAIModel[] {
  const line = (id: string, owned_by: string): OpenAIModel => ({
    id,
    object: "model",
    created: 0,
    owned_by,
  });
  const others = models.filter(({ id }) => id !== STANDARD);
  return [
    line(STANDARD, STANDARD),
    ...others.map(({ id, from }) => line(id, from)),
  ];
}

/**
 * The model's line.
 *
 * @throws {HttpProblem} 404 `model_not_found`.
 */
export function openAIModel(view: ModelsView, id: string): OpenAIModel {
  const model = openAIModels(view).find((model) => model.id === id);
  if (model !== undefined) return model;
  throw noSuchModel(id);
}

/**
 * What a chat's settings say for a model as a client named it; undefined for the
 * server's standard.
 *
 * @throws {HttpProblem} 404 `model_not_found`.
 */
export function chosenModel(view: ModelsView, id: string): string | undefined {
  const model = openAIModel(view, id);
  return model.id === STANDARD ? undefined : model.id;
}

/** The refusal of a model nobody here knows. */
export function noSuchModel(id: string): HttpProblem {
  return new HttpProblem(
    404,
    "model_not_found",
    `There is no model ${
      JSON.stringify(id.slice(0, 100))
    } here. GET /v1/models lists those there are.`,
    { members: { param: "model" } },
  );
}
