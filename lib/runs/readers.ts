/**
 * Everybody who reads a run here: how many an owner may have, and who is told
 * when a run goes on.
 *
 * @module
 */
import type { RunRow, Store } from "../store/contract.ts";
import type { RunLimits } from "./limits.ts";
import type { LiveRun } from "./live.ts";
import { Pulse } from "./pulse.ts";
import { TapeReader } from "./reader.ts";
import { Tails } from "./tails.ts";

export interface ReadersOptions {
  store: Store;
  limits: RunLimits;
  /** The run as this process drives it, if it does. */
  driven: (run: string) => LiveRun | undefined;
  report: (message: string, error: unknown) => void;
}

export class Readers {
  readonly #options: ReadersOptions;
  readonly #pulse: Pulse;
  readonly #tails: Tails;
  readonly #byOwner = new Map<string, number>();
  readonly #byRun = new Map<string, Set<TapeReader>>();
  #closing = false;

  constructor(options: ReadersOptions) {
    this.#options = options;
    this.#pulse = new Pulse(options.limits.beatMs / 15);
    this.#tails = new Tails(options.store, options.report);
  }

  /** How many are connected right now. */
  get count(): number {
    let count = 0;
    for (const each of this.#byOwner.values()) count += each;
    return count;
  }

  /** A reader of the run behind `after`; null if its owner has too many. */
  open(row: RunRow, after: number): TapeReader | null {
    const { store, limits, driven } = this.#options;
    // Not the row itself: a sealed run's has the whole answer in it, and would
    // be held for as long as somebody reads.
    const { id: run, owner } = row;
    const running = row.status === "running";
    const open = this.#byOwner.get(owner) ?? 0;
    if (open >= limits.maxStreams) return null;
    const reader: TapeReader = new TapeReader({
      store,
      run,
      live: (after) =>
        driven(run) ?? (running ? this.#tail(run, after) : undefined),
      after,
      beatMs: limits.beatMs,
      stallMs: limits.stallMs,
      pulse: this.#pulse,
      onClose: () => this.#closed(reader, owner),
    });
    this.#byOwner.set(owner, open + 1);
    const readers = this.#byRun.get(run) ?? new Set();
    this.#byRun.set(run, readers.add(reader));
    if (this.#closing) reader.leave();
    return reader;
  }

  /** Another process wrote to these runs. */
  ring(runs: string[]): void {
    for (const run of runs) this.#tails.ring(run);
  }

  /** The run goes on in this process: its readers need not ask the store. */
  onTaken(run: string): void {
    this.#tails.end(run);
    for (const reader of this.#byRun.get(run) ?? []) reader.wake();
  }

  /** Asks everybody to come back later: the process is going down. */
  leave(): void {
    this.#closing = true;
    this.#tails.close();
    for (const readers of this.#byRun.values()) {
      for (const reader of readers) reader.leave();
    }
  }

  #tail(run: string, after: number): LiveRun | undefined {
    return this.#closing ? undefined : this.#tails.live(run, after);
  }

  #closed(reader: TapeReader, owner: string): void {
    const open = this.#byOwner.get(owner)! - 1;
    if (open === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, open);
    const readers = this.#byRun.get(reader.run)!;
    readers.delete(reader);
    if (readers.size > 0) return;
    this.#byRun.delete(reader.run);
    this.#tails.end(reader.run);
  }
}
