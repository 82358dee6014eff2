/**
 * A real server process, as `deno task start` runs it, for tests that kill it.
 *
 * @module
 */
const ROOT = new URL("../../../", import.meta.url);
/** How long a process may take to say where it listens, ms. */
const START_MS = 30_000;
const KEPT = 20_000;

export interface ServerOptions {
  /** `TICKERTAPE_DATA`: the folder of the database, and of what is cached. */
  data: string;
  /** `DATABASE_URL`; without it the database is a SQLite file in `data`. */
  database?: string;
  /** `OPENAI_BASE_URL`. */
  upstream: string;
  /** `OPENAI_API_KEY`: tells the upstream which instance asks. */
  name?: string;
  /** Further settings. */
  env?: Record<string, string>;
  /** Run in the place of `host/serve.ts`, with its arguments. */
  entry?: string[];
}

export interface ServerProcess extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  url: string;
  port: number;
  pid: number;
  /** From being started to listening, ms. */
  startedIn: number;
  /** Sends a signal; one that has ended already does not mind. */
  kill(signal: Deno.Signal): void;
  /** How it ended. */
  status: Promise<Deno.CommandStatus>;
  /** The last it printed, to either stream. */
  readonly output: string;
}

/** The server did not come up. */
export class StartError extends Error {
  override name = "StartError";
  constructor(readonly code: number | null, readonly output: string) {
    super(`Cannot start a server (exit code ${code}): ${output}`);
  }
}

/**
 * Starts a server on a free port; resolves once it listens. It is killed when
 * the test disposes of it.
 *
 * @throws StartError if it ends, or says nothing for half a minute.
 */
export async function startServer(
  options: ServerOptions,
): Promise<ServerProcess> {
  const { data, database = "", upstream, name = "test" } = options;
  const { entry = ["host/serve.ts"], env } = options;
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", "deno.npm.json", "--frozen", ...entry],
    cwd: ROOT,
    env: {
      PORT: "0",
      HOST: "127.0.0.1",
      TICKERTAPE_ACCESS: "",
      TICKERTAPE_DATA: data,
      DATABASE_URL: database,
      OPENAI_BASE_URL: upstream,
      OPENAI_API_KEY: name,
      OPENAI_MODEL: "scripted",
      OPENAI_API: "",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = new Output(child.stdout, child.stderr);
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
  };
  const end = async () => {
    kill("SIGKILL");
    await child.status;
    await output.over;
  };
  // The whole line: a read may end in the middle of the port.
  const url = await output.find(/^Tickertape +(http:\/\/\S+)\n/m);
  if (url === null) {
    kill("SIGKILL");
    const { code } = await child.status;
    await output.over;
    throw new StartError(code, output.text);
  }
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid,
    startedIn: performance.now() - began,
    kill,
    status: child.status,
    get output() {
      return output.text;
    },
    [Symbol.asyncDispose]: end,
  };
}

/** The last words of a process; what came before is forgotten. */
class Output {
  text = "";
  /** Resolves once both streams have ended. */
  readonly over: Promise<unknown>;
  #onText = () => {};
  #ended = false;

  constructor(...streams: ReadableStream<Uint8Array>[]) {
    this.over = Promise.all(streams.map((stream) => this.#read(stream)));
    this.over.then(() => {
      this.#ended = true;
      this.#onText();
    });
  }

  /** The group that matches first; null if the process ends or takes too long without. */
  find(pattern: RegExp): Promise<string | null> {
    return new Promise((resolve) => {
      const done = (found: string | null) => {
        clearTimeout(timer);
        this.#onText = () => {};
        resolve(found);
      };
      const timer = setTimeout(() => done(null), START_MS);
      this.#onText = () => {
        const found = pattern.exec(this.text)?.[1];
        if (found !== undefined || this.#ended) done(found ?? null);
      };
      this.#onText();
    });
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      const text = this.text + decoder.decode(bytes, { stream: true });
      this.text = text.slice(-KEPT);
      this.#onText();
    }
  }
}
