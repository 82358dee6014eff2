/**
 * One of many readers: a bare socket that checks every frame as it comes. It can
 * be cut off and come back with its cursor, or stop reading altogether.
 *
 * HTTP/1.0, because a body that ends with the connection needs no unframing: a
 * thousand readers should cost the machine less than what they measure.
 *
 * @module
 */
import { nowMicros, TextHash } from "../../../bench/tokens.ts";
import type { Tally } from "./tally.ts";

/** What a reader asks for. */
export interface Order {
  /** `raw`: the provider's own format, as the relay passes it on. */
  door: "ours" | "raw";
  server: string;
  /** The question; null follows `run`. */
  ask: string | null;
  run: string | null;
  cookie?: string;
}

const encoder = new TextEncoder();
/** One character per byte; what is measured is ASCII. */
const ascii = new TextDecoder("latin1");
const BUFFER_BYTES = 8 * 1024;
const MOST_TRIES = 20;
/** Between two tries to connect, ms. */
const AGAIN_MS = 200;

export class Reader {
  /** The run being read; known from the first answer. */
  run: string | null;
  /** The id of the last frame that was taken. */
  cursor: string | null = null;
  status = 0;
  retryAfter: string | null = null;
  setCookie: string | null = null;
  /** The type of the last event of the run, once it came. */
  end: string | null = null;
  /** What is wrong with what was read; null for nothing. */
  wrong: string | null = null;
  /** Connections the other side closed before the end. */
  cuts = 0;
  tokens = 0;
  readonly #key = crypto.randomUUID();
  readonly #hash = new TextHash();
  readonly #order: Order;
  readonly #tally: Tally;
  #conn: Deno.TcpConn | null = null;
  #rest = "";
  #word = "";
  #sealed = false;
  #headed = false;
  #seq = 0;
  #lastByte = 0;
  #opened = Promise.withResolvers<void>();
  #framed = Promise.withResolvers<void>();
  #closed = Promise.withResolvers<void>();

  constructor(order: Order, tally: Tally) {
    this.#order = order;
    this.#tally = tally;
    this.run = order.run;
  }

  /** The text read so far, as a hash; the seal is not in it. */
  get hash(): string {
    return String(this.#hash);
  }

  /** Whether the connection is there. */
  get connected(): boolean {
    return this.#conn !== null;
  }

  /**
   * Connects, asks and reads on. Resolves with the head's arrival. A connection
   * that the system drops because too many knock at once is tried again, as every
   * client does.
   */
  async open(): Promise<void> {
    this.status = 0;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      await this.connect();
      await this.listen();
      if (this.status !== 0) return;
      this.#tally.refused++;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  /** Connects and asks, and reads nothing. */
  async connect(): Promise<void> {
    this.#opened = Promise.withResolvers();
    this.#framed = Promise.withResolvers();
    this.#closed = Promise.withResolvers();
    this.#headed = false;
    this.#rest = "";
    const { hostname, port } = new URL(this.#order.server);
    const conn = await Deno.connect({ hostname, port: Number(port) });
    this.#conn = conn;
    const bytes = encoder.encode(this.#request());
    for (let at = 0; at < bytes.length;) {
      at += await conn.write(bytes.subarray(at));
    }
  }

  /** Reads what comes. Resolves with the head's arrival. */
  listen(): Promise<void> {
    if (this.#conn !== null) this.#listen(this.#conn);
    return this.#opened.promise;
  }

  /** Resolves with the first frame after {@linkcode open}, or the end. */
  framed(): Promise<void> {
    return this.#framed.promise;
  }

  /** Resolves once the connection is gone. */
  closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Hangs up. */
  drop(): void {
    const conn = this.#conn;
    this.#conn = null;
    conn?.close();
    this.#settle();
  }

  #request(): string {
    const { door, server, ask, cookie } = this.#order;
    const { host } = new URL(server);
    const common = `host: ${host}\r\naccept: text/event-stream\r\n` +
      (cookie === undefined ? "" : `cookie: ${cookie}\r\n`);
    if (this.run !== null) {
      const after = this.cursor === null
        ? ""
        : `last-event-id: ${this.cursor}\r\n`;
      return `GET /api/runs/${this.run}/events HTTP/1.0\r\n${common}${after}\r\n`;
    }
    const [path, body] = door === "ours"
      ? ["/api/runs", { text: ask, idempotency_key: this.#key }]
      : ["/v1/chat/completions", {
        model: "bench",
        stream: true,
        messages: [{ role: "user", content: ask }],
      }];
    const json = JSON.stringify(body);
    return `POST ${path} HTTP/1.0\r\n${common}` +
      `content-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n${json}`;
  }

  async #listen(conn: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(BUFFER_BYTES);
    this.#lastByte = performance.now();
    try {
      while (this.#conn === conn) {
        const count = await conn.read(buffer);
        if (count === null) break;
        if (this.#conn !== conn) return;
        this.#take(ascii.decode(buffer.subarray(0, count)));
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // Reset, or closed by us: either way this connection is over.
    }
    if (this.#conn !== conn) return;
    if (this.end === null && this.status === 200) this.cuts++;
    this.drop();
  }

  #settle(): void {
    this.#opened.resolve();
    this.#framed.resolve();
    this.#closed.resolve();
  }

  #take(text: string): void {
    this.#rest += text;
    if (!this.#headed) {
      const end = this.#rest.indexOf("\r\n\r\n");
      if (end === -1) return;
      this.#head(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end + 4);
    }
    const now = nowMicros();
    let at = 0;
    for (
      let end;
      (end = this.#rest.indexOf("\n\n", at)) !== -1;
      at = end + 2
    ) this.#block(this.#rest.slice(at, end), now);
    this.#rest = this.#rest.slice(at);
  }

  #head(head: string): void {
    this.#headed = true;
    this.status = Number(head.slice(9, 12));
    const header = (name: string) =>
      new RegExp(`^${name}: *([^\r]*)`, "im").exec(head)?.[1] ?? null;
    this.run ??= header("x-run-id");
    this.retryAfter = header("retry-after");
    this.setCookie = header("set-cookie");
    this.#opened.resolve();
  }

  #block(block: string, now: number): void {
    const silence = performance.now() - this.#lastByte;
    this.#lastByte += silence;
    if (block.startsWith(":")) return this.#tally.silences.add(silence);
    if (block.startsWith("retry: ")) {
      this.#tally.retries.push(Number(block.slice(7)));
      return;
    }
    let data = block;
    if (block.startsWith("id: ")) {
      const line = block.indexOf("\n");
      this.#id(block.slice(4, line));
      data = block.slice(line + 1);
    }
    if (!data.startsWith("data: {")) return;
    this.#tally.frames++;
    const event = JSON.parse(data.slice(6));
    if (this.#order.door === "raw") {
      this.#text(event.choices[0]?.delta.content ?? "", now);
      if (event.choices[0]?.finish_reason === "stop") this.#ended("finish");
    } else if (event.type === "text-delta") this.#text(event.delta, now);
    else if (["finish", "abort", "error"].includes(event.type)) {
      this.#ended(event.type === "error" ? event.code : event.type);
    }
    this.#framed.resolve();
  }

  #id(id: string): void {
    const seq = Number(id.slice(id.lastIndexOf("-") + 1));
    if (seq <= this.#seq) this.#tally.doubled++;
    this.#seq = seq;
    this.cursor = id;
  }

  #ended(end: string): void {
    this.end = end;
    if (end !== "finish") this.wrong ??= `ended with ${end}`;
    else if (!this.#sealed) this.wrong ??= "ended without the seal";
  }

  #text(piece: string, now: number): void {
    const text = this.#word + piece;
    let at = 0;
    for (let end; (end = text.indexOf(" ", at)) !== -1; at = end + 1) {
      this.#token(text.slice(at, end), now);
    }
    this.#word = text.slice(at);
  }

  #token(token: string, now: number): void {
    if (token.startsWith("#")) {
      this.#sealed = token === `#${this.#hash}`;
      if (!this.#sealed) this.wrong ??= "another text than the model's";
      return;
    }
    this.#hash.add(`${token} `);
    const dot = token.indexOf(".");
    const number = parseInt(token.slice(0, dot), 36);
    if (number < this.tokens) this.#tally.doubled++;
    if (number > this.tokens) this.#tally.lost += number - this.tokens;
    this.tokens = number + 1;
    this.#tally.tokens++;
    this.#tally.lag.add((now - parseInt(token.slice(dot + 1), 36)) / 1000);
  }
}
