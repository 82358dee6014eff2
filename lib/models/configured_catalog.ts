/**
 * The models of the server in the settings. Its list is a convenience: the model
 * of `OPENAI_MODEL` answers whether or not there is one.
 *
 * @module
 */
import { type Model, ModelError } from "../agent/contracts.ts";
import type { Catalog, CatalogOptions, ServerSettings } from "./catalog.ts";
import { LOCAL_PORTS } from "./find.ts";
import { listModels, whyNoList } from "./model_list.ts";
import { forChoosing, isChatModel, usesResponses } from "./model_names.ts";
import { createOpenAIModel } from "./openai.ts";
import { refresher } from "./refresh.ts";

const OPENAI_URL = "https://api.openai.com/v1";

/** For the whole list, ms. */
const PATIENCE = 3_000;
/** Models come and go slowly, ms. */
const GOOD = 5 * 60_000;
/** Until a list that could not be had is asked for again, ms. */
const GOOD_FAILURE = 10_000;

/**
 * What stands for a model's name as long as there is none: a run that was asked
 * without a name asks the standard again when it begins.
 */
const NO_MODEL = "";

export function configuredCatalog(
  settings: ServerSettings,
  { config, warn, now }: CatalogOptions,
): Catalog {
  const { apiKey, baseUrl } = settings;
  const from = providerName(baseUrl ?? OPENAI_URL);
  const closing = new AbortController();
  const models = new Map<string, Model>();
  let names: string[] = [];
  /** The standard's name; from the list where the settings have none. */
  let chosen = settings.name;
  let trouble: string | null = null;

  const refresh = refresher(async () => {
    const listing = await listModels({
      apiKey,
      baseUrl: baseUrl ?? OPENAI_URL,
      ms: PATIENCE,
      signal: closing.signal,
    });
    if (listing.kind === "list") {
      names = listing.models.map(({ name }) => name);
      choose();
      const empty = chosen === null ? "it offers no chat model" : null;
      complain(empty);
      return empty === null ? GOOD : GOOD_FAILURE;
    }
    // What was offered before still is, as far as anyone knows.
    complain(whyNoList(listing));
    return GOOD_FAILURE;
  }, now);

  function choose() {
    if (settings.name !== null) return;
    if (chosen !== null && names.includes(chosen)) return;
    chosen = names.find(isChatModel) ?? null;
  }

  /** Says each trouble once, until it has passed. */
  function complain(found: string | null) {
    const news = found !== trouble && !closing.signal.aborted;
    trouble = found;
    if (found === null || !news) return;
    warn(
      chosen === null
        ? `OPENAI_MODEL is not set, and the server at OPENAI_BASE_URL names ` +
          `no model (${found}): set OPENAI_MODEL`
        : `The model provider's list of models cannot be had (${found}): ` +
          `only ${names.length === 0 ? chosen : "what it held before"} ` +
          `is offered`,
    );
  }

  function open(name: string): Model {
    const known = models.get(name);
    if (known !== undefined) return known;
    const model = createOpenAIModel({
      apiKey,
      baseUrl,
      model: name,
      api: usesResponses(config.responsesModels, name) ? "responses" : "chat",
      warn,
    });
    models.set(name, model);
    return model;
  }

  const offered = (id: string) => id === chosen || names.includes(id);

  return {
    async standard() {
      if (chosen === null) await refresh();
      return chosen === null ? noModel(trouble) : open(chosen);
    },
    async find(id) {
      if (!offered(id)) await refresh();
      return offered(id) ? open(id) : null;
    },
    async view() {
      await refresh();
      const shown = forChoosing(names.filter((name) =>
        // Ollama's long form of the standard, which is in the list as itself.
        name !== `${chosen}:latest`
      ));
      if (chosen !== null && !names.includes(chosen)) shown.unshift(chosen);
      return {
        standard: chosen ?? NO_MODEL,
        models: shown.map((id) => ({ id, from })),
      };
    },
    about: () => ({ id: chosen ?? NO_MODEL, demo: false }),
    words: () =>
      chosen === null
        ? `none yet: set OPENAI_MODEL (${from}: ${trouble ?? "not asked yet"})`
        : settings.name === null
        ? `${chosen} of ${from} (the first it offers; OPENAI_MODEL is not set)`
        : `${chosen} of ${from}`,
    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
}

/** Fails every question with what to do. */
function noModel(trouble: string | null): Model {
  return {
    id: NO_MODEL,
    stream: () =>
      Promise.reject(
        new ModelError(
          "upstream_unavailable",
          "This server does not know which model to ask: set OPENAI_MODEL.",
          { retryable: true, cause: trouble ?? undefined },
        ),
      ),
  };
}

/** Providers by the end of their host names. */
const PROVIDERS: [end: string, name: string][] = [
  ["api.openai.com", "OpenAI"],
  [".azure.com", "Azure"],
  ["openrouter.ai", "OpenRouter"],
  [".deepseek.com", "DeepSeek"],
  [".mistral.ai", "Mistral"],
  [".googleapis.com", "Google"],
  [".aliyuncs.com", "Alibaba Cloud"],
  [".groq.com", "Groq"],
  [".x.ai", "xAI"],
];

/** Who serves a base URL, without telling visitors an address (S06). */
function providerName(baseUrl: string): string {
  const { hostname, port } = new URL(baseUrl);
  const known = PROVIDERS.find(([end]) => hostname.endsWith(end));
  if (known !== undefined) return known[1];
  const here = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
  const place = LOCAL_PORTS.find((place) =>
    here && place.owner === undefined && place.port === Number(port)
  );
  return place?.name ?? "own server";
}
