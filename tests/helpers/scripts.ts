/**
 * What a scripted upstream can be told to do: heads, steps and actions.
 * Described in `scripted_upstream.ts`, which hands all of this on.
 *
 * @module
 */

/** What arrived. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: Headers;
  /** The JSON body; a string if it was not JSON. */
  // deno-lint-ignore no-explicit-any
  body: any;
  /** When it was complete, `performance.now()`. */
  at: number;
  /** Resolves when the client's connection is gone, whoever ended it. */
  closed: Promise<void>;
}

/** The connection as an action sees it. */
export interface Peer {
  request: SeenRequest;
  /** Sends body bytes, framed as the head announced. */
  body(piece: string | Uint8Array): Promise<void>;
  /** Sends these bytes as they are. */
  raw(piece: string | Uint8Array): Promise<void>;
  /** Drops the connection with a TCP RST. Unread bytes are lost at the client. */
  reset(): void;
  /** Ends the connection in good order (FIN), however much was promised. */
  close(): void;
}

/** Text or bytes of the body, or something to do. */
export type Step =
  | string
  | Uint8Array
  | ((peer: Peer) => void | Promise<void>);

/** One answer. */
export interface Script {
  head: string;
  /** How body pieces are framed, and what ends the body. */
  framing: "chunked" | "close" | "length";
  steps: Step[];
}

/** How an answer deviates from a plain `200` chunked one. */
export interface HeadOptions {
  status?: number;
  /** Added to, or replacing, the usual headers; null removes one. */
  headers?: Record<string, string | null>;
  framing?: Script["framing"];
}

/** `200 text/event-stream`, chunked: each text or byte step is one chunk. */
export const sse = (...steps: Step[]): Script => sseWith({}, ...steps);

/** {@linkcode sse} with another status, headers or framing. */
export function sseWith(options: HeadOptions, ...steps: Step[]): Script {
  const framing = options.framing ?? "chunked";
  const headers: Record<string, string | null> = {
    "content-type": "text/event-stream",
    ...(framing === "chunked" ? { "transfer-encoding": "chunked" } : {}),
    ...(framing === "close" ? { "connection": "close" } : {}),
    ...options.headers,
  };
  return { head: headText(options.status ?? 200, headers), framing, steps };
}

/** A whole answer with a length; objects are sent as JSON. */
export function reply(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Script {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const head = headText(status, {
    "content-type": typeof body === "string"
      ? "text/plain"
      : "application/json",
    "content-length": String(new TextEncoder().encode(text).length),
    ...headers,
  });
  return { head, framing: "length", steps: [text] };
}

/** No head at all: only what the steps do (`silent(reset())`, `silent(hang())`). */
export const silent = (...steps: Step[]): Script => ({
  head: "",
  framing: "length",
  steps,
});

function headText(status: number, headers: Record<string, string | null>) {
  const lines = Object.entries(headers)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join("")}\r\n`;
}

/**
 * Waits for a signal of the test, or (last resort) some milliseconds; no longer
 * than the client stays.
 */
export const pause =
  (until: Promise<unknown> | number): Step => async ({ request }) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const signal = typeof until === "number"
      ? new Promise((go) => timer = setTimeout(go, until))
      : until;
    await Promise.race([signal, request.closed]);
    clearTimeout(timer);
  };

/** Says nothing more until the client leaves. */
export const hang = (): Step => (peer) => peer.request.closed;

/** TCP RST now. To be sure that earlier text was read, `pause` on it first. */
export const reset = (): Step => (peer) => peer.reset();

/** FIN now, whatever the head promised. */
export const cut = (): Step => (peer) => peer.close();

/** Bytes outside the framing. */
export const raw = (piece: string | Uint8Array): Step => (peer) =>
  peer.raw(piece);

/** One write per byte. */
export const byteByByte = (text: string): Step[] =>
  Array.from(new TextEncoder().encode(text), (byte) => Uint8Array.of(byte));
