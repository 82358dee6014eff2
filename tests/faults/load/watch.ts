/**
 * A process as the system sees it: memory, open files, and how long it lets a
 * small request wait.
 *
 * @module
 */
import { residentKb } from "../../../bench/cpu.ts";
import type { ServerProcess } from "../harness/server.ts";
import { Delays, type Spread } from "./delays.ts";

const MB = 1024;

/** Memory a process holds, MB. */
export function memoryOf(pid: number): number {
  return residentKb([pid]) / MB;
}

/**
 * Files and sockets a process has open.
 *
 * @param upstream Connections to it are not counted: idle ones are kept for half
 * a minute on purpose.
 */
export function openFiles(pid: number, upstream?: URL): number {
  const all = [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
  if (upstream === undefined) return all;
  // Remote address and state, the latter 01 for an open connection.
  const port = Number(upstream.port).toString(16).toUpperCase().padStart(
    4,
    "0",
  );
  const open = new RegExp(`^ *\\d+: \\S+ \\S+:${port} 01 `, "gm");
  const table = Deno.readTextFileSync("/proc/net/tcp");
  return all - [...table.matchAll(open)].length;
}

/** What a server holds, MB. */
export interface Held {
  /** Of that, what its program can reach: the rest may be garbage or reserve. */
  heap: number;
  resident: number;
}

/** Has a `limited_server.ts` collect its garbage, and tells what is left. */
export async function heldBy(server: ServerProcess): Promise<Held> {
  const seen: Held[] = [];
  // The system takes back what is free a little later, and in pieces.
  for (let i = 0; i < 3; i++) {
    const said = () => [...server.output.matchAll(/^holds (\d+)$/gm)];
    const before = said().length;
    server.kill("SIGUSR2");
    await until(() => said().length > before, 10_000, "the server counts");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const heap = Number(said().at(-1)![1]) / MB / MB;
    seen.push({ heap, resident: memoryOf(server.pid) });
  }
  return {
    heap: Math.min(...seen.map(({ heap }) => heap)),
    resident: Math.min(...seen.map(({ resident }) => resident)),
  };
}

export interface Watch extends AsyncDisposable {
  /** The most memory held so far, MB. */
  readonly peak: number;
  /** Seconds since the watch began, and MB held then. */
  readonly samples: [number, number][];
  /** How long a request that touches no store had to wait, ms. */
  probe(): Spread;
}

/** Watches a server until it is disposed of. */
export function watch(
  { pid, url }: { pid: number; url: string },
  everyMs = 250,
): Watch {
  const began = performance.now();
  const samples: [number, number][] = [];
  const waits = new Delays();
  let over = false;
  let wake = () => {};
  const looking = (async () => {
    while (!over) {
      samples.push([(performance.now() - began) / 1_000, memoryOf(pid)]);
      const asked = performance.now();
      try {
        const response = await fetch(`${url}/api/runs/none`);
        await response.body?.cancel();
      } catch {
        // The server is gone; whoever talks to it will say so.
        return;
      }
      waits.add(performance.now() - asked);
      await new Promise<void>((go) => {
        const timer = setTimeout(go, everyMs);
        wake = () => {
          clearTimeout(timer);
          go();
        };
      });
    }
  })();
  return {
    samples,
    get peak() {
      return Math.max(...samples.map(([, mb]) => mb));
    },
    probe: () => waits.spread(),
    async [Symbol.asyncDispose]() {
      over = true;
      wake();
      await looking;
    },
  };
}

/** How fast the samples rise, per minute: the line that fits them best. */
export function risePerMinute(samples: [number, number][]): number {
  const mean = (values: number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(samples.map(([at]) => at));
  const y = mean(samples.map(([, mb]) => mb));
  let above = 0;
  let below = 0;
  for (const [at, mb] of samples) {
    above += (at - x) * (mb - y);
    below += (at - x) ** 2;
  }
  return above / below * 60;
}

/** Waits for a condition, looked at ten times a second. */
export async function until(
  met: () => boolean | Promise<boolean>,
  withinMs: number,
  what: string,
): Promise<void> {
  const limit = performance.now() + withinMs;
  while (!await met()) {
    if (performance.now() > limit) {
      throw new Error(`Waited ${withinMs} ms in vain: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
