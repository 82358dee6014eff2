/**
 * What most fault tests begin with: a database, an upstream, a history, and one
 * server or several that can be killed and started again.
 *
 * @module
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openStore, type RunRow, type Store } from "../../../lib/store/mod.ts";
import { check, type Violation } from "./checker.ts";
import { Client } from "./client.ts";
import { readContent } from "./content.ts";
import { History } from "./history.ts";
import { type ServerProcess, startServer } from "./server.ts";
import {
  startUpstream,
  type Upstream,
  type UpstreamOptions,
} from "./upstream.ts";

/** Lease and the sweep after it (N4): when a dead owner's runs are taken. */
export const TAKEN_MS = 12_000;

/** An address nobody listens on. */
const NOWHERE = "http://127.0.0.1:1";

export interface StageOptions extends UpstreamOptions {
  /** `DATABASE_URL`; without it all servers share one SQLite file. */
  database?: string;
  /** Pause before a client tries again, ms. */
  again?: number;
}

export class Stage implements AsyncDisposable {
  readonly history = new History();
  readonly upstream: Upstream;
  readonly data = Deno.makeTempDirSync({ prefix: "tickertape-faults-" });
  /** Further settings of the servers to come. */
  readonly env: Record<string, string> = {};
  /** `performance.now()` of the last death. */
  diedAt = 0;
  readonly #options: StageOptions;
  readonly #over = new AbortController();
  readonly #clients: Client[] = [];
  readonly #later: Promise<unknown>[] = [];
  readonly #last: (() => PromiseLike<void>)[] = [];
  readonly #servers = new Map<string, ServerProcess>();
  #store: Promise<Store> | null = null;

  constructor(options: StageOptions = {}) {
    this.#options = options;
    this.upstream = startUpstream(options);
  }

  /** The server of this name. */
  server(name = "A"): ServerProcess {
    const server = this.#servers.get(name);
    if (server === undefined) throw new Error(`No server "${name}" is running`);
    return server;
  }

  /** Where servers listen now. */
  get ports(): number[] {
    return [...this.#servers.values()].map(({ port }) => port);
  }

  /** Aborted when the test is over. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Starts a server; it listens on another port than the last of its name. */
  async start(name = "A"): Promise<ServerProcess> {
    const server = await startServer({
      name,
      data: this.data,
      database: this.#options.database,
      upstream: this.upstream.baseUrl,
      env: this.env,
    });
    this.#servers.set(name, server);
    return server;
  }

  /** Ends a server by a signal; resolves once it is gone. */
  async end(
    signal: Deno.Signal = "SIGKILL",
    name = "A",
  ): Promise<Deno.CommandStatus> {
    const server = this.server(name);
    server.kill(signal);
    const status = await server.status;
    this.diedAt = performance.now();
    this.#servers.delete(name);
    await server[Symbol.asyncDispose]();
    return status;
  }

  /** A client of a server, whichever process is that just now. */
  client(address = () => this.#servers.get("A")?.url ?? NOWHERE): Client {
    const client = new Client({
      address,
      history: this.history,
      signal: this.signal,
      again: this.#options.again,
    });
    this.#clients.push(client);
    return client;
  }

  /**
   * Something that goes on beside the test, to be awaited later. Should the test
   * fail before that, it is ended with it.
   */
  later<T>(promise: Promise<T>): Promise<T> {
    this.#later.push(promise.catch(() => {}));
    return promise;
  }

  /** Called when nothing uses the database any more. */
  atEnd(last: () => PromiseLike<void>): void {
    this.#last.push(last);
  }

  /** How a run stands in the store; fails if there is none. */
  async row(run: string): Promise<RunRow> {
    const row = await (await this.store()).run(run);
    if (row === null) throw new Error(`Cannot find run "${run}"`);
    return row;
  }

  /** The store, opened beside the servers: for looking only. */
  store(): Promise<Store> {
    const { database: url } = this.#options;
    this.#store ??= url === undefined
      ? Promise.resolve(openStore({ kind: "sqlite", path: this.#path }))
      : openStore({ kind: "postgres", url });
    return this.#store;
  }

  /**
   * Resolves once no run is being driven any more, and no waiting message is due;
   * parked runs wait on.
   *
   * @param within Milliseconds; it resolves then all the same.
   */
  async quiet(within = TAKEN_MS + 8_000): Promise<void> {
    const limit = performance.now() + within;
    const store = await this.store();
    while (performance.now() < limit) {
      if (!await isBusy(store)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Every promise that was broken; when all is quiet. */
  async check(effects?: Map<string, number>): Promise<Violation[]> {
    return check({
      history: this.history,
      content: await readContent(await this.store()),
      calls: this.upstream.calls,
      effects,
    });
  }

  /** What SQLite says of the file: "ok". */
  integrity(): unknown {
    const db = new DatabaseSync(this.#path);
    try {
      return db.prepare("PRAGMA integrity_check").get()?.integrity_check;
    } finally {
      db.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#later);
    for (const client of this.#clients) client[Symbol.dispose]();
    await (await this.#store)?.close();
    for (const server of this.#servers.values()) {
      await server[Symbol.asyncDispose]();
    }
    await this.upstream[Symbol.asyncDispose]();
    for (const last of this.#last) await last();
    await Deno.remove(this.data, { recursive: true });
  }

  get #path(): string {
    return join(this.data, "tickertape.db");
  }
}

async function isBusy(store: Store): Promise<boolean> {
  if ((await store.due(1)).length > 0) return true;
  for (const { activeRun } of await store.chats("local", 1_000_000, "all")) {
    if (activeRun === null) continue;
    const run = await store.run(activeRun);
    if (run?.status === "running" && run.leaseOwner !== null) return true;
  }
  return false;
}
