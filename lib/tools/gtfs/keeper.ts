/**
 * Keeps the timetable for the life of the process: opened in the background so
 * that neither the start nor a broken feed holds up the app.
 *
 * @module
 */
import { FeedError } from "./errors.ts";
import { type OpenOptions, openTimetable } from "./open.ts";
import type { Timetable } from "./timetable.ts";

/** Milliseconds a failed opening stays the answer before it is tried again. */
const RETRY_AFTER = 60_000;

/** Milliseconds a call waits for an import; a large feed takes longer. */
const PATIENCE = 20_000;

type Opened = { timetable: Timetable } | { error: FeedError };

/** Hands out the one timetable of the process. */
export class TimetableKeeper {
  #options: Omit<OpenOptions, "signal">;
  #ending = new AbortController();
  #opening: Promise<Opened>;
  #failed = false;
  /** The moment of the last failed call; a first call after a start retries. */
  #failedAt = -Infinity;

  /** Starts to open the feed at once. */
  constructor(options: Omit<OpenOptions, "signal">) {
    this.#options = options;
    this.#opening = this.#open();
  }

  async #open(): Promise<Opened> {
    this.#failed = false;
    try {
      const signal = this.#ending.signal;
      return { timetable: await openTimetable({ ...this.#options, signal }) };
    } catch (error) {
      this.#failed = true;
      const known = error instanceof FeedError
        ? error
        : new FeedError("the feed cannot be read", {}, { cause: error });
      if (!this.#ending.signal.aborted) {
        this.#options.warn(`GTFS_FEED cannot be used: ${known.message}`);
      }
      return { error: known };
    }
  }

  /**
   * The timetable, once it is open.
   *
   * @throws {FeedError} the feed cannot be used, or not yet
   * @throws the reason of `signal` when it aborts first
   */
  async get({ signal, now }: { signal: AbortSignal; now: Date }) {
    signal.throwIfAborted();
    if (this.#failed && now.getTime() - this.#failedAt >= RETRY_AFTER) {
      this.#failedAt = now.getTime();
      this.#opening = this.#open();
    }
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    const timer = setTimeout(
      () => left.reject(new FeedError("it is still being loaded, ask later")),
      PATIENCE,
    );
    try {
      const opened = await Promise.race([this.#opening, left.promise]);
      if ("error" in opened) throw opened.error;
      return opened.timetable;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
    }
  }

  /** Ends a running import and closes the database. */
  async close(): Promise<void> {
    this.#ending.abort(new Error("the app is closing"));
    const opened = await this.#opening;
    if ("timetable" in opened) opened.timetable.close();
  }
}
