/**
 * A provider and an MCP server that begin and never end, and know when somebody
 * gives up on them.
 *
 * @module
 */
import net from "node:net";

interface Holder {
  url: string;
  busy(): Promise<void>;
  stopped(): Promise<number>;
  close(): Promise<void>;
}

/** One kind of thing that is waited for, again and again. */
class Moments {
  #busy = Promise.withResolvers<void>();
  #stopped = Promise.withResolvers<number>();
  readonly busy = () => {
    this.#busy = Promise.withResolvers();
    return this.#busy.promise;
  };
  readonly stopped = () => {
    this.#stopped = Promise.withResolvers();
    return this.#stopped.promise;
  };
  began() {
    this.#busy.resolve();
  }
  ended() {
    this.#stopped.resolve(performance.now());
  }
}

/** One character for each byte, so that lengths are right. */
const latin1 = new TextDecoder("latin1");

const chunk = (delta: unknown, finish: string | null = null) =>
  `data: ${
    JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })
  }\n\n`;

/** Says one word and falls silent; asked by the name of a tool, it calls that. */
export async function startHolder(): Promise<Holder> {
  const moments = new Moments();
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let speaking = false;
    let got = "";
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      if (speaking) moments.ended();
    });
    socket.on("data", (bytes: Uint8Array) => {
      got += latin1.decode(bytes);
      const [head, body] = got.split("\r\n\r\n");
      const length = /content-length: (\d+)/i.exec(head!)?.[1] ?? "0";
      if (body === undefined || body.length < Number(length)) return;
      got = "";
      if (head!.startsWith("GET")) {
        const list = '{"data":[{"id":"holder"}]}';
        socket.end(
          "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" +
            `content-length: ${list.length}\r\n\r\n${list}`,
        );
        return;
      }
      socket.write(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n" +
          "connection: close\r\n\r\n",
      );
      const { messages } = JSON.parse(body);
      const { content } = messages.at(-1);
      if (content === "speak") {
        speaking = true;
        socket.write(chunk({ content: "Hm" }), () => moments.began());
        return;
      }
      const call = {
        index: 0,
        id: "c",
        function: { name: content, arguments: "{}" },
      };
      socket.end(
        chunk({ tool_calls: [call] }) + chunk({}, "tool_calls") +
          "data: [DONE]\n\n",
      );
    });
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    busy: moments.busy,
    stopped: moments.stopped,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Has one tool, `wait`, that never answers. */
export function startMcpHolder(): Holder {
  const moments = new Moments();
  const reply = (id: unknown, result: unknown) =>
    Response.json({ jsonrpc: "2.0", id, result }, {
      headers: { "mcp-session-id": "one" },
    });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (req) => {
      if (req.method !== "POST") return new Response(null, { status: 405 });
      const { id, method, params } = await req.json();
      switch (method) {
        case "initialize":
          return reply(id, {
            protocolVersion: params.protocolVersion,
            capabilities: { tools: {} },
            serverInfo: { name: "holder", version: "1" },
          });
        case "tools/list":
          return reply(id, {
            tools: [{
              name: "wait",
              description: "Waits",
              inputSchema: { type: "object", properties: {} },
            }],
          });
        case "tools/call":
          moments.began();
          return new Response(new ReadableStream(), {
            headers: { "content-type": "text/event-stream" },
          });
        case "notifications/cancelled":
          moments.ended();
          return new Response(null, { status: 202 });
        default:
          return id === undefined
            ? new Response(null, { status: 202 })
            : reply(id, {});
      }
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    busy: moments.busy,
    stopped: moments.stopped,
    close: () => server.shutdown(),
  };
}
