/**
 * The crowd as a test sees it: a process with thousands of readers in it.
 *
 * @module
 */
import type { Spread } from "./delays.ts";
import { openProgram } from "./program.ts";
import type { Report } from "./tally.ts";

/** What became of readers that asked. */
export interface Placed {
  /** How many got which status; 0 is a closed door. */
  statuses: Record<string, number>;
  runs: string[];
  /** The cookie each was given, "" for none. */
  cookies: string[];
  /** Of those that were refused. */
  retryAfter: (string | null)[];
}

interface OpenOrder {
  group: string;
  server: string;
  count: number;
  /** The readers come spread over this time. */
  rampMs: number;
  door: "ours" | "raw";
  /** The question; null where runs are followed. */
  ask: string | null;
  /** Followed in turn. */
  runs?: string[];
  /** Sent in turn. */
  cookies?: string[];
  /** False: nobody reads what comes. */
  reading?: boolean;
}

/** What a crowd can be told, and what it answers. */
export interface Orders {
  open(order: OpenOrder): Promise<Placed>;
  /** Reads what did not read before, until the connections end. */
  listen(order: { group: string }): Promise<void>;
  /** Everybody hangs up at once. */
  drop(order: { group: string }): Promise<void>;
  /** Everybody without the end comes back with the cursor they have. */
  resume(
    order: { group: string; rampMs: number },
  ): Promise<{ statuses: Record<string, number>; back: Spread }>;
  /** Waits until every connection has ended. */
  over(order: { group: string }): Promise<Report>;
  report(order: { group: string; reset: boolean }): Promise<Report>;
  forget(order: { group: string }): Promise<void>;
  /** Opens sockets that say `bytes` and nothing more. */
  hold(
    order: { group: string; server: string; count: number; bytes: string },
  ): Promise<void>;
  letGo(order: { group: string }): Promise<void>;
  /** Asks on each stream, reads to the end, and asks again. */
  soak(
    order: {
      group: string;
      server: string;
      streams: number;
      forMs: number;
      ask: string;
    },
  ): Promise<Report>;
  /** Follows a run, hangs up at the first bytes, and again. */
  churn(
    order: { server: string; runs: string[]; count: number; atOnce: number },
  ): Promise<{ bad: number }>;
}

export interface Crowd extends AsyncDisposable {
  tell<K extends keyof Orders>(
    what: K,
    order: Parameters<Orders[K]>[0],
  ): ReturnType<Orders[K]>;
}

/** Starts a crowd. */
export async function startCrowd(): Promise<Crowd> {
  const program = openProgram("crowd_program.ts");
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const reading = (async () => {
    for await (const line of program.lines) {
      const { id, told, failed } = JSON.parse(line);
      const answer = waiting.get(id);
      waiting.delete(id);
      if (failed === undefined) answer?.resolve(told);
      else answer?.reject(new Error(`The crowd: ${failed}`));
    }
    for (const answer of waiting.values()) {
      answer.reject(new Error("The crowd is gone"));
    }
  })();
  let last = 0;
  return await Promise.resolve(
    {
      // deno-lint-ignore no-explicit-any -- typed by `Orders`, from both sides
      tell(what, order): any {
        const answer = Promise.withResolvers<unknown>();
        waiting.set(++last, answer);
        program.write(JSON.stringify({ id: last, what, order }));
        return answer.promise;
      },
      async [Symbol.asyncDispose]() {
        await program.stop();
        await reading;
      },
    } satisfies Crowd,
  );
}
