/**
 * The adapter in front of a scripted upstream, with little patience.
 *
 * @module
 */
import {
  createOpenAIModel,
  loadOpenAI,
  type OpenAIOptions,
} from "../../lib/models/openai.ts";
import { ask, type Asking, type Said } from "../helpers/ask_model.ts";
import {
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
} from "../helpers/scripted_upstream.ts";

// The SDK's first import must not count as a slow upstream, nor as a leak.
await loadOpenAI();

export const KEY = "sk-test-4f9a77c0ffee";

/** Short enough for a test, long enough for a busy machine. */
export const IMPATIENT: OpenAIOptions["timings"] = {
  headersMs: 5_000,
  silenceMs: 5_000,
  settleMs: 2_000,
  doneMs: 300,
  backoffMs: 4,
};

export function modelAt(
  upstream: ScriptedUpstream,
  options: Partial<OpenAIOptions> = {},
) {
  return createOpenAIModel({
    apiKey: KEY,
    baseUrl: upstream.baseUrl,
    model: "scripted",
    ...options,
    timings: { ...IMPATIENT, ...options.timings },
  });
}

/** What came of one question to these scripts, and what the upstream saw. */
export interface Answered extends Said {
  requests: ScriptedUpstream["requests"];
  /** What the adapter warned of. */
  warnings: string[];
}

/** Asks once; the upstream is gone (and has complained) when this returns. */
export async function answered(
  scripts: Script | Script[],
  asking?: Asking,
  options: Partial<OpenAIOptions> = {},
): Promise<Answered> {
  await using upstream = await scriptedUpstream([scripts].flat());
  const warnings: string[] = [];
  const said = await ask(
    modelAt(upstream, { warn: (text) => warnings.push(text), ...options }),
    asking,
  );
  return { ...said, requests: upstream.requests, warnings };
}
