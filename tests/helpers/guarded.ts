/**
 * A guard around a stub host, in process or behind a real socket.
 *
 * @module
 */
import { createLog } from "../../lib/log.ts";
import {
  guard,
  type GuardOptions,
  type HostHandler,
} from "../../lib/web/guard.ts";

export interface Guarded {
  handler: (
    req: Request,
    info?: Deno.ServeHandlerInfo,
  ) => Promise<Response>;
  /** What was logged, one object per line. */
  logged: () => Record<string, unknown>[];
  /** The requests the stub host was given. */
  seen: Request[];
}

/** The guard of a loopback server around `host`. */
export function guarded(
  host: HostHandler,
  options: Partial<GuardOptions> = {},
): Guarded {
  const lines: string[] = [];
  const seen: Request[] = [];
  const log = createLog({
    level: "debug",
    human: false,
    sink: (line) => lines.push(line),
  });
  const handler = guard((req, info) => {
    seen.push(req);
    return host(req, info);
  }, { origin: null, hosts: [], access: "loopback", log, ...options });
  return { handler, seen, logged: () => lines.map((line) => JSON.parse(line)) };
}

export interface Served extends Guarded, AsyncDisposable {
  port: number;
  url: string;
}

/** The same, listening on a free port of 127.0.0.1. */
export function serveGuarded(
  host: HostHandler,
  options: Partial<GuardOptions> = {},
): Served {
  const inner = guarded(host, options);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    inner.handler,
  );
  const { port } = server.addr;
  return {
    ...inner,
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}
