/**
 * A plain round-robin TCP proxy, as any load balancer without sticky sessions:
 * each connection goes to the next instance that takes it.
 *
 * @module
 */

export interface Proxy extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  url: string;
}

/** @param ports Where the instances listen now; asked for each connection. */
export function startProxy(ports: () => number[]): Proxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const pending = new Set<Promise<void>>();
  let next = 0;

  async function serve(client: Deno.TcpConn): Promise<void> {
    const server = await reach();
    if (server === null) return close(client);
    open.add(client).add(server);
    client.setNoDelay(true);
    server.setNoDelay(true);
    await Promise.all([copy(client, server), copy(server, client)]);
    close(client);
    close(server);
    open.delete(client);
    open.delete(server);
  }

  async function reach(): Promise<Deno.TcpConn | null> {
    const all = ports();
    const first = next++;
    for (let tries = 0; tries < all.length; tries++) {
      const port = all[(first + tries) % all.length]!;
      try {
        return await Deno.connect({ hostname: "127.0.0.1", port });
      } catch {
        // It is down: the next one.
      }
    }
    return null;
  }

  const serving = (async () => {
    for await (const client of listener) {
      const served = serve(client);
      pending.add(served);
      served.finally(() => pending.delete(served));
    }
  })();

  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
      for (const connection of open) close(connection);
      await Promise.all(pending);
    },
  };
}

/** Hands on what comes, and the end of it; an accident ends both sides. */
async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  try {
    await from.readable.pipeTo(to.writable, {
      preventClose: true,
      preventAbort: true,
    });
    // Closing the stream would only mark it: a read that waits keeps it open.
    await to.closeWrite();
  } catch {
    close(from);
    close(to);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
