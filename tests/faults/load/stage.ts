/**
 * What a load test plays on: a real server on SQLite with full sync, the fake
 * provider and the people, each a process of its own.
 *
 * @module
 */
import { startProgram } from "../../../bench/processes.ts";
import { question, type Script } from "../../../bench/script.ts";
import {
  type ServerOptions,
  type ServerProcess,
  startServer,
} from "../harness/server.ts";
import { type Crowd, startCrowd } from "./crowd.ts";

export { question };

export interface Stage extends AsyncDisposable {
  server: ServerProcess;
  crowd: Crowd;
  /** The fake provider, without a path. */
  upstream: URL;
  /** The folder of the database. */
  data: string;
  /** A pass-through of the provider without a store: the yardstick. */
  startRelay(): Promise<string>;
  /** How many answers the provider was asked for. */
  calls(): Promise<number>;
}

/** @param before Called with the data folder before the server starts. */
export async function openStage(
  options: Partial<ServerOptions> = {},
  before: (data: string) => Promise<void> = () => Promise.resolve(),
): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const data = await Deno.makeTempDir({ prefix: "tickertape-load-" });
  stack.defer(() => Deno.remove(data, { recursive: true }));
  const upstream = await startProgram("upstream.ts");
  stack.defer(upstream.stop);
  await before(data);
  const server = stack.use(
    await startServer({
      data,
      upstream: new URL("/v1", upstream.url).href,
      ...options,
      // Thousands of lines about connections are not what is measured.
      env: { TICKERTAPE_LOG: "error", ...options.env },
    }),
  );
  const crowd = stack.use(await startCrowd());
  const all = stack.move();
  return {
    server,
    crowd,
    data,
    upstream: upstream.url,
    async startRelay() {
      const relay = await startProgram("proxy.ts", upstream.url.origin);
      all.defer(relay.stop);
      return relay.url.origin;
    },
    async calls() {
      const response = await fetch(new URL("/calls", upstream.url));
      return Number(await response.text());
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Starts `limited_server.ts` instead of the server as it is. */
export function withLimits(limits: Record<string, unknown>) {
  const program = "tests/faults/load/limited_server.ts";
  return {
    entry: [program, JSON.stringify(limits)],
    env: { DENO_V8_FLAGS: "--expose-gc" },
  };
}

/** An order for readers that each ask for an answer of their own. */
export function asking(
  server: string,
  group: string,
  count: number,
  script: Partial<Script>,
  rampMs = 1_000,
) {
  return {
    group,
    server,
    count,
    rampMs,
    door: "ours" as const,
    ask: question(script),
  };
}

/** An order for readers that follow runs, in turn. */
export function following(
  server: string,
  group: string,
  count: number,
  runs: string[],
  rampMs = 0,
) {
  return {
    group,
    server,
    count,
    rampMs,
    runs,
    door: "ours" as const,
    ask: null,
  };
}
