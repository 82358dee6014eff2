/**
 * An internet for the web reader: names are what a test says, public addresses
 * lead to one local server, and every other address leads to a canary on
 * 127.0.0.x that counts who comes. Nothing outside 127.0.0.0/8 is touched.
 *
 * @module
 */
import net from "node:net";
import tls from "node:tls";
import { guardedFetch } from "../../lib/tools/web/fetch.ts";
import type { Network } from "../../lib/tools/web/network.ts";

const fixture = (name: string) =>
  Deno.readTextFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));

/** Public addresses of the stage; the certificate is good for the first too. */
export const PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07::1"];

export interface Seen {
  /** The head as it came. */
  head: string;
  /** `http://public.test/path`, by the Host header. */
  url: string;
  /** The bytes are encrypted. */
  secure: boolean;
}

/** Answers a request: bytes to send before the end, or a hand on the socket. */
export type Site = (
  seen: Seen,
  socket: net.Socket,
) => string | Uint8Array | void;

export class Stage implements AsyncDisposable {
  /** What is answered for a name, one answer after another; the last stays. */
  readonly names = new Map<string, string[][]>([
    ["public.test", [PUBLIC]],
    ["www.public.test", [PUBLIC]],
    ["other.test", [[PUBLIC[0]!]]],
  ]);
  readonly looked: string[] = [];
  /** Addresses and ports connections were asked for. */
  readonly dialled: string[] = [];
  readonly seen: Seen[] = [];
  /** How many connections the canary took. */
  accepts = 0;
  own: string[] = [];
  ca: string | undefined = fixture("ca.pem");
  /** Addresses nobody answers at. */
  readonly dead = new Set<string>();
  readonly network: Network;
  site: Site = () => page("hello");

  readonly #open = new Set<net.Socket>();
  readonly #servers: net.Server[] = [];
  #plain = 0;
  #secure = 0;
  #canary = 0;

  private constructor() {
    this.network = {
      resolve: (name) => {
        this.looked.push(name);
        const answers = this.names.get(name);
        if (!answers) return Promise.reject(new Error("ENOTFOUND"));
        return Promise.resolve(
          answers.length > 1 ? answers.shift()! : answers[0]!,
        );
      },
      dial: (address, port) => {
        this.dialled.push(`${address} ${port}`);
        if (this.dead.has(address)) {
          return net.connect({ host: "127.0.0.1", port: 1 });
        }
        if (!PUBLIC.includes(address)) {
          return net.connect({ host: "127.0.0.9", port: this.#canary });
        }
        const to = port === 443 ? this.#secure : this.#plain;
        return net.connect({ host: "127.0.0.1", port: to });
      },
      own: () => this.own,
    };
    Object.defineProperty(this.network, "ca", { get: () => this.ca });
  }

  static async open(site?: Site): Promise<Stage> {
    const stage = new Stage();
    if (site) stage.site = site;
    const serve = (secure: boolean) => (socket: net.Socket) =>
      stage.#serve(socket, secure);
    const credentials = { cert: fixture("cert.pem"), key: fixture("key.pem") };
    stage.#plain = await stage.#listen(net.createServer(serve(false)));
    stage.#secure = await stage.#listen(
      tls.createServer(credentials, serve(true)),
    );
    stage.#canary = await stage.#listen(
      net.createServer((socket) => {
        stage.accepts++;
        socket.on("error", () => {});
        socket.end(page("secret of the inside"));
      }),
      "127.0.0.9",
    );
    return stage;
  }

  /** Asks through the guarded fetch, as the tool does. */
  fetch(
    url: string,
    options: { allow?: string[]; signal?: AbortSignal } = {},
  ) {
    const { allow = null, signal = new AbortController().signal } = options;
    return guardedFetch(url, { allow, signal, network: this.network });
  }

  async #listen(server: net.Server, host = "127.0.0.1"): Promise<number> {
    this.#servers.push(server);
    server.on("connection", (socket: net.Socket) => {
      this.#open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#open.delete(socket));
    });
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve) =>
      server.listen({ host, port: 0 }, resolve)
    );
    return (server.address() as net.AddressInfo).port;
  }

  #serve(socket: net.Socket, secure: boolean): void {
    let head = "";
    socket.on("error", () => {});
    socket.on("data", (bytes: Uint8Array) => {
      head += new TextDecoder("latin1").decode(bytes);
      if (!head.includes("\r\n\r\n")) return;
      const path = head.split(" ", 2)[1]!;
      const host = /^host: (.*)$/im.exec(head)?.[1];
      const url = `${secure ? "https" : "http"}://${host}${path}`;
      const seen = { head, url, secure };
      head = "";
      this.seen.push(seen);
      const answer = this.site(seen, socket);
      if (answer !== undefined) socket.end(answer);
    });
  }

  /** Connections to the stage that are still open. */
  get connections(): number {
    return this.#open.size;
  }

  /** Resolves when nobody is connected any more. */
  async quiet(): Promise<void> {
    while (this.#open.size > 0) {
      const [socket] = this.#open;
      await new Promise<void>((resolve) => socket!.once("close", resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await Promise.all(
      this.#servers.map((server) =>
        new Promise((resolve) => server.close(resolve))
      ),
    );
  }
}

const encoder = new TextEncoder();

/** An answer with a body, "200 OK" and text/html unless said otherwise. */
export function page(
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  status = "200 OK",
): Uint8Array {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const all = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Length": String(bytes.length),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  const head = encoder.encode(
    `HTTP/1.1 ${status}\r\n${lines.join("\r\n")}\r\n\r\n`,
  );
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return whole;
}

/** An answer that sends elsewhere. */
export function redirect(location: string, status = 302): Uint8Array {
  return page("moved", { Location: location }, `${status} Moved`);
}
