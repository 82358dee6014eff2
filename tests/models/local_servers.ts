/**
 * Model servers on this computer that tests start, fill and stop.
 *
 * @module
 */
import { chunk, done, finish } from "../helpers/completion_chunks.ts";

export interface ModelServer extends AsyncDisposable {
  port: number;
  /** `http://127.0.0.1:<port>/v1` */
  baseUrl: string;
  /** What it offers from now on. */
  models: string[];
  /** Every request so far: `GET /v1/models`. */
  requests: string[];
  /** The key of each request; null where there was none. */
  keys: (string | null)[];
  /** Answers the list with this instead, while it is set. */
  instead: (() => Response) | null;
  stop(): Promise<void>;
}

/**
 * Starts a server that offers these models, in this order. Whoever asks one of
 * them hears "<name> of <port>".
 *
 * @param options.port to start a server anew where it was; else any.
 * @param options.owner what it says of who owns its models.
 */
export function serveModels(
  models: string[],
  options: { port?: number; owner?: string } = {},
): ModelServer {
  const closing = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    signal: closing.signal,
    onListen() {},
  }, async (request) => {
    const { pathname } = new URL(request.url);
    self.requests.push(`${request.method} ${pathname}`);
    self.keys.push(request.headers.get("authorization"));
    if (pathname === "/v1/models") {
      return self.instead?.() ??
        Response.json(list(self.models, options.owner));
    }
    const { model } = await request.json();
    if (pathname !== "/v1/chat/completions") {
      return Response.json({ error: { message: "not here" } }, { status: 404 });
    }
    return new Response(
      chunk({ content: `${model} of ${self.port}` }) + finish("stop") + done(),
      { headers: { "content-type": "text/event-stream" } },
    );
  });
  const stop = async () => {
    closing.abort();
    await server.finished;
  };
  const { port } = server.addr;
  const self: ModelServer = {
    port,
    baseUrl: `http://127.0.0.1:${port}/v1`,
    models,
    requests: [],
    keys: [],
    instead: null,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return self;
}

/** A list as OpenAI's API writes it. */
export function list(names: string[], owner = "library") {
  return {
    object: "list",
    data: names.map((id) => ({
      id,
      object: "model",
      created: 1763850000,
      owned_by: owner,
    })),
  };
}

/** A port nobody listens on just now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
