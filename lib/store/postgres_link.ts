/**
 * Connections to Postgres that are given up as a whole at the first sign of
 * trouble, and made anew by the next call.
 *
 * The driver would mend single connections by itself, but then a statement of a
 * transaction could reach the server outside of it; and it waits without end
 * for a server that fell silent.
 *
 * @module
 */
// Not the global timers: a test that stops time must not stop the network.
import { clearTimeout, setTimeout } from "node:timers";
import { connect, type Socket } from "node:net";
import postgres from "postgres";
import { StoreError } from "./contract.ts";
import { isLost, troubleOf } from "./postgres_error.ts";
import type { Target } from "./postgres_target.ts";

export type Row = Record<string, unknown>;
export type Value = string | number | boolean | null;

/** What a statement gave. */
export type Rows = Row[] & {
  /** Rows that were read or written. */
  count: number;
  /** As the server names what it did: `COMMIT`, `ROLLBACK`, ... */
  command: string;
  /** The server's process. */
  state: { pid: number };
};

/** Runs one statement, `$1` and on being `values`. */
export type Query = (text: string, values?: Value[]) => Promise<Rows>;

export interface LinkOptions {
  /** At most so many connections. */
  max: number;
  /** How long an answer may take, ms. */
  silenceMs: number;
  onNotify?: (payload: string) => void;
  /** A connection is over. */
  onClose?: () => void;
}

/** How long the way to the server may take, ms. */
const CONNECT_MS = 5000;
/** How long an open statement is waited for when all is over, s. */
const END_S = 2;

// Numbers of ours stay far below 2^53.
const BIGINT = { to: 20, from: [20], parse: Number, serialize: String };

/** A few connections with one fate. */
class Link {
  readonly sql: postgres.Sql;
  #target: Target;
  #sockets = new Set<Socket>();
  #over = false;
  #dials = 0;

  constructor(target: Target, { max, onNotify, onClose }: LinkOptions) {
    this.#target = target;
    this.sql = postgres({
      user: target.user,
      // A function: not even an inspected error shows the password then.
      pass: () => target.password,
      database: target.database,
      host: target.hosts.map(({ host }) => host),
      port: target.hosts.map(({ port }) => port),
      ssl: target.authority === null ? target.ssl : { ca: target.authority },
      prepare: target.prepare,
      target_session_attrs: target.standby,
      connection: target.settings,
      types: { bigint: BIGINT },
      max,
      connect_timeout: CONNECT_MS / 1000,
      // It would end a connection between two statements of a transaction.
      max_lifetime: null,
      fetch_types: false,
      backoff: () => 0,
      onnotice: () => {},
      onnotify: (_channel: string, payload: string) => onNotify?.(payload),
      onclose: () => onClose?.(),
      socket: () => this.#dial(),
      // Its types know neither `onnotify` nor `socket`.
    } as unknown as postgres.Options<Record<never, never>>) as postgres.Sql;
  }

  /** Hangs up at once; what was under way rejects. */
  cut(): void {
    this.#over = true;
    for (const socket of this.#sockets) socket.destroy();
    this.sql.end({ timeout: 0 }).catch(() => {});
  }

  /** Waits for what is under way, but not for long. */
  async end(): Promise<void> {
    await this.sql.end({ timeout: END_S });
    this.#over = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** A socket of our own, because the driver cannot hang up at once. */
  async #dial(): Promise<Socket> {
    const { hosts, path } = this.#target;
    let last: unknown;
    for (let tries = 0; tries < (path === null ? hosts.length : 1); tries++) {
      const { host, port } = hosts[this.#dials++ % hosts.length]!;
      if (this.#over) break;
      const socket = path === null ? connect({ host, port }) : connect(path);
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      try {
        await reached(socket);
        socket.setNoDelay(true);
        // The driver tells the server's certificate by it.
        return Object.assign(socket, { host, port });
      } catch (error) {
        socket.destroy();
        last = error;
      }
    }
    throw last ?? coded("CONNECTION_ENDED", "the link is over");
  }
}

function reached(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(coded("CONNECT_TIMEOUT", "no connection in time")),
      CONNECT_MS,
    );
    const done = (settle: () => void) => {
      clearTimeout(timer);
      socket.off("connect", connected).off("error", failed).off("close", gone);
      settle();
    };
    const connected = () => done(resolve);
    const failed = (error: Error) => done(() => reject(error));
    const gone = () => failed(coded("CONNECTION_CLOSED", "hung up"));
    socket.on("connect", connected).on("error", failed).on("close", gone);
  });
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** The way to the server: a link, and another one when that is lost. */
export class Line {
  #target: Target;
  #options: LinkOptions;
  #link: Link | null = null;
  #closed = false;

  constructor(target: Target, options: LinkOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** One statement, outside of any transaction of ours. */
  query: Query = (text, values) => this.use((query) => query(text, values));

  /**
   * Runs `work` with the link as it is now. Whatever `work` asks after the link
   * was lost rejects: nothing of it reaches the server by another connection.
   */
  async use<T>(work: (query: Query) => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError("io", "The store is closed");
    const link = this.#link ??= this.#connect();
    return await work((text, values = []) => {
      if (this.#link !== link) {
        return Promise.reject(coded("CONNECTION_CLOSED", "the link was lost"));
      }
      return this.#ask(link, text, values);
    });
  }

  /** Gives up the link; the next call makes another one. */
  cut(): void {
    const link = this.#link;
    this.#link = null;
    link?.cut();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#link?.end();
    this.#link = null;
  }

  /** The driver itself, for what only it can do (COPY). */
  get sql(): postgres.Sql {
    return (this.#link ??= this.#connect()).sql;
  }

  #connect(): Link {
    const link: Link = new Link(this.#target, {
      ...this.#options,
      // One that was given up is nobody's any more.
      onClose: () => {
        if (this.#link === link) this.#options.onClose?.();
      },
    });
    return link;
  }

  async #ask(link: Link, text: string, values: Value[]): Promise<Rows> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(coded("SILENT", "no answer in time")),
        this.#options.silenceMs,
      );
    });
    try {
      const answer = link.sql.unsafe(text, values, { prepare: true });
      return await Promise.race([answer, silence]) as unknown as Rows;
    } catch (error) {
      const trouble = troubleOf(error);
      // A server that is read-only now may have been succeeded by another.
      if (isLost(trouble) || trouble?.kind === "readonly") {
        if (this.#link === link) this.#link = null;
        link.cut();
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
