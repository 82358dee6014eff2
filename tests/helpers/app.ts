/**
 * The whole app on a socket, in this process: store, runs, routes, guard. The
 * model, the tools and the limits can be a test's own. With
 * `TICKERTAPE_TEST_WITH=two-instances` it is two of them behind a balancer.
 */
import type { Tool } from "../../lib/agent/contracts.ts";
import * as z from "zod";
import { answerText } from "../../lib/chat/answer.ts";
import { readConfig } from "../../lib/config.ts";
import { createLog } from "../../lib/log.ts";
import {
  createServices,
  type Services,
  type Stand,
} from "../../lib/services.ts";
import { openStore, type Store } from "../../lib/store/mod.ts";
import { startApp as startHostedApp } from "../../host/app.ts";
import { startPair, TWO_INSTANCES } from "./two_instances.ts";

export interface AppOptions extends Stand {
  access?: "loopback" | "public";
  /** Settings as in the environment. */
  env?: Record<string, string>;
  /** Two instances, each on what this makes of its store. */
  pair?: (store: Store) => Store;
}

export interface App extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`; the balancer's, where there are two. */
  readonly url: string;
  /** Of the first instance, where there are two. */
  readonly services: Services;
  /** Each by itself. */
  readonly instances: { url: string; services: Services }[];
  /** How many read a run right now, on every instance. */
  readers(): number;
  /** Everything that was logged. */
  readonly log: string[];
  /** Resolves once the committed text of the run ends like this. */
  shows(run: string, text: string): Promise<void>;
  /** Resolves once a tool of the run is at work. */
  works(run: string): Promise<void>;
  /** Resolves once the run is sealed. */
  over(run: string): Promise<void>;
  /** Resolves once the condition holds; looks after every turn of the loop. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
}

/** Tools every test may call: one echoes, one hangs, one says too much. */
export const TEST_TOOLS: Tool[] = [
  {
    name: "echo",
    description: "Says it again",
    input: z.object({ say: z.string() }),
    effect: "read",
    run: (input) => ({ text: (input as { say: string }).say }),
  },
  {
    name: "hang",
    description: "Never answers",
    input: z.object({}),
    effect: "read",
    run: () => new Promise<never>(() => {}),
  },
  {
    name: "long",
    description: "Says far too much",
    input: z.object({}),
    effect: "read",
    run: () => ({ text: "长\u0000".repeat(100_000) }),
  },
];

/** One process's worth of the app. */
async function startInstance(
  options: AppOptions,
  store: Store,
  lines: string[],
) {
  const { access, env, pair: _, ...stand } = options;
  const log = createLog({ sink: (line) => lines.push(line), human: false });
  const config = readConfig({
    PORT: "0",
    // Whoever runs the tests may have a model server of their own.
    OPENAI_MODEL: "tickertape-demo",
    ...(access === "public" ? { TICKERTAPE_ACCESS: "public" } : {}),
    ...env,
  });
  const services = await createServices(config, log, {
    tools: TEST_TOOLS,
    ...stand,
    store,
  });
  const { url, close } = await startHostedApp({
    services,
    log,
    // Set by the test task, which also builds what Fresh serves.
    host: Deno.env.get("TICKERTAPE_SERVE_WITH") === "fresh" ? "fresh" : "npm",
    port: 0,
    hostname: "127.0.0.1",
  });
  return { url, services, close };
}

type Instance = Awaited<ReturnType<typeof startInstance>>;

const alone = (instance: Instance) => ({ ...instance, instances: [instance] });

export async function startApp(options: AppOptions = {}): Promise<App> {
  const log: string[] = [];
  const start = (store: Store) => startInstance(options, store, log);
  // A test with a store of its own is about that store.
  const balanced = TWO_INSTANCES && options.store === undefined;
  const { pair = balanced ? (store: Store) => store : null } = options;
  const { url, close, instances } = pair !== null
    ? await startPair((store) => start(pair(store)))
    : alone(await start(options.store ?? openStore({ kind: "memory" })));
  const { services } = instances[0]!;
  const until: App["until"] = async (condition) => {
    const limit = performance.now() + 10_000;
    while (!await condition()) {
      if (performance.now() > limit) throw new Error("Waited in vain");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const answer = async (run: string) => {
    const row = await services.store.run(run);
    return (await services.runs.view(row!.owner, run))!.answer;
  };
  return {
    url,
    services,
    instances,
    readers: () =>
      instances.reduce((sum, { services }) => sum + services.runs.readers, 0),
    log,
    until,
    shows: (run, text) =>
      until(async () => answerText(await answer(run)).endsWith(text)),
    works: (run) =>
      until(async () =>
        (await answer(run)).parts.some((part) =>
          part.kind === "tool" && part.state === "running"
        )
      ),
    over: (run) =>
      until(async () => (await services.store.run(run))?.status !== "running"),
    [Symbol.asyncDispose]: close,
  };
}
