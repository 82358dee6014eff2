/**
 * The model of the examples that bring tools of their own.
 *
 * @module
 */
import type { Model } from "../lib/agent/mod.ts";
import { readConfig } from "../lib/config.ts";
import { createCatalog } from "../lib/models/catalog.ts";
import { startDemoUpstream } from "../lib/models/demo/mod.ts";
import { literalModel } from "./04-provider.ts";

/**
 * The model of OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL. Without them the
 * one of the fourth example: the built-in demo knows only the tools it came with.
 */
export async function openModel(): Promise<Model> {
  const config = readConfig(Deno.env.toObject());
  if (config.model === null) return literalModel;
  const warn = console.error;
  return await createCatalog({ config, warn, demo: startDemoUpstream })
    .standard();
}
