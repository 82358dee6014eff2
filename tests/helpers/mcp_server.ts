/**
 * The scripted MCP server over streamable HTTP, in this process, so that a test
 * sees everything it is sent and when.
 *
 * @module
 */
import { type Message, ScriptedMcp } from "./mcp_script.ts";

/** The true ones, whatever a test does to the clock. */
const { setTimeout, clearTimeout } = globalThis;

export interface HttpMcp extends AsyncDisposable {
  /** `http://127.0.0.1:<port>/mcp` */
  url: string;
  script: ScriptedMcp;
  /** The headers of every request, in order. */
  requests: { method: string; headers: Headers; body: Message | null }[];
  /** Sessions that were ended by their client. */
  ended: string[];
  /** Streams of calls that are open now. */
  open: number;
  /** Streams that clients keep open beside their calls. */
  listeners: number;
  /** Answers like this instead, while it is set. */
  instead:
    | ((req: Request) => Response | null | Promise<Response | null>)
    | null;
  /** Resolves once the condition holds; looks at every message. */
  until(condition: () => boolean): Promise<void>;
  /** Forgets all sessions, as a server does that was restarted. */
  forget(): void;
}

export function startHttpMcp(): HttpMcp {
  const script = new ScriptedMcp();
  const sessions = new Set<string>();
  const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  let waiting: { condition: () => boolean; tell: () => void }[] = [];
  const look = () => {
    waiting = waiting.filter(({ condition, tell }) => {
      if (!condition()) return true;
      tell();
      return false;
    });
  };
  script.onMessage = look;
  const encoder = new TextEncoder();

  const post = async (req: Request, body: Message): Promise<Response> => {
    const id = req.headers.get("mcp-session-id");
    const begins = body.method === "initialize";
    if (!begins && (id === null || !sessions.has(id))) {
      const status = id === null ? 400 : 404;
      return new Response("No valid session ID provided", { status });
    }
    if (body.id === undefined || body.method === undefined) {
      script.receive(body, () => {});
      return new Response(null, { status: 202 });
    }
    const headers = new Headers({ "content-type": "text/event-stream" });
    if (begins) {
      const session = crypto.randomUUID();
      sessions.add(session);
      headers.set("mcp-session-id", session);
    }
    let own: ReadableStreamDefaultController<Uint8Array>;
    const done = () => {
      if (streams.delete(own)) look();
    };
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        own = controller;
        streams.add(controller);
        const send = (message: Message) => {
          if (!streams.has(own)) return;
          const data = JSON.stringify(message);
          controller.enqueue(
            encoder.encode(`event: message\ndata: ${data}\n\n`),
          );
          if (message.id === body.id && message.method === undefined) {
            controller.close();
            done();
          }
        };
        script.receive(body, send);
      },
      cancel: done,
    });
    await Promise.resolve();
    return new Response(stream, { headers });
  };

  /** A stream the client keeps open beside its calls; nothing comes. */
  const listen = () => {
    server.listeners++;
    const stream = new ReadableStream({
      cancel() {
        server.listeners--;
        look();
      },
    });
    return new Response(stream, {
      headers: { "content-type": "text/event-stream" },
    });
  };

  const server: HttpMcp = {
    url: "",
    script,
    requests: [],
    ended: [],
    listeners: 0,
    instead: null,
    get open() {
      return streams.size;
    },
    async until(condition) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const vain = () => reject(new Error(`Waited in vain: ${condition}`));
      const timer = setTimeout(vain, 10_000);
      waiting.push({ condition, tell: resolve });
      look();
      await promise.finally(() => clearTimeout(timer));
    },
    forget: () => sessions.clear(),
    async [Symbol.asyncDispose]() {
      for (const stream of streams) {
        try {
          stream.close();
        } catch {
          // Its reader has just gone.
        }
      }
      await host.shutdown();
    },
  };
  const host = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (req) => {
      const text = req.method === "POST" ? await req.text() : "";
      const body = text === "" ? null : JSON.parse(text) as Message;
      server.requests.push({ method: req.method, headers: req.headers, body });
      const other = await server.instead?.(req);
      look();
      if (other) return other;
      if (req.method === "DELETE") {
        const id = req.headers.get("mcp-session-id")!;
        sessions.delete(id);
        server.ended.push(id);
        look();
        return new Response(null, { status: 200 });
      }
      return body === null ? listen() : await post(req, body);
    },
  );
  server.url = `http://127.0.0.1:${host.addr.port}/mcp`;
  script.die = () => {
    for (const stream of streams) stream.close();
    streams.clear();
  };
  return server;
}
