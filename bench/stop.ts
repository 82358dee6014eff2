/**
 * How long it takes from pressing Stop until whoever is at work hears of it: the
 * provider, by its socket; a tool, by its signal; an MCP server, by its message
 * (goal G19: 250 ms). All in this process, so that there is one clock.
 *
 * @module
 */
import * as z from "zod";
import { startApp } from "../host/app.ts";
import type { Tool } from "../lib/agent/contracts.ts";
import { readConfig } from "../lib/config.ts";
import { createLog } from "../lib/log.ts";
import { createServices } from "../lib/services.ts";
import { type Figure, percentile } from "./report.ts";
import { startHolder, startMcpHolder } from "./stop_servers.ts";

/** Somebody at work who can be stopped. */
interface Worker {
  /** Resolves once it is at work. */
  busy(): Promise<void>;
  /** Resolves with the moment it heard of the stop, by `performance.now()`. */
  stopped(): Promise<number>;
}

/** Presses Stop so many times at each kind of work. */
export async function stopRound(times: number): Promise<Figure[]> {
  const dir = await Deno.makeTempDir();
  const upstream = await startHolder();
  const mcp = startMcpHolder();
  const tool = new WaitingTool();
  await Deno.writeTextFile(
    `${dir}/mcp.json`,
    JSON.stringify({ mcpServers: { slow: { url: mcp.url, read: ["wait"] } } }),
  );
  const log = createLog({ sink: () => {}, human: false });
  const services = await createServices(
    readConfig({
      OPENAI_BASE_URL: upstream.url,
      OPENAI_MODEL: "holder",
      TICKERTAPE_DATA: dir,
      TICKERTAPE_MCP: `${dir}/mcp.json`,
    }),
    log,
    { tools: [tool.tool] },
  );
  const app = await startApp({
    services,
    log,
    host: "npm",
    port: 0,
    hostname: "127.0.0.1",
  });
  try {
    const workers: [string, string, Worker][] = [
      ["speak", "to the provider's closed socket", upstream],
      ["wait", "to a tool", tool],
      ["slow__wait", "to an MCP server", mcp],
    ];
    const figures: Figure[] = [];
    for (const [question, name, worker] of workers) {
      const waits: number[] = [];
      for (let i = 0; i < times; i++) {
        waits.push(await stopOnce(app.url, question, worker));
      }
      waits.sort((a, b) => a - b);
      figures.push({
        scenario: "stop",
        name: `${name}, p99`,
        unit: "ms",
        ours: [percentile(waits, 0.99)],
        raw: [],
        goal: { of: "value", atMost: 250 },
      });
    }
    return figures;
  } finally {
    await app.close();
    await services.close();
    await upstream.close();
    await mcp.close();
    await Deno.remove(dir, { recursive: true });
  }
}

async function stopOnce(
  url: string,
  text: string,
  worker: Worker,
): Promise<number> {
  const busy = worker.busy();
  const asked = await post(`${url}/api/runs`, { text });
  await busy;
  const stopped = worker.stopped();
  const pressed = performance.now();
  const answer = post(`${url}${asked.stop}`, {});
  const heard = await stopped;
  await answer;
  return heard - pressed;
}

async function post(url: string, body: unknown) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`Cannot post to "${url}": ${response.status}`);
  }
  return await response.json();
}

/** A tool that does nothing until it is stopped. */
class WaitingTool implements Worker {
  #busy = Promise.withResolvers<void>();
  #stopped = Promise.withResolvers<number>();

  readonly tool: Tool = {
    name: "wait",
    description: "Waits",
    input: z.object({}),
    effect: "read",
    run: (_, { signal }) => {
      signal.addEventListener(
        "abort",
        () => this.#stopped.resolve(performance.now()),
      );
      this.#busy.resolve();
      return new Promise<never>(() => {});
    },
  };

  busy(): Promise<void> {
    this.#busy = Promise.withResolvers();
    return this.#busy.promise;
  }

  stopped(): Promise<number> {
    // Made before the tool can hear of it: nobody has pressed Stop yet.
    this.#stopped = Promise.withResolvers();
    return this.#stopped.promise;
  }
}
