/**
 * A history of writes that says of itself in what order it was made. Imports no
 * package: a child process without a configuration writes it.
 *
 * @module
 */
import { newChatId } from "../../lib/chat/ids.ts";
import type { Draft, Store } from "../../lib/store/mod.ts";
import { ask, created, seal } from "./helpers.ts";

/** Appends to a run before it is sealed and the chat is asked again. */
export const APPENDS = 40;

/** One write: the `n`th, asked for when all up to `after` were acknowledged. */
export interface Mark {
  n: number;
  after: number;
}

/** Counts writes, and knows how many were acknowledged without a gap. */
class Counter {
  #next = 1;
  #acked = new Set<number>();
  #floor = 0;

  next(): Mark {
    return { n: this.#next++, after: this.#floor };
  }

  acked(n: number): number {
    this.#acked.add(n);
    while (this.#acked.delete(this.#floor + 1)) this.#floor++;
    return this.#floor;
  }
}

/** Two entries, so that half a write can be told from a whole one. */
function entries(seq: number, mark: Mark): Draft[] {
  const json = JSON.stringify({ type: "text-delta", id: "t", ...mark });
  return [{ seq, json }, { seq: seq + 1, json }];
}

/**
 * Writes to `lanes` chats at once until `over()`; `acked` is told up to which
 * write all are acknowledged.
 */
export async function writeHistory(
  store: Store,
  lanes: number,
  over: () => boolean,
  acked: (floor: number) => void,
): Promise<void> {
  const counter = new Counter();
  await Promise.all(Array.from({ length: lanes }, async () => {
    const chat = newChatId();
    let parent: string | null = null;
    while (!over()) {
      const asking = counter.next();
      const text = JSON.stringify(asking);
      const input = ask({ chat, parent, text, options: text });
      const { id } = await created(store, input);
      acked(counter.acked(asking.n));
      for (let seq = 2; seq < 2 + 2 * APPENDS; seq += 2) {
        const mark = counter.next();
        const last = seq === 2 * APPENDS;
        const outcome = await store.append(
          id,
          1,
          entries(seq, mark),
          last ? seal("complete", JSON.stringify(mark)) : undefined,
        );
        if (outcome !== "ok") throw new Error(`append: ${outcome}`);
        acked(counter.acked(mark.n));
      }
      parent = id;
    }
  }));
}
