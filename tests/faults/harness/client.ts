/**
 * A client that does what the page does and writes down what it is told: asks
 * with a key and asks again until it hears an answer, reads behind its cursor
 * and comes back to it, presses Stop and Continue.
 *
 * @module
 */
import { sseParser } from "../../../lib/chat/sse_parser.ts";
import type { RunEvent } from "../../../lib/chat/events.ts";
import type { History, Moment } from "./history.ts";

export interface ClientOptions {
  /** Where the server is now; asked before every request. */
  address: () => string;
  history: History;
  /** Given up on then: the test is over. */
  signal: AbortSignal;
  /** Pause before something is tried again, ms; else what the server says. */
  again?: number;
}

/** A question that was taken. */
export interface Asked {
  run: string;
  chat: string;
}

/** What became of a question. */
export type AskOutcome =
  | ({ kind: "started" } & Asked)
  | { kind: "queued"; chat: string; id: string }
  | { kind: "refused"; status: number; code: string };

/** One client reading one run, over any number of connections. */
export interface Reading {
  readonly number: number;
  readonly run: string;
  /** Id of the last frame it was shown. */
  cursor: string | null;
  /** The last event it was shown. */
  last: RunEvent | null;
  /** When to come back, as the server said last, ms. */
  retry: number;
}

/** `broken`: the connection ended before the run did. */
export type ReadOutcome = "ended" | "left" | "broken";

/** Hears what is shown; true leaves without waiting for the end. */
export type Watch = (reading: Reading) => boolean | void;

/** Statuses that only say that the server cannot just now. */
const LATER = new Set([429, 500, 502, 503, 504]);

/** Where nobody said anything. */
const AGAIN_MS = 100;

let clients = 0;

export class Client implements Disposable {
  readonly #options: ClientOptions;
  readonly #record: (moment: Moment) => void;
  // A connection that is kept may be closed while a request is on its way, and
  // other than a browser `fetch` does not ask again by itself.
  readonly #http = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#record = options.history.recorder(++clients);
  }

  /** Asks, with the same key until an answer comes that is one. */
  async ask(
    key: string,
    text: string,
    more: { chat?: string; queue?: boolean } = {},
  ): Promise<AskOutcome> {
    const { chat, queue } = more;
    const body = { text, chat_id: chat, queue, idempotency_key: key };
    const outcome = await this.#start(
      body,
      () => this.#record({ kind: "sent", key, text, chat: chat ?? null }),
    );
    if (outcome.kind === "started") {
      this.#record({
        kind: "acked",
        key,
        run: outcome.run,
        chat: outcome.chat,
      });
    } else this.#record({ ...outcome, key });
    return outcome;
  }

  /** Presses Continue below an answer that broke off. */
  async goOn(key: string, { run: of, chat }: Asked): Promise<AskOutcome> {
    const body = { chat_id: chat, continues: of, idempotency_key: key };
    const outcome = await this.#start(body, () => {});
    if (outcome.kind === "started") {
      const { run } = outcome;
      this.#record({ kind: "continued", key, run, chat, of });
    } else this.#record({ ...outcome, key });
    return outcome;
  }

  /** Presses Stop, until an answer comes. */
  async stop(run: string): Promise<void> {
    const response = await this.#request(`/api/runs/${run}/stop`, {
      method: "POST",
    });
    const { status } = await response.json() as { status: string };
    this.#record({ kind: "stopped", run, status });
  }

  /** Any request, tried again until an answer comes that is one. */
  json(path: string, init?: RequestInit): Promise<unknown> {
    return this.#request(path, init).then((response) => response.json());
  }

  /** Begins to read a run; nothing is asked for yet. */
  open(run: string): Reading {
    const number = this.#options.history.newReading();
    return { number, run, cursor: null, last: null, retry: AGAIN_MS };
  }

  /**
   * Reads a run to its end, coming back behind its cursor whenever the
   * connection breaks. Resolves with the reading as it ended.
   */
  async read(run: string, watch?: Watch): Promise<Reading> {
    const reading = this.open(run);
    await this.finish(reading, watch);
    return reading;
  }

  [Symbol.dispose](): void {
    this.#http.close();
  }

  async #start(body: unknown, onSend: () => void): Promise<AskOutcome> {
    const response = await this.#request("/api/runs", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }, onSend);
    const said = await response.json();
    if (!response.ok) {
      return { kind: "refused", status: response.status, code: said.code };
    }
    return said.queued === undefined
      ? { kind: "started", run: said.run_id, chat: said.chat_id }
      : { kind: "queued", id: said.queued.id, chat: said.chat_id };
  }

  /** The first answer that is one; a server that is down is asked again. */
  async #request(
    path: string,
    init: RequestInit = {},
    onSend: () => void = () => {},
  ): Promise<Response> {
    const { address, signal } = this.#options;
    while (true) {
      signal.throwIfAborted();
      onSend();
      try {
        const response = await this.#fetch(address() + path, {
          ...init,
          signal,
        });
        // Read here: a body may break off like the rest.
        const whole = await response.arrayBuffer();
        if (!LATER.has(response.status)) {
          return new Response(whole, response);
        }
      } catch {
        signal.throwIfAborted();
      }
      await this.#wait();
    }
  }

  /** Reads on where a reading broke off, to the end. */
  async finish(reading: Reading, watch?: Watch): Promise<void> {
    while (await this.connect(reading, watch) === "broken") {
      await this.#wait(reading.retry);
    }
  }

  /**
   * Reads behind the cursor for as long as one connection lasts.
   *
   * @throws Unreadable if there is no such run.
   */
  async connect(
    reading: Reading,
    watch: Watch = () => {},
  ): Promise<ReadOutcome> {
    const { address, signal } = this.#options;
    const { run, number, cursor } = reading;
    signal.throwIfAborted();
    const leaving = new AbortController();
    const either = AbortSignal.any([signal, leaving.signal]);
    // Widened: it is changed in a callback.
    let outcome = "broken" as ReadOutcome;
    const parser = sseParser({
      event: ({ id, data }) => {
        if (outcome !== "broken") return;
        if (data === "[DONE]") outcome = "ended";
        else if (id !== "" && id !== reading.cursor) {
          reading.cursor = id;
          reading.last = JSON.parse(data);
          this.#record({ kind: "shown", reading: number, run, id, json: data });
          if (watch(reading) === true) outcome = "left";
        } else if (data.includes('"data-resync"')) {
          this.#record({ kind: "resync", reading: number, run });
        }
      },
      retry: (ms) => reading.retry = ms,
    });
    try {
      const response = await this.#fetch(
        `${address()}/api/runs/${run}/events`,
        {
          headers: cursor === null ? {} : { "last-event-id": cursor },
          signal: either,
        },
      );
      if (LATER.has(response.status)) {
        await response.body?.cancel();
        return "broken";
      }
      this.#record({ kind: "opened", reading: number, run, after: cursor });
      if (response.status === 204) outcome = "ended";
      else if (response.status !== 200) {
        await response.body?.cancel();
        throw new Unreadable(run, response.status);
      } else {
        for await (const bytes of response.body!) {
          parser.push(bytes);
          if (outcome !== "broken") break;
        }
      }
    } catch (error) {
      if (error instanceof Unreadable) throw error;
      signal.throwIfAborted();
    } finally {
      leaving.abort();
    }
    if (outcome !== "left") {
      const kind = outcome === "ended" ? "ended" : "lost";
      this.#record({ kind, reading: number, run });
    }
    return outcome;
  }

  /** With connections of its own. */
  #fetch(url: string, init: RequestInit): Promise<Response> {
    const own: RequestInit & { client: Deno.HttpClient } = {
      ...init,
      client: this.#http,
    };
    return fetch(url, own);
  }

  async #wait(told = AGAIN_MS): Promise<void> {
    const { again = told, signal } = this.#options;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, again);
      signal.addEventListener("abort", done);
    });
  }
}

/** A run that was promised cannot be read: told apart from a server that is down. */
export class Unreadable extends Error {
  override name = "Unreadable";
  constructor(run: string, status: number) {
    super(`Cannot read run "${run}": status ${status}`);
  }
}
