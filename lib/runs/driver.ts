/**
 * Drives one run from its question to its terminal. Whatever happens in
 * between, the log gets exactly one terminal (N4).
 *
 * @module
 */
import { runAgent } from "../agent/loop.ts";
import {
  type Model,
  ModelError,
  type ModelMessage,
} from "../agent/contracts.ts";
import type { Toolbox } from "../agent/toolbox.ts";
import type { TerminalEvent } from "../chat/events.ts";
import { type RunRow, type Store, StoreError } from "../store/contract.ts";
import type { Entry } from "./entry.ts";
import type { RunLimits } from "./limits.ts";
import { LiveRun } from "./live.ts";
import { FencedError, Tape } from "./tape.ts";

/** Why a run was ended from outside. */
export type StopReason = "user" | "timeout" | "shutdown" | "lost" | "store";

export interface DriverOptions {
  store: Store;
  row: RunRow;
  /** The entries committed so far; at least the `start`. */
  committed: Entry[];
  model: Model;
  toolbox: Toolbox;
  /** Gathered when the run begins, so that its `start` need not wait. */
  messages: () => Promise<ModelMessage[]>;
  limits: RunLimits;
  /** For the log: causes that must not be shown. */
  report: (message: string, error: unknown) => void;
}

/** How long to try to write a terminal the store refuses, in ms between tries. */
const RETRIES = [50, 250, 1_000, 3_000];

export class Driver {
  readonly live: LiveRun;
  readonly tape: Tape;
  readonly row: RunRow;
  /** Resolves when the run is over here; never rejects. */
  readonly done: Promise<void>;
  #options: DriverOptions;
  #abort = new AbortController();
  #began = performance.now();
  #keptCount = 0;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.row = options.row;
    this.live = new LiveRun([...options.committed]);
    this.tape = new Tape({
      store: options.store,
      run: options.row.id,
      epoch: options.row.epoch,
      committed: options.committed,
      onCommitted: (entries) => this.live.publish(entries),
      onFailed: (error) =>
        this.stop(error instanceof FencedError ? "lost" : "store"),
    });
    this.done = this.#drive();
  }

  /** Ends a run whose owner is gone: what was shown stays (decision 8). */
  static async interrupt(
    options: Pick<DriverOptions, "store" | "row" | "committed" | "report">,
  ): Promise<void> {
    const tape = new Tape({
      store: options.store,
      run: options.row.id,
      epoch: options.row.epoch,
      committed: options.committed,
      onCommitted: () => {},
      onFailed: () => {},
    });
    try {
      await tape.end({
        type: "error",
        code: "run_interrupted",
        errorText: "The server was interrupted while it was answering.",
        retryable: true,
      });
    } catch (error) {
      options.report("An interrupted run was not closed", error);
    }
  }

  /** Ends the run: the model's socket and every tool hear of it at once. */
  stop(reason: StopReason): void {
    this.#abort.abort(reason);
  }

  async #drive(): Promise<void> {
    const { limits } = this.#options;
    const wall = setTimeout(() => this.stop("timeout"), limits.runMs);
    let terminal: TerminalEvent;
    try {
      terminal = await this.#run();
    } catch (error) {
      terminal = this.#failure(error);
    } finally {
      clearTimeout(wall);
    }
    await this.#end(terminal);
  }

  async #run(): Promise<TerminalEvent> {
    const { model, toolbox, limits } = this.#options;
    const result = await runAgent({
      model,
      toolbox,
      messages: await this.#options.messages(),
      temperature: 0,
      emit: this.tape.write,
      signal: this.#abort.signal,
      maxSteps: limits.maxSteps,
      keep: this.#keep,
    });
    return {
      type: "finish",
      finishReason: result.finishReason,
      messageMetadata: {
        usage: result.usage,
        steps: result.steps,
        ms: Math.round(performance.now() - this.#began),
      },
    };
  }

  /** Readable before anything in the log says so (N2). */
  #keep = async (text: string): Promise<string> => {
    const { store, row } = this.#options;
    const name = `${row.epoch}-${++this.#keptCount}`;
    await store.keep(row.id, name, text);
    return `/api/runs/${row.id}/outputs/${name}`;
  };

  #failure(error: unknown): TerminalEvent {
    const { signal } = this.#abort;
    if (signal.aborted) {
      const reason = signal.reason as StopReason;
      if (reason === "store" || reason === "lost") {
        return {
          type: "error",
          code: "engine_unavailable",
          errorText: "The answer could not be saved, so it was ended.",
          retryable: true,
        };
      }
      return { type: "abort", reason };
    }
    if (error instanceof ModelError) {
      this.#options.report(`Run ended: ${error.code}`, error.options.cause);
      return {
        type: "error",
        code: error.code,
        errorText: error.message,
        retryable: error.options.retryable,
        retryAfterMs: error.options.retryAfterMs,
      };
    }
    this.#options.report("Run failed", error);
    return {
      type: "error",
      code: "internal",
      errorText: "Something went wrong inside the server.",
      retryable: true,
    };
  }

  async #end(terminal: TerminalEvent): Promise<void> {
    for (const wait of [...RETRIES, null]) {
      try {
        return await this.tape.end(terminal);
      } catch (error) {
        const again = error instanceof StoreError && wait !== null;
        if (!again) {
          // Someone else's terminal, or a store that stays away: whoever
          // sweeps next ends the run, and readers look at the store for it.
          if (!(error instanceof FencedError)) {
            this.#options.report("The end of a run was not saved", error);
          }
          return this.live.abandon();
        }
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }
}
