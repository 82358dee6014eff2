/**
 * The doorbell between processes: what was committed here is told to the others
 * by NOTIFY, and what they tell is heard by LISTEN.
 *
 * It rings after the commit and not with it: a transaction that notifies waits
 * for every other one that does. One call is under way at a time and takes along
 * all that gathered meanwhile, so there is at most one per flush. A ring may get
 * lost, with a connection or behind a pooler; slow looks are the net under it.
 *
 * @module
 */
// Not the global timers: a test that stops time must not stop the network.
import { clearTimeout, setTimeout } from "node:timers";
import type { News } from "./contract.ts";
import { array } from "./postgres_bulk.ts";
import { Line } from "./postgres_link.ts";
import type { Target } from "./postgres_target.ts";
import type { Rings } from "./postgres_transaction.ts";

const CHANNEL = "tickertape";
/** A payload must stay below 8,000 bytes. */
const PAYLOAD_BYTES = 7900;
/** Whether the connection is alive is asked this often. */
const BEAT_MS = 15_000;
const SILENCE_MS = 5000;
/** Between two tries to connect, growing. */
const RETRY_MS = [50, 200, 1000, 3000];

interface Message {
  from: string;
  log: string[];
  call: string[];
}

const encoder = new TextEncoder();

export class Bell {
  /** Tells our own rings from others'. */
  #me = crypto.randomUUID().slice(0, 8);
  #line: Line;
  #ears = new Set<(news: News) => void>();
  #log = new Set<string>();
  #call = new Set<string>();
  #ringing: Promise<void> | null = null;
  #closed = false;
  #lost = false;
  /** Ends the pause under way. */
  #wake = () => {};
  #living: Promise<void>;
  #tried = Promise.withResolvers<void>();

  constructor(target: Target) {
    this.#line = new Line(target, {
      max: 1,
      silenceMs: SILENCE_MS,
      onNotify: (payload) => this.#heard(payload),
      onClose: () => {
        this.#lost = true;
        this.#wake();
      },
    });
    this.#living = this.#live();
  }

  /** Resolves once it listens, or could not at the first try. */
  get ready(): Promise<void> {
    return this.#tried.promise;
  }

  /** Tells the others. Returns at once. */
  ring(rings: Rings): void {
    // Sending nothing would be over before it is remembered as begun.
    if (rings.length === 0) return;
    for (const { kind, run } of rings) {
      (kind === "log" ? this.#log : this.#call).add(run);
    }
    this.#ringing ??= this.#send();
  }

  /** @returns a function that ends it. */
  hear(ear: (news: News) => void): () => void {
    // Wrapped, so that the same function may listen twice.
    const own = (news: News) => ear(news);
    this.#ears.add(own);
    return () => this.#ears.delete(own);
  }

  async close(): Promise<void> {
    // What was committed last is what the others wait for.
    await this.#ringing;
    this.#closed = true;
    this.#ears.clear();
    this.#wake();
    await this.#line.close();
    await this.#living;
  }

  async #send(): Promise<void> {
    while (!this.#closed && this.#log.size + this.#call.size > 0) {
      const payloads = letters(this.#me, [...this.#log], [...this.#call]);
      this.#log.clear();
      this.#call.clear();
      try {
        await this.#line.query(
          "SELECT pg_notify($1, letter) FROM unnest($2::text[]) AS letter",
          [CHANNEL, array(payloads)],
        );
      } catch {
        // Nobody hears it: they look.
      }
    }
    this.#ringing = null;
  }

  #heard(payload: string): void {
    let message: Message;
    try {
      message = JSON.parse(payload);
    } catch {
      // Somebody else's: the channel's name is free to all.
      return;
    }
    if (message?.from === this.#me) return;
    for (const kind of ["log", "call"] as const) {
      const runs = message?.[kind];
      if (!Array.isArray(runs) || runs.length === 0) continue;
      for (const ear of this.#ears) ear({ kind, runs });
    }
  }

  /** Listens, for good: anew on every connection. */
  async #live(): Promise<void> {
    for (let tries = 0; !this.#closed; tries++) {
      this.#lost = false;
      try {
        await this.#line.query(`LISTEN ${CHANNEL}`);
        tries = 0;
        this.#tried.resolve();
        while (!this.#lost && !this.#closed) {
          await this.#rest(BEAT_MS);
          if (!this.#lost && !this.#closed) await this.#line.query("SELECT 1");
        }
      } catch {
        this.#tried.resolve();
      }
      this.#line.cut();
      const retry = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]!;
      if (!this.#closed) await this.#rest(retry);
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** As few messages as hold all of it. */
function letters(from: string, log: string[], call: string[]): string[] {
  const made: string[] = [];
  let open: Message = { from, log: [], call: [] };
  let bytes = 0;
  const add = (kind: "log" | "call", run: string) => {
    const size = encoder.encode(JSON.stringify(run)).length + 1;
    if (bytes + size > PAYLOAD_BYTES - 100) {
      made.push(JSON.stringify(open));
      open = { from, log: [], call: [] };
      bytes = 0;
    }
    bytes += size;
    open[kind].push(run);
  };
  for (const run of log) add("log", run);
  for (const run of call) add("call", run);
  if (bytes > 0) made.push(JSON.stringify(open));
  return made;
}
