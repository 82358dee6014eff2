/**
 * A model provider made of a script: a raw TCP server on 127.0.0.1 that answers
 * each request with exactly the bytes, pauses and accidents a test wrote down.
 * It sits where a real provider would, so the adapter, the agent or the whole
 * app can be driven through it.
 *
 * ```ts
 * await using upstream = await scriptedUpstream([
 *   sse(chunk({ content: "Hel" }), chunk({ content: "lo" }), finish("stop"), done()),
 *   sse(chunk({ content: "Hal" }), reset()),
 * ]);
 * const model = createOpenAIModel({ apiKey: "k", baseUrl: upstream.baseUrl, model: "m" });
 * // … upstream.requests[0].body.messages is what the provider was sent
 * ```
 *
 * A **script** is a list of steps and answers one request; scripts are used in
 * order. A **step** is text or bytes (one write each, framed as the head asked)
 * or an action: {@linkcode pause}, {@linkcode reset}, {@linkcode hang},
 * {@linkcode raw}. Heads come from {@linkcode sse}, {@linkcode reply} and
 * {@linkcode silent} (all in `scripts.ts`), the text of chunks from
 * `completion_chunks.ts` or `responses_events.ts`; this file hands on all but the
 * last, whose names are its own.
 *
 * The double complains: `close()` (which `await using` calls) throws when a
 * request came that no script expected, or a script was never asked for.
 *
 * @module
 */
import net from "node:net";
import { type Peer, reply, type Script, type SeenRequest } from "./scripts.ts";

export * from "./scripts.ts";
export * from "./completion_chunks.ts";

export interface ScriptedUpstream extends AsyncDisposable {
  /** `http://127.0.0.1:<port>/v1` */
  baseUrl: string;
  /** Every request so far, in order of arrival. */
  requests: SeenRequest[];
  /** Adds a script to the end of the list. */
  next(script: Script): void;
  /** Resolves when the nth request (from 1) has arrived. */
  arrived(nth: number): Promise<SeenRequest>;
  /**
   * Stops listening and drops open connections.
   *
   * @throws if a request was unexpected or a script was left over.
   */
  close(): Promise<void>;
}

/**
 * Starts an upstream on a free port.
 *
 * @param scripts used in order, one per request; or a function that chooses by
 * the request, for tests where several conversations run at once (then nothing
 * is ever left over).
 */
export async function scriptedUpstream(
  scripts: Script[] | ((request: SeenRequest) => Script),
): Promise<ScriptedUpstream> {
  const queue = Array.isArray(scripts) ? [...scripts] : [];
  const requests: SeenRequest[] = [];
  const complaints: string[] = [];
  const sockets = new Set<net.Socket>();
  const waiting: { nth: number; tell: (request: SeenRequest) => void }[] = [];

  function choose(request: SeenRequest): Script {
    if (typeof scripts === "function") return scripts(request);
    const script = queue.shift();
    if (script !== undefined) return script;
    complaints.push(
      `unexpected request ${requests.length}: ${request.method} ${request.path}`,
    );
    return reply(500, `no script for request ${requests.length}`);
  }

  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const gone = Promise.withResolvers<void>();
    socket.on("error", () => {}); // a client that leaves is no accident here
    socket.on("close", () => {
      sockets.delete(socket);
      gone.resolve();
    });
    readRequests(socket, async (seen) => {
      const request = { ...seen, closed: gone.promise };
      requests.push(request);
      const script = choose(request);
      for (const wish of waiting) {
        if (wish.nth === requests.length) wish.tell(request);
      }
      await play(script, socket, request);
    }, (why) => complaints.push(why));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as net.AddressInfo;

  async function close() {
    const closed = new Promise((done) => server.close(done));
    const gone = [...sockets].map((socket) =>
      new Promise<void>((left) => {
        socket.once("close", () => left());
        socket.destroy();
      })
    );
    await Promise.all([closed, ...gone]);
    if (queue.length > 0) {
      complaints.push(`${queue.length} script(s) were never asked for`);
    }
    if (complaints.length > 0) {
      throw new Error(`Scripted upstream: ${complaints.join("; ")}`);
    }
  }

  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    next: (script) => void queue.push(script),
    arrived: (nth) =>
      requests.length >= nth
        ? Promise.resolve(requests[nth - 1]!)
        : new Promise((tell) => waiting.push({ nth, tell })),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function play(script: Script, socket: net.Socket, request: SeenRequest) {
  const write = (piece: string | Uint8Array) =>
    new Promise<void>((sent) => {
      if (socket.destroyed || socket.writableEnded) sent();
      else socket.write(piece, () => sent());
    });
  const body = async (piece: string | Uint8Array) => {
    if (script.framing !== "chunked") return await write(piece);
    const bytes = Buffer.from(piece as string);
    if (bytes.length === 0) return; // an empty chunk would end the body
    await write(Buffer.concat([
      Buffer.from(`${bytes.length.toString(16)}\r\n`),
      bytes,
      Buffer.from("\r\n"),
    ]));
  };
  const peer: Peer = {
    request,
    body,
    raw: write,
    reset: () => void socket.resetAndDestroy(),
    close: () => void socket.end(),
  };
  if (script.head !== "") await write(script.head);
  for (const step of script.steps) {
    if (socket.destroyed) return;
    if (typeof step === "function") await step(peer);
    else await body(step);
  }
  if (script.framing === "chunked") await write("0\r\n\r\n");
  if (script.framing === "close") socket.end();
}

/** Cuts a connection's bytes into requests; the next waits for the answer. */
function readRequests(
  socket: net.Socket,
  answer: (request: Omit<SeenRequest, "closed">) => Promise<void>,
  complain: (why: string) => void,
) {
  let held = Buffer.alloc(0);
  let busy = false;
  async function advance() {
    if (busy) return;
    const end = held.indexOf("\r\n\r\n");
    if (end === -1) return;
    const [first = "", ...lines] = held.subarray(0, end).toString().split(
      "\r\n",
    );
    const headers = new Headers(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
    );
    const length = Number(headers.get("content-length") ?? 0);
    if (headers.has("transfer-encoding")) {
      complain("a request body was chunked, which is not read here");
    }
    if (held.length < end + 4 + length) return;
    const text = held.subarray(end + 4, end + 4 + length).toString();
    held = held.subarray(end + 4 + length);
    const [method = "", path = ""] = first.split(" ");
    busy = true;
    await answer({ method, path, headers, body: json(text), at: now() });
    busy = false;
    await advance();
  }
  socket.on("data", (bytes) => {
    held = Buffer.concat([held, bytes as Buffer]);
    advance().catch((error) => complain(String(error)));
  });
}

const now = () => performance.now();

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
