/**
 * The models of the servers found on this computer; the demo where there is
 * none. Looked for at the start and again when the list is asked for, so that a
 * server started later appears without a restart.
 *
 * Three rules:
 *
 * - The demo speaks until a server was found, and never again by itself: when
 *   that server dies, questions fail and say so. Another server that answers
 *   takes its place at the next look.
 * - A model's id is its name. Where two servers offer the same name, the one that
 *   had it first keeps it and the other's is `lmstudio/name`. An id stays with
 *   its model as long as the process lives.
 * - A server that is gone keeps its models for chats that chose them, whose
 *   questions then fail with a clear error; the list no longer has them.
 *
 * @module
 */
import { type Model, ModelError } from "../agent/contracts.ts";
import type { ErrorCode } from "../chat/events.ts";
import type { Catalog, CatalogOptions } from "./catalog.ts";
import { askPort, type LocalPort, localUrl, portsToAsk } from "./find.ts";
import {
  DEMO,
  forChoosing,
  isChatModel,
  usesResponses,
} from "./model_names.ts";
import { createOpenAIModel } from "./openai.ts";
import { refresher } from "./refresh.ts";

/** How long a look is good, ms. */
const GOOD = 10_000;

/** Failures after which to see whether the server is still there. */
const MAY_BE_GONE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "upstream_unavailable",
  "upstream_reset",
]);

interface Server {
  place: LocalPort;
  name: string;
  answers: boolean;
  /** What it offers, or offered when it last answered. */
  entries: Entry[];
}

interface Entry {
  id: string;
  /** What a request calls it. */
  name: string;
  server: Server;
  model?: Model;
}

export function localCatalog(options: CatalogOptions): Catalog {
  const { port, localModel, responsesModels } = options.config;
  const { warn } = options;
  const closing = new AbortController();
  // Who names the demo wants it, whatever else is running.
  const servers: Server[] = localModel === DEMO
    ? []
    : portsToAsk(port, options.ports).map((place) => ({
      place,
      name: place.name,
      answers: false,
      entries: [],
    }));
  /** Null: the demo. */
  let standard: Entry | null = null;
  let looked = false;
  let complained = false;
  let demo: ReturnType<CatalogOptions["demo"]> | null = null;
  let demoModel: Model | null = null;

  const look = refresher(async () => {
    const notes = await Promise.all(servers.map(ask));
    // In the order of the servers, not of their answers: it decides on ids.
    for (const note of notes) note();
    choose();
    looked = true;
    return GOOD;
  }, options.now);

  /** Asks a server; what comes back notes what it said. */
  async function ask(server: Server): Promise<() => void> {
    const found = await askPort(server.place, closing.signal);
    return () => {
      // One that is busy answering is not gone.
      if (found === "late") return;
      server.answers = found !== null;
      if (found === null) return;
      server.name = found.name;
      const ids = new Set(servers.flatMap(({ entries }) => entries.map(idOf)));
      const known = new Map(
        server.entries.map((entry) => [entry.name, entry]),
      );
      server.entries = found.models
        .map((name) => known.get(name) ?? newEntry(name, server, ids))
        .filter((entry) => entry !== null);
    };
  }

  /** Null if there is no id left for it. */
  function newEntry(
    name: string,
    server: Server,
    ids: Set<string>,
  ): Entry | null {
    const bare = withoutPath(name);
    const prefix = server.place.name.toLowerCase().replace(/[^a-z0-9]/g, "");
    const id = [bare, `${prefix}/${bare}`]
      .find((id) => !ids.has(id) && id !== DEMO);
    if (id === undefined) return null;
    ids.add(id);
    return { id, name, server };
  }

  const answering = () => servers.filter(({ answers }) => answers);

  function choose() {
    const entries = answering().flatMap(({ entries }) => entries);
    // Ollama calls by its long name what people call by the short one.
    const wanted = entries.find(({ id }) => id === localModel) ??
      entries.find(({ id }) => id === `${localModel}:latest`);
    if (wanted !== undefined) {
      standard = wanted;
    } else if (standard === null || !entries.includes(standard)) {
      standard = entries.find(({ name }) => isChatModel(name)) ?? standard;
    }
    const missed = localModel !== null && localModel !== DEMO &&
      wanted === undefined;
    if (missed && !complained) {
      complained = true;
      warn(
        "OPENAI_MODEL names a model that nothing found on this computer " +
          `offers: ${standard?.id ?? "the built-in demo"} speaks instead`,
      );
    }
  }

  function open(entry: Entry): Model {
    if (entry.model !== undefined) return entry.model;
    const { id, name, server } = entry;
    const inner = createOpenAIModel({
      apiKey: null,
      baseUrl: localUrl(server.place),
      model: name,
      api: usesResponses(responsesModels, name) ? "responses" : "chat",
      warn,
    });
    return entry.model = {
      ...inner,
      id,
      async stream(request, emit, signal) {
        const gone = new AbortController();
        let speaks = false;
        async function look() {
          (await ask(server))();
          if (!server.answers && !speaks) gone.abort();
        }
        try {
          return await inner.stream(request, (event) => {
            // Nobody waits for a server that is not there.
            if (event.type === "retry") look();
            else speaks = true;
            emit(event);
          }, AbortSignal.any([signal, gone.signal]));
        } catch (error) {
          speaks = false;
          if (mayBeGone(error)) await look();
          signal.throwIfAborted();
          throw gone.signal.aborted ? goneError(server, error) : error;
        }
      },
    };
  }

  async function openDemo(): Promise<Model> {
    demo ??= options.demo();
    try {
      const { apiKey, baseUrl, model } = await demo;
      return demoModel ??= createOpenAIModel({
        apiKey,
        baseUrl,
        model,
        api: "chat",
        warn,
      });
    } catch (error) {
      demo = null;
      throw error;
    }
  }

  const known = (id: string) =>
    [
      ...servers.flatMap(({ entries }) => entries),
      ...standard ? [standard] : [],
    ]
      .find((entry) => entry.id === id);

  return {
    async standard() {
      if (!looked) await look();
      return standard === null ? await openDemo() : open(standard);
    },
    async find(id) {
      if (id === DEMO) return await openDemo();
      if (known(id) === undefined) await look();
      const entry = known(id);
      return entry === undefined ? null : open(entry);
    },
    async view() {
      await look();
      const models = answering().flatMap(({ name: from, entries }) =>
        forChoosing(entries.map(idOf)).map((id) => ({ id, from }))
      );
      const { id } = standard ?? { id: DEMO };
      if (standard !== null && !models.some((model) => model.id === id)) {
        models.unshift({ id, from: standard.server.name });
      }
      if (standard === null || answering().length === 0) {
        models.push({ id: DEMO, from: "demo" });
      }
      return { standard: id, models };
    },
    about: () => ({ id: standard?.id ?? DEMO, demo: standard === null }),
    words() {
      if (standard !== null) {
        const { id, server } = standard;
        return `${id} of ${server.name} on this computer (found by itself)`;
      }
      const idle = answering()[0];
      return idle === undefined
        ? `${DEMO} (built-in demo; for a real one set OPENAI_API_KEY or ` +
          "OPENAI_BASE_URL, or start Ollama, LM Studio or llama.cpp)"
        : `${DEMO} (built-in demo; ${idle.name} on this computer has no chat ` +
          "model yet)";
    },
    async close() {
      closing.abort();
      await (await demo)?.close();
    },
  };
}

const idOf = ({ id }: Entry) => id;

const mayBeGone = (error: unknown) =>
  error instanceof ModelError && MAY_BE_GONE.has(error.code);

function goneError({ name }: Server, error: unknown): ModelError {
  const known = error instanceof ModelError;
  return new ModelError(
    known ? error.code : "upstream_unavailable",
    `${name} on this computer does not answer any more: start it again, or ` +
      "choose another model.",
    { retryable: true, cause: known ? error.options.cause : undefined },
  );
}

/** llama.cpp names a model by its file; where that lies is nobody's business. */
function withoutPath(name: string): string {
  return /^(\/|[a-z]:\\|~).*\.gguf$/i.test(name)
    ? name.replace(/^.*[\\/]/, "")
    : name;
}
