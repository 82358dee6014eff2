/**
 * What a model's name tells of its use. Lists of models do not say which of them
 * can hold a conversation.
 *
 * @module
 */

/** What the built-in demo calls itself (`demo/wire.ts`, which loads packages). */
export const DEMO = "tickertape-demo";

/** Words of a name that mean another use; names are cut at `/`, `-`, `:` etc. */
const OTHER_USE = new RegExp(
  "^(?:" + [
    // meanings as numbers
    "embed.*",
    "bge",
    "gte",
    "e5",
    "minilm",
    "paraphrase",
    "rerank.*",
    "colbert",
    // hearing and speaking
    "whisper.*",
    "transcri.*",
    "asr",
    "tts",
    "speech",
    "audio",
    "realtime",
    "parakeet",
    "kokoro",
    // pictures
    "dall",
    "image",
    "imagen",
    "sora",
    "veo",
    "diffusion",
    "sdxl",
    "flux.*",
    "ocr",
    // judging what others said
    "moderation",
    "guard\\d*",
    "guardian",
    "shieldgemma",
    // completion without a conversation
    "davinci",
    "babbage",
  ].join("|") + ")$",
);

/** Whether a model is for chatting, as far as its name tells. */
export function isChatModel(name: string): boolean {
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  return !words.some((word) => OTHER_USE.test(word)) &&
    !name.includes("gpt-3.5-turbo-instruct");
}

const inOrder = new Intl.Collator("en", { numeric: true });

/** For people to choose from: chat models first, each kind by name. */
export function forChoosing(names: readonly string[]): string[] {
  const use = (name: string) => isChatModel(name) ? 0 : 1;
  return names.toSorted((a, b) => use(a) - use(b) || inOrder.compare(a, b));
}

/**
 * Whether a model is asked through the Responses API.
 *
 * @param patterns names, or beginnings followed by `*` (`OPENAI_API`).
 */
export function usesResponses(
  patterns: readonly string[],
  name: string,
): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*")
      ? name.startsWith(pattern.slice(0, -1))
      : name === pattern
  );
}
