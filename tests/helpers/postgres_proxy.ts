/**
 * A TCP proxy in front of Postgres that loses connections at chosen moments.
 *
 * @module
 */
type Moment = "unsent" | "unheard" | "silent";

export interface PostgresProxy extends AsyncDisposable {
  /** The database's URL, through the proxy. */
  readonly url: string;
  /** How many connections were cut by {@linkcode cutOn}. */
  readonly cuts: number;
  /**
   * The next connection whose client sends `word` is cut: `unsent` before the
   * server gets it, `unheard` after the server has answered and before the
   * client hears it. `silent`: it is not cut, but {@linkcode silence} begins.
   */
  cutOn(word: string, moment: Moment): void;
  /** From now on nothing passes, and nobody is told: a network that fell silent. */
  silence(): void;
  /** Ends that; the connections of before stay dead. */
  speak(): void;
}

/** Starts one in front of the database at `target`. */
export function startPostgresProxy(target: string): PostgresProxy {
  const { hostname, port } = new URL(target);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<() => void>();
  const pipes = new Set<Promise<unknown>>();
  const decoder = new TextDecoder("latin1");
  let trap: { word: string; moment: Moment } | null = null;
  let cuts = 0;
  let silent = false;
  const over = Promise.withResolvers<void>();

  async function serve(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect({ hostname, port: Number(port) })
      .catch(() => null);
    let closed = false;
    const close = () => {
      if (closed) return;
      closed = true;
      open.delete(close);
      client.close();
      server?.close();
    };
    open.add(close);
    if (server === null) return close();
    let caught = false;
    let dead = silent;
    const up = pump(client, server, (bytes) => {
      dead ||= silent;
      if (dead) return "drop";
      if (trap !== null && decoder.decode(bytes).includes(trap.word)) {
        cuts++;
        const { moment } = trap;
        trap = null;
        if (moment === "unsent") return "cut";
        if (moment === "silent") {
          silent = dead = true;
          return "drop";
        }
        caught = true;
      }
      return "pass";
    });
    const down = pump(server, client, () => {
      dead ||= silent;
      return dead ? "drop" : caught ? "cut" : "pass";
    });
    await Promise.race([up, down]);
    // Who fell silent does not hang up either.
    if (dead) await over.promise;
    close();
    await Promise.all([up, down]);
  }

  const accepting = (async () => {
    try {
      for await (const client of listener) {
        const pipe = serve(client);
        pipes.add(pipe);
        pipe.finally(() => pipes.delete(pipe));
      }
    } catch {
      // The listener was closed.
    }
  })();

  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String(listener.addr.port);
  return {
    url: url.href,
    get cuts() {
      return cuts;
    },
    cutOn(word, moment) {
      trap = { word, moment };
    },
    silence() {
      silent = true;
    },
    speak() {
      silent = false;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      over.resolve();
      for (const close of open) close();
      await Promise.all(pipes);
      await accepting;
    },
  };
}

async function pump(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  judge: (bytes: Uint8Array) => "pass" | "drop" | "cut",
): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    while (true) {
      const count = await from.read(buffer);
      if (count === null) return;
      const bytes = buffer.subarray(0, count);
      const verdict = judge(bytes);
      if (verdict === "cut") return;
      if (verdict === "drop") continue;
      for (let sent = 0; sent < count;) {
        sent += await to.write(bytes.subarray(sent));
      }
    }
  } catch {
    // One side hung up; so do we.
  }
}
