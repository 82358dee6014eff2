/**
 * One person's connection to one server (threat 19: nobody else speaks over it).
 * Made when first needed, closed after ten idle minutes, made anew after a
 * death: at once if it had lived, later and later if it does not come up.
 *
 * @module
 */
import type { Client } from "@modelcontextprotocol/client";
import type { OpenServer } from "./client.ts";
import type { Definition } from "./definition.ts";
import type { ServerSpec } from "./file.ts";
import { detailOf, ServerTrouble, troubleOf } from "./trouble.ts";

/** A server on the network answers by then. */
const CONNECT_HTTP_MS = 5_000;
/** A program may first be downloaded by its launcher. */
const CONNECT_STDIO_MS = 30_000;
const LIST_MS = 5_000;
const IDLE_MS = 10 * 60_000;
/** One that lived this long is worth another try at once. */
const LIVED_MS = 10_000;
const BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;

export interface ConnectionOptions {
  now: () => Date;
  warn: (message: string) => void;
  onToolsChanged: () => void;
}

export class Connection {
  #open: OpenServer | null = null;
  #opening: Promise<OpenServer> | null = null;
  #closed = new AbortController();
  #openedAt = 0;
  #failures = 0;
  #retryAt = 0;
  #trouble: string | null = null;
  #busy = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  /** When it was last used, to find the one that is missed least. */
  usedAt = 0;

  constructor(
    private readonly spec: ServerSpec,
    private readonly options: ConnectionOptions,
  ) {}

  get state(): "ready" | "connecting" | "unreachable" {
    if (this.#open !== null) return "ready";
    return this.#trouble === null || this.#opening !== null
      ? "connecting"
      : "unreachable";
  }

  /** Plain words when it is unreachable. */
  get trouble(): string | null {
    return this.state === "unreachable" ? this.#trouble : null;
  }

  get idle(): boolean {
    return this.#busy === 0;
  }

  /** Whether a process or a socket is behind it. */
  get live(): boolean {
    return this.#open !== null || this.#opening !== null;
  }

  /**
   * The server's tools as they are now. A connection that turns out to be dead
   * is made anew once: listing changes nothing.
   *
   * @throws {ServerTrouble}
   */
  async list(): Promise<Definition[]> {
    const before = this.#open;
    try {
      return await this.#list();
    } catch (error) {
      if (before === null || this.#closed.signal.aborted) throw error;
      return await this.#list();
    }
  }

  async #list(): Promise<Definition[]> {
    const { listTools } = await import("./client.ts");
    const { client } = await this.#opened();
    const open = this.#open;
    try {
      const { tools, warnings } = await this.#at(() =>
        listTools(client, LIST_MS)
      );
      for (const warning of warnings) this.#warn(warning);
      return tools;
    } catch (error) {
      // A session the server forgot, a server that hangs: begin anew.
      this.#warn(`its tools cannot be listed: ${detailOf(error)}`);
      if (open !== null && this.#open === open) this.#drop(error);
      throw new ServerTrouble(troubleOf(error), { cause: error });
    }
  }

  /**
   * Does something over the connection.
   *
   * @throws {ServerTrouble} when there is none; whatever `work` throws.
   */
  async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const { client } = await this.#opened();
    return await this.#at(() => work(client));
  }

  /** Ends it; a later need makes it anew. */
  async rest(): Promise<void> {
    clearTimeout(this.#idle);
    this.#failures = 0;
    const open = this.#open;
    this.#open = null;
    await open?.close().catch(() => {});
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#opening?.catch(() => {});
    await this.rest();
  }

  async #at<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++;
    clearTimeout(this.#idle);
    try {
      return await work();
    } finally {
      this.#busy--;
      this.#used();
    }
  }

  #used(): void {
    this.usedAt = this.#now();
    clearTimeout(this.#idle);
    if (this.#busy === 0 && this.#open !== null) {
      this.#idle = setTimeout(() => void this.rest(), IDLE_MS);
    }
  }

  async #opened(): Promise<OpenServer> {
    if (this.#open !== null) return this.#open;
    if (this.#closed.signal.aborted) {
      throw new ServerTrouble("The connection was closed. Ask again.");
    }
    if (this.#opening === null) {
      if (this.#trouble !== null && this.#now() < this.#retryAt) {
        throw new ServerTrouble(this.#trouble);
      }
      this.#opening = this.#connect().finally(() => this.#opening = null);
    }
    return await this.#opening;
  }

  async #connect(): Promise<OpenServer> {
    const timeoutMs = this.spec.link.kind === "stdio"
      ? CONNECT_STDIO_MS
      : CONNECT_HTTP_MS;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new ServerTrouble("The server did not answer in time.")),
      timeoutMs,
    );
    try {
      const { openServer } = await import("./client.ts");
      const open = await openServer(this.spec, {
        onToolsChanged: this.options.onToolsChanged,
        onClose: () => this.#ended(open),
        timeoutMs,
        signal: AbortSignal.any([late.signal, this.#closed.signal]),
      });
      this.#open = open;
      this.#openedAt = this.#now();
      this.#trouble = null;
      this.#used();
      return open;
    } catch (error) {
      const cause = late.signal.aborted ? late.signal.reason : error;
      this.#fail(cause, "cannot be connected");
      throw new ServerTrouble(this.#trouble!, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** The other side ended it. */
  #ended(open: OpenServer): void {
    if (this.#open !== open) return;
    const said = open.complaint();
    const error = new ServerTrouble("The server ended the connection.");
    this.#drop(
      said === "" ? error : new ServerTrouble(error.message, {
        cause: new Error(`it said ${JSON.stringify(said.slice(-500))}`),
      }),
    );
  }

  /** Lets go of a connection that is of no use. */
  #drop(error: unknown): void {
    const open = this.#open;
    this.#open = null;
    clearTimeout(this.#idle);
    open?.close().catch(() => {});
    if (this.#now() - this.#openedAt >= LIVED_MS) this.#failures = 0;
    // It had come up, so it may again: only the second time is a pattern.
    this.#fail(error, "is gone", this.#failures);
  }

  #fail(error: unknown, what: string, before = this.#failures + 1): void {
    this.#failures++;
    this.#trouble = troubleOf(error);
    const wait = before === 0 ? 0 : BACKOFF_MS * 2 ** (before - 1);
    this.#retryAt = this.#now() + Math.min(wait, MAX_BACKOFF_MS);
    if (!this.#closed.signal.aborted) this.#warn(`${what}: ${detailOf(error)}`);
  }

  #warn(what: string): void {
    this.options.warn(`MCP server "${this.spec.name}" ${what}`);
  }

  #now(): number {
    return this.options.now().getTime();
  }
}
