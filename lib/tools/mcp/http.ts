/**
 * A server somewhere on the network (MCP, "streamable HTTP"). The SDK speaks; the
 * `fetch` it is given is ours, and bounds what comes back.
 *
 * Redirects are followed within one origin only, by the SDK: a token is never
 * sent to another one (threat 21, case S07).
 *
 * @module
 */
import {
  type JSONRPCMessage,
  StreamableHTTPClientTransport,
  type TransportSendOptions,
} from "@modelcontextprotocol/client";
import type { HttpLink } from "./file.ts";
import { FloodGate, MESSAGE_BYTES } from "./flood.ts";
import { LOST } from "./trouble.ts";

/** The SDK's own way of speaking to a server, with our `fetch` under it. */
export class HttpTransport extends StreamableHTTPClientTransport {
  constructor(link: HttpLink) {
    const exchanges = new Exchanges();
    super(new URL(link.url), {
      requestInit: { headers: link.headers },
      redirectPolicy: "same-origin",
      fetch: (url, init) => exchanges.fetch(url, init),
      onInsufficientScope: "throw",
    });
  }

  /**
   * Also answers a request whose stream ended, and could not be taken up again,
   * without an answer: the SDK would wait for it until the deadline.
   */
  override send(
    message: JSONRPCMessage,
    options?: TransportSendOptions,
  ): Promise<void> {
    if (!("method" in message && "id" in message)) {
      return super.send(message, options);
    }
    const { id } = message;
    const onRequestStreamEnd = () => {
      options?.onRequestStreamEnd?.();
      const error = { code: LOST, message: "The stream ended" };
      this.onmessage?.({ jsonrpc: "2.0", id, error });
    };
    return super.send(message, { ...options, onRequestStreamEnd });
  }
}

/** A frame that ends the wait for a call nobody waits for any more. */
const ended = (id: unknown) =>
  new TextEncoder().encode(
    `event: message\ndata: ${
      JSON.stringify({
        jsonrpc: "2.0",
        id,
        error: { code: -32800, message: "cancelled" },
      })
    }\n\n`,
  );

interface Message {
  method?: string;
  id?: string | number;
  params?: { requestId?: string | number };
}

/** The requests of one connection that have not been answered yet. */
class Exchanges {
  #open = new Map<unknown, () => void>();
  /**
   * Answers that are being read. Deno 2.9 knows them weakly: of one that nobody
   * holds, an abort no longer closes the connection.
   */
  #held = new Set<Response>();
  #gate = new FloodGate();

  async fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const message = messageOf(init.body);
    const call = message?.method !== undefined ? message.id : undefined;
    const own = new AbortController();
    const signals = [own.signal, ...(init.signal ? [init.signal] : [])];
    if (call !== undefined) this.#open.set(call, () => own.abort());
    try {
      const response = await fetch(url, {
        ...init,
        signal: AbortSignal.any(signals),
      });
      return this.#bounded(response, call);
    } catch (error) {
      this.#open.delete(call);
      throw error;
    } finally {
      if (message?.method === "notifications/cancelled") {
        // A server that was told need not answer, and most then leave the
        // stream of the call open: without this it would stay so.
        this.#open.get(message.params?.requestId)?.();
      }
    }
  }

  /** The same answer, cut off when one message of it is too long. */
  #bounded(response: Response, call: unknown): Response {
    if (response.body === null) {
      this.#open.delete(call);
      return response;
    }
    const source = response.body.getReader();
    const events = /^text\/event-stream\b/i
      .test(response.headers.get("content-type") ?? "");
    const size = new MessageSize(events, this.#gate);
    this.#held.add(response);
    const over = () => {
      this.#open.delete(call);
      this.#held.delete(response);
    };
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        if (!events || call === undefined) return;
        this.#open.set(call, () => {
          over();
          try {
            controller.enqueue(ended(call));
            controller.close();
          } catch {
            // It had just ended.
          }
          source.cancel().catch(() => {});
        });
      },
      async pull(controller) {
        try {
          const { value, done } = await source.read();
          if (!done) {
            size.take(value);
            return controller.enqueue(value);
          }
          over();
          controller.close();
        } catch (error) {
          over();
          source.cancel().catch(() => {});
          try {
            controller.error(error);
          } catch {
            // Ended while it was read.
          }
        }
      },
      cancel: (reason) => {
        over();
        return source.cancel(reason);
      },
    }, { highWaterMark: 0 });
    const { status, statusText, headers } = response;
    return new Response(body, { status, statusText, headers });
  }
}

function messageOf(body: RequestInit["body"]): Message | null {
  return typeof body === "string" ? JSON.parse(body) : null;
}

/** Counts the bytes of a body, or of each event of a stream of events. */
class MessageSize {
  #bytes = 0;
  /** Line ends one after another; two end an event. */
  #ends = 0;

  constructor(
    private readonly events: boolean,
    private readonly gate: FloodGate,
  ) {}

  /** @throws {Error} when a message is too long, or there are too many. */
  take(chunk: Uint8Array): void {
    if (!this.events) this.#bytes += chunk.length;
    else for (const byte of chunk) this.#step(byte);
    if (this.#bytes > MESSAGE_BYTES) {
      throw new Error("The server sent a message that is too long");
    }
  }

  #step(byte: number): void {
    this.#bytes++;
    if (byte === 0x0d) return; // CR LF and LF count alike, a lone CR is not seen
    this.#ends = byte === 0x0a ? this.#ends + 1 : 0;
    if (this.#ends < 2) return;
    this.gate.take();
    this.#bytes = 0;
    this.#ends = 0;
  }
}
