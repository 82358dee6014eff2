/**
 * Waits for a queued message to be asked: the server does that by itself as soon
 * as the answer before it is complete, and tells nobody.
 *
 * @module
 */
import type { QueueModel } from "./queue_model.ts";
import type { Stage } from "./stage.ts";

/**
 * Pauses between looks. It starts within milliseconds; what a crash has left is
 * found by a sweep within two seconds.
 */
const LOOK_AFTER_MS = [50, 150, 400, 1_000, 2_000, 4_000];

export interface Lookout {
  /** Looks until the next message is asked, or waits for a person. */
  look(): void;
  dispose(): void;
}

export function createLookout(
  { env, sync }: Pick<Stage, "env" | "sync">,
  queue: Pick<QueueModel, "goesOn">,
): Lookout {
  /** How many looks there were; null while nobody looks. */
  let looks: number | null = null;
  let cancel = () => {};

  function next() {
    const pause = LOOK_AFTER_MS[looks!];
    if (pause === undefined || !queue.goesOn()) {
      looks = null;
      return;
    }
    looks!++;
    cancel = env.after(pause, async () => {
      await sync();
      if (looks !== null) next();
    });
  }

  return {
    look() {
      if (looks !== null) return;
      looks = 0;
      next();
    },
    dispose() {
      looks = null;
      cancel();
    },
  };
}
