/**
 * Starts and stops what is measured: the provider, the raw proxy and the server,
 * each a process of its own on a free port of the loopback.
 *
 * @module
 */
import { cpuSeconds, family, residentKb } from "./cpu.ts";
import { get } from "./http.ts";

const ROOT = new URL("../", import.meta.url);
/** How long a process may take to say where it listens, ms. */
const START_MS = 120_000;
const STOP_MS = 10_000;

/** A running process under measurement. */
export interface Running {
  url: URL;
  /** CPU it and its children have used, seconds. */
  cpu(): number;
  /** Memory it and its children hold, KB. */
  memory(): number;
  /** From being started to being asked to answer, ms. */
  startedIn: number;
  stop(): Promise<void>;
}

/** Runs one of the programs in this folder. */
export function startProgram(name: string, ...args: string[]) {
  const file = new URL(name, import.meta.url).pathname;
  return start(["run", "-A", "--no-config", file, ...args], {});
}

/**
 * Runs Tickertape the way `deno task start` does, with a database of its own.
 * It counts as started when its first page was answered.
 */
export async function startServer(upstream: URL): Promise<Running> {
  const data = await Deno.makeTempDir({ prefix: "tickertape-bench-" });
  const began = performance.now();
  const remove = () => Deno.remove(data, { recursive: true });
  let server: Running;
  try {
    server = await start(["run", "-A", "--no-config", "tasks/start.ts"], {
      PORT: "0",
      HOST: "127.0.0.1",
      OPENAI_BASE_URL: new URL("/v1", upstream).href,
      OPENAI_API_KEY: "bench",
      OPENAI_MODEL: "bench",
      TICKERTAPE_DATA: data,
    });
    const { status } = await get(server.url);
    if (status !== 200) throw new Error(`Cannot use the server: ${status}`);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    ...server,
    startedIn: performance.now() - began,
    stop: async () => {
      await server.stop();
      await remove();
    },
  };
}

async function start(
  args: string[],
  env: Record<string, string>,
): Promise<Running> {
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args,
    env,
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Tail(child.stderr);
  const output = new Tail(child.stdout);
  const stop = async () => {
    const killer = setTimeout(() => tryKill(child, "SIGKILL"), STOP_MS);
    tryKill(child, "SIGTERM");
    await child.status;
    clearTimeout(killer);
    await Promise.all([errors.over, output.over]);
  };
  const found = await output.find(/http:\/\/[\w.[\]:]+/, START_MS);
  if (found === null) {
    await stop();
    throw new Error(
      `Cannot start "${args.join(" ")}": ${errors.text || "no address"}`,
    );
  }
  const pids = family(child.pid);
  return {
    url: new URL(found),
    cpu: () => cpuSeconds(pids),
    memory: () => residentKb(pids),
    startedIn: performance.now() - began,
    stop,
  };
}

function tryKill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended already.
  }
}

/** The last words of a process; the rest is read and forgotten. */
class Tail {
  static readonly #KEPT = 4_000;
  text = "";
  readonly over: Promise<void>;
  #onText = () => {};
  #ended = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.over = this.#read(stream);
  }

  /** What matches first, or null if it ends or takes too long without. */
  find(pattern: RegExp, withinMs: number): Promise<string | null> {
    return new Promise((resolve) => {
      const done = (found: string | null) => {
        clearTimeout(timer);
        this.#onText = () => {};
        resolve(found);
      };
      const timer = setTimeout(() => done(null), withinMs);
      this.#onText = () => {
        const found = pattern.exec(this.text)?.[0];
        if (found !== undefined || this.#ended) done(found ?? null);
      };
      this.#onText();
    });
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      this.text = (this.text + decoder.decode(bytes, { stream: true }))
        .slice(-Tail.#KEPT);
      this.#onText();
    }
    this.#ended = true;
    this.#onText();
  }
}
