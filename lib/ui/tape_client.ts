/**
 * Reads one run's tape to its end, whatever the network does (protocol 2.4):
 * `fetch` and our own parser instead of EventSource, the cursor taken after a
 * frame was applied, reopened until the run's terminal has been applied. An end
 * of the connection is never an end of the run.
 *
 * @module
 */
import type { Cursor } from "../chat/answer.ts";
import type { LogEntry, RunEvent } from "../chat/events.ts";
import { frameId, parseFrameId } from "../chat/ids.ts";
import { sseParser } from "../chat/sse_parser.ts";
import type { Environment } from "./environment.ts";

/** Silence after which a connection counts as dead; heartbeats come every 15 s. */
const SILENCE_MS = 45_000;
/** On waking up, one missed heartbeat is enough to doubt the connection. */
const DOUBT_MS = 17_000;
/** A read that had to wait this long means that everything logged has arrived. */
const LIVE_AFTER_MS = 30;
/** How long the server may take to close after the terminal. */
const PARTING_MS = 1_000;
const LONGEST_DELAY_MS = 15_000;
/** A server that asks for no delay at all would be hammered in a loop. */
const SHORTEST_DELAY_MS = 100;

/** Whose tape is read. */
export interface TapeReader {
  /** Where to go on from; null asks for everything. */
  cursor(): Cursor | null;
  /**
   * Takes one entry. `over` when the terminal has been applied, `gap` when
   * something before the entry is missing.
   *
   * @param live Whether the entry has just been written; replay comes first.
   */
  apply(entry: LogEntry, live: boolean): "more" | "over" | "gap";
  /** Something is missing: what was read is void, everything comes again. */
  restart(): void;
  /** Whether entries can arrive right now. */
  connected(yes: boolean): void;
}

/** `ended`: the terminal was applied. `refused`: 401, 403 or 404. */
export type TapeEnd = "ended" | "refused" | "stopped";

export interface Tape {
  /** Ends the reading, not the run. */
  stop(): void;
  /** Waits no longer for the next try. */
  hurry(): void;
  readonly end: Promise<TapeEnd>;
}

type Reading =
  | { kind: TapeEnd }
  | { kind: "again"; progress: boolean; afterMs?: number };

/** Follows the run until its end. */
export function followTape(
  run: string,
  reader: TapeReader,
  env: Environment,
): Tape {
  let stopped = false;
  let retryMs = 1_000;
  let lastByte = env.now();
  let drop: (() => void) | null = null;
  let wake: (() => void) | null = null;

  const reopen = () => {
    drop?.();
    wake?.();
  };
  const off = [
    env.on("online", reopen),
    env.on("visible", () => {
      if (wake !== null || env.now() - lastByte > DOUBT_MS) reopen();
    }),
  ];

  async function read(): Promise<Reading> {
    const abort = new AbortController();
    let cancelWatch = () => {};
    const watch = () => {
      lastByte = env.now();
      cancelWatch();
      cancelWatch = env.after(SILENCE_MS, () => abort.abort());
    };
    drop = () => abort.abort();
    watch();
    let progress = false;
    try {
      const cursor = reader.cursor();
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (cursor !== null) headers["last-event-id"] = frameId(run, cursor);
      const response = await env.fetch(`/api/runs/${run}/events`, {
        headers,
        signal: abort.signal,
        cache: "no-store",
      });
      if (response.status === 204) {
        // The server says we have the terminal. We would have ended already.
        reader.restart();
        return { kind: "again", progress: false };
      }
      if ([401, 403, 404].includes(response.status)) {
        await response.body?.cancel();
        return { kind: "refused" };
      }
      if (
        !response.ok || response.body === null ||
        !response.headers.get("content-type")?.startsWith("text/event-stream")
      ) {
        await response.body?.cancel();
        return { kind: "again", progress: false, afterMs: wait(response) };
      }
      reader.connected(true);
      const verdict = new Verdict();
      let live = false;
      const parser = sseParser({
        event(frame) {
          if (verdict.is !== null || frame.data === "[DONE]") return;
          const entry = toEntry(run, frame.id, frame.data);
          if (entry === "skip") return;
          if (entry === "broken") {
            verdict.is = "broken";
            return;
          }
          const outcome = reader.apply(entry, live);
          if (outcome !== "more") verdict.is = outcome;
          if (outcome !== "gap") progress = true;
        },
        retry(ms) {
          retryMs = Math.max(ms, SHORTEST_DELAY_MS);
        },
      });
      const bytes = response.body.getReader();
      try {
        while (verdict.is === null && !stopped) {
          const before = env.now();
          const { done, value } = await bytes.read();
          if (done) break;
          if (env.now() - before > LIVE_AFTER_MS) live = true;
          watch();
          parser.push(value);
        }
      } finally {
        // Not awaited: a dead socket may never answer.
        if (verdict.is === "over") drain(bytes, abort, env);
        else bytes.cancel().catch(() => {});
      }
      if (verdict.is === "over") return { kind: "ended" };
      if (verdict.is === "gap") reader.restart();
      return { kind: "again", progress };
    } catch {
      return { kind: "again", progress };
    } finally {
      cancelWatch();
      drop = null;
    }
  }

  /** Sleeps until the delay is over or something wakes us. */
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const cancel = env.after(ms, () => wake?.());
      wake = () => {
        wake = null;
        cancel();
        resolve();
      };
    });

  async function follow(): Promise<TapeEnd> {
    let failures = 0;
    while (!stopped) {
      const reading = await read();
      if (stopped) break;
      if (reading.kind !== "again") return reading.kind;
      reader.connected(false);
      failures = reading.progress ? 0 : failures + 1;
      const most = Math.min(LONGEST_DELAY_MS, retryMs * 2 ** failures);
      await sleep((reading.afterMs ?? 0) + env.random() * most);
    }
    return "stopped";
  }

  return {
    stop() {
      stopped = true;
      reopen();
    },
    hurry: () => wake?.(),
    end: follow().finally(() => off.forEach((call) => call())),
  };
}

/** Lets the server end its answer, so that the connection can be used again. */
async function drain(
  bytes: ReadableStreamDefaultReader<Uint8Array>,
  abort: AbortController,
  env: Environment,
) {
  const cancel = env.after(PARTING_MS, () => abort.abort());
  try {
    while (!(await bytes.read()).done);
  } catch {
    // It has said everything already.
  } finally {
    cancel();
  }
}

/** What the frames of one connection came to. */
class Verdict {
  is: "gap" | "broken" | "over" | null = null;
}

/** The wait a refusing server asks for, in ms (whole seconds only). */
function wait(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  return seconds > 0 ? Math.min(seconds, 60) * 1_000 : undefined;
}

/**
 * `skip`: a transient word without a place in the log (`data-hb`). `broken`: not
 * ours; the connection cannot be trusted, the cursor can.
 */
function toEntry(
  run: string,
  id: string,
  data: string,
): LogEntry | "skip" | "broken" {
  let event: RunEvent;
  try {
    event = JSON.parse(data);
  } catch {
    return "broken";
  }
  if (typeof event?.type !== "string") return "broken";
  if (event.type === "data-resync") return { epoch: 0, seq: 0, event };
  const at = parseFrameId(id);
  if (at === null) return event.type.startsWith("data-") ? "skip" : "broken";
  if (at.run !== run) return "broken";
  return { ...at.cursor, event };
}
