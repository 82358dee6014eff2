/**
 * A bad network: a TCP proxy that hangs up when told, after every frame of an
 * event stream, or on everybody at once.
 */
export interface CuttingProxy extends AsyncDisposable {
  readonly url: string;
  /** Hang up after each frame that carries an id. */
  cutEveryFrame: boolean;
  /** How many event streams were cut. */
  readonly cuts: number;
  /**
   * Hangs up on everybody; refuses newcomers until {@linkcode up}, with `answer`
   * if there is one.
   */
  down(answer?: string): void;
  up(): void;
}

/** Starts a proxy in front of `target` (`http://127.0.0.1:<port>`). */
export function startProxy(target: string): CuttingProxy {
  const { hostname, port } = new URL(target);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<() => void>();
  const pipes = new Set<Promise<void>>();
  let refusing: string | null = null;
  let cuts = 0;

  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${listener.addr.port}`,
    cutEveryFrame: false,
    get cuts() {
      return cuts;
    },
    down(answer = "") {
      refusing = answer;
      for (const close of open) close();
    },
    up() {
      refusing = null;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const close of open) close();
      await Promise.all(pipes);
      await accepting;
    },
  };

  async function serve(client: Deno.TcpConn): Promise<void> {
    if (refusing !== null) return await refuse(client, refusing);
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({ hostname, port: Number(port) });
    } catch {
      return client.close();
    }
    let closed = false;
    const close = () => {
      if (closed) return;
      closed = true;
      open.delete(close);
      client.close();
      server.close();
    };
    open.add(close);
    const up = pump(client, server, () => false);
    const down = pump(
      server,
      client,
      framesOf(() => {
        if (!proxy.cutEveryFrame) return false;
        cuts++;
        return true;
      }),
    );
    await Promise.race([up, down]);
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
  return proxy;
}

/** Answers once a question has come: who closes with it unread takes it back. */
async function refuse(client: Deno.TcpConn, answer: string): Promise<void> {
  try {
    if (answer === "") return;
    await client.read(new Uint8Array(16 * 1024));
    await client.write(new TextEncoder().encode(answer));
  } catch {
    // It hung up first.
  } finally {
    client.close();
  }
}

/** Says after which bytes of an event stream a frame with an id has passed. */
function framesOf(onFrame: () => boolean): (bytes: Uint8Array) => boolean {
  const decoder = new TextDecoder("latin1");
  let tail = "";
  return (bytes) => {
    tail += decoder.decode(bytes, { stream: true });
    if (!/\nid: r_[^\n]*\ndata: [^\n]*\n\n/.test(`\n${tail}`)) {
      tail = tail.slice(-20_000);
      return false;
    }
    tail = "";
    return onFrame();
  };
}

async function pump(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  cutAfter: (bytes: Uint8Array) => boolean,
): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  try {
    while (true) {
      const count = await from.read(buffer);
      if (count === null) return;
      const bytes = buffer.subarray(0, count);
      const cut = cutAfter(bytes);
      for (let sent = 0; sent < count;) {
        sent += await to.write(bytes.subarray(sent));
      }
      if (cut) return;
    }
  } catch {
    // One side hung up; so do we.
  }
}
