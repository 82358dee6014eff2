/**
 * Builds everything once. The one file that sees every room.
 *
 * @module
 */
import { join } from "node:path";
import { Tokens } from "./access/mod.ts";
import type { Model, Tool } from "./agent/contracts.ts";
import { createToolbox } from "./agent/toolbox.ts";
import type { Config } from "./config.ts";
import { type Log, redact } from "./log.ts";
import { type Catalog, createCatalog, soleModel } from "./models/catalog.ts";
import { startDemoUpstream } from "./models/demo/mod.ts";
import { loadOpenAI } from "./models/openai.ts";
import { type RunLimits, Runs, startRetention } from "./runs/mod.ts";
import { openNamed, passwordOf, type Store } from "./store/mod.ts";
import { type McpHub, openMcp, readMcpFile } from "./tools/mcp/mod.ts";
import { createTools } from "./tools/mod.ts";
import { type Prepare, prepareVisit } from "./web/visit.ts";

export interface Services {
  readonly config: Config;
  readonly runs: Runs;
  readonly store: Store;
  /** The models there are; `words()` says which one was found. */
  readonly models: Catalog;
  /** What both hosts call before any route. */
  readonly prepare: Prepare;
  /**
   * Lets readers go, gives runs `graceMs` (default 0) to end by themselves,
   * leaves the rest to whoever comes next, closes files and sockets.
   */
  close(graceMs?: number): Promise<void>;
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
 * @throws McpFileError when the file that names MCP servers is wrong.
 */
export async function createServices(
  config: Config,
  log: Log,
  stand: Stand = {},
): Promise<Services> {
  const now = stand.now ?? (() => new Date());
  const closers: ((graceMs: number) => Promise<void> | void)[] = [];
  const close = async (graceMs = 0) => {
    for (const closer of closers.splice(0).reverse()) await closer(graceMs);
  };
  try {
    const store = stand.store ?? await findStore(config);
    closers.push(() => store.close());

    const models = stand.model === undefined
      ? findModels(config, log, now)
      : soleModel(stand.model);
    closers.push(() => models.close());
    // Asked now, so that the start can say what was found; where there is none
    // the question that needs it gets the error that says what to do.
    await models.standard().catch(() => {});
    // Loaded while nobody waits, and not while a local server is looked for: the
    // import blocks for some 0.1 s. What fails here fails again when it is used.
    loadOpenAI().catch(() => {});

    let tools = stand.tools;
    if (tools === undefined) {
      const shipped = await createTools({
        gtfsFeed: config.gtfsFeed,
        webReader: config.webReader,
        cacheDir: join(config.data, "cache"),
        warn: (message) => log.info("tool", { message }),
      });
      closers.push(() => shipped.close());
      tools = shipped.tools;
    }

    const mcp = await startMcp(config, log, store, now);
    closers.push(() => mcp.close());

    const runs = new Runs({
      store,
      models,
      toolbox: async (owner, waitMs) =>
        createToolbox([...tools, ...await mcp.tools(owner, waitMs)], now),
      now,
      limits: config.access === "loopback"
        ? { ...ALONE, ...stand.limits }
        : stand.limits,
      report: (message, error) => log.error("run", { message }, error),
    });
    closers.push((graceMs) => runs.close(graceMs));
    await runs.sweep();

    if (config.keepDays !== null) {
      const retention = startRetention({
        store,
        days: config.keepDays,
        now,
        report: (message, error) => log.error("run", { message }, error),
      });
      closers.push(() => retention.close());
    }

    return {
      config,
      runs,
      store,
      models,
      prepare: prepareVisit({
        runs,
        models,
        toolServers: mcp,
        access: config.access,
        tokens: new Tokens(store, now),
        model: () => models.about(),
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

async function findStore({ database, data }: Config): Promise<Store> {
  if (database !== null) redact(passwordOf(database));
  return await openNamed(database, join(data, "tickertape.db"));
}

function findModels(config: Config, log: Log, now: () => Date): Catalog {
  const { apiKey = null } = config.model ?? {};
  if (apiKey !== null) redact(apiKey);
  return createCatalog({
    config,
    demo: async () => {
      const upstream = await startDemoUpstream({ now });
      redact(upstream.apiKey);
      return upstream;
    },
    warn: (message) => log.info("model", { message }),
  });
}

/** @throws McpFileError when the file that names the servers is wrong. */
async function startMcp(
  config: Config,
  log: Log,
  store: Store,
  now: () => Date,
): Promise<McpHub> {
  const warn = (message: string) => log.info("mcp", { message });
  const file = await readMcpFile(config.mcp, Deno.env.toObject());
  file.secrets.forEach((secret) => redact(secret));
  file.warnings.forEach(warn);
  return openMcp({
    servers: file.servers,
    pins: {
      get: (key) => store.note("mcp-pin", key),
      put: (key, json) => store.putNote("mcp-pin", key, json),
    },
    now,
    warn,
    warm: config.access === "loopback",
  });
}
