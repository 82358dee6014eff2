/**
 * Messages that wait for the answer before them. The store keeps them and knows
 * whose turn it is; here they are sent, by whichever process looks first.
 *
 * @module
 */
import type { QueuedRow, Store } from "../store/contract.ts";

export interface QueueOptions {
  store: Store;
  /** Asks a waiting message; nothing if another process was faster. */
  send: (message: QueuedRow) => Promise<void>;
  report: (message: string, error: unknown) => void;
}

/** Messages sent between two looks. */
const AT_ONCE = 50;

export class Queue {
  readonly #options: QueueOptions;
  #pumping: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /**
   * Sends every message whose turn it is. Called when a run is over, and now and
   * then for those that a crash has left.
   */
  pump(): Promise<void> {
    this.#again = true;
    this.#pumping ??= this.#pump();
    return this.#pumping;
  }

  /**
   * Sends the chat's first message if its turn has come and nobody has looked
   * yet: what is asked now must not overtake it (N12).
   */
  async letPass(
    { owner, chat }: { owner: string; chat?: string },
  ): Promise<void> {
    if (chat === undefined || this.#closed) return;
    const { store, send } = this.#options;
    const [first] = await store.queue(owner, chat);
    if (first === undefined) return;
    const last = (await store.runs(chat)).at(-1);
    if (first.now || last?.status === "complete") await send(first);
  }

  /** Sends nothing more; what waits goes on waiting. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#pumping ?? Promise.resolve();
  }

  async #pump(): Promise<void> {
    const { store, send, report } = this.#options;
    while (this.#again && !this.#closed) {
      this.#again = false;
      const due = await store.due(AT_ONCE).catch((error): QueuedRow[] => {
        report("Waiting messages could not be looked for", error);
        return [];
      });
      if (this.#closed) break;
      // One of each chat. One that fails still waits, and keeps no other waiting.
      await Promise.all(
        due.map((message) =>
          send(message).catch((error) =>
            report("A waiting message could not be sent", error)
          )
        ),
      );
    }
    // In the same turn as the last look at `again`: nobody can call in between.
    this.#pumping = null;
  }
}
