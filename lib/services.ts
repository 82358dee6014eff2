/**
 * Builds everything once. The one file that sees every room.
 *
 * @module
 */
import { join } from "node:path";
import type { Model, Tool } from "./agent/contracts.ts";
import { createToolbox } from "./agent/toolbox.ts";
import type { Config } from "./config.ts";
import { type Log, redact } from "./log.ts";
import { startDemoUpstream } from "./models/demo/mod.ts";
import { createOpenAIModel, loadOpenAI } from "./models/openai.ts";
import { type RunLimits, Runs } from "./runs/mod.ts";
import { openStore, type Store } from "./store/mod.ts";
import { createTools } from "./tools/mod.ts";
import { type Prepare, prepareVisit } from "./web/visit.ts";

export interface Services {
  readonly config: Config;
  readonly runs: Runs;
  readonly store: Store;
  /** The model's name, and whether it is the built-in demo. */
  readonly model: { id: string; demo: boolean };
  /** What both hosts call before any route. */
  readonly prepare: Prepare;
  /** Ends runs, lets readers go, closes files and sockets. */
  close(): Promise<void>;
}

/** What tests put in the place of the real thing. */
export interface Stand {
  model?: Model;
  tools?: Tool[];
  store?: Store;
  now?: () => Date;
  limits?: Partial<RunLimits>;
}

/** Where there is only one person: no limits to speak of. */
const ALONE = { maxStreams: 10_000, questionsPerMinute: Infinity };

/**
 * Opens the store, finds the model and gathers the tools.
 *
 * @throws StoreError when the database cannot be used (N11).
 */
export async function createServices(
  config: Config,
  log: Log,
  stand: Stand = {},
): Promise<Services> {
  const now = stand.now ?? (() => new Date());
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const store = stand.store ??
      await openStore({
        kind: "sqlite",
        path: join(config.data, "tickertape.db"),
      });
    closers.push(() => store.close());

    const { model, demo, closeModel } = await findModel(config, log, stand);
    closers.push(closeModel);

    let tools = stand.tools;
    if (tools === undefined) {
      const shipped = await createTools({
        gtfsFeed: config.gtfsFeed,
        cacheDir: join(config.data, "cache"),
        warn: (message) => log.info("tool", { message }),
      });
      closers.push(() => shipped.close());
      tools = shipped.tools;
    }

    const runs = new Runs({
      store,
      model,
      toolbox: createToolbox(tools, now),
      now,
      limits: config.access === "loopback"
        ? { ...ALONE, ...stand.limits }
        : stand.limits,
      report: (message, error) => log.error("run", { message }, error),
    });
    closers.push(() => runs.close());
    await runs.sweep();

    const about = { id: model.id, demo };
    return {
      config,
      runs,
      store,
      model: about,
      prepare: prepareVisit({
        runs,
        access: config.access,
        model: about,
        lang: config.lang,
        secure: config.origin?.startsWith("https:") ?? false,
      }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function findModel(
  config: Config,
  log: Log,
  stand: Stand,
): Promise<{
  model: Model;
  demo: boolean;
  closeModel: () => Promise<void> | void;
}> {
  if (stand.model !== undefined) {
    return { model: stand.model, demo: false, closeModel: () => {} };
  }
  // Loaded while nobody waits: the first question need not pay for it. What
  // fails here fails again, and is told, when the model is asked.
  loadOpenAI().catch(() => {});
  const warn = (message: string) => log.info("model", { message });
  if (config.model !== null) {
    const { apiKey, baseUrl, name: model } = config.model;
    if (apiKey !== null) redact(apiKey);
    return {
      model: createOpenAIModel({ apiKey, baseUrl, model, warn }),
      demo: false,
      closeModel: () => {},
    };
  }
  const upstream = await startDemoUpstream({ now: stand.now });
  const { apiKey, baseUrl, model } = upstream;
  redact(apiKey);
  return {
    model: createOpenAIModel({ apiKey, baseUrl, model, warn }),
    demo: true,
    closeModel: () => upstream.close(),
  };
}
