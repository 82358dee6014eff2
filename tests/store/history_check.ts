/**
 * The check that what is found of a history later is a prefix of it: nothing half,
 * and with every write all that were acknowledged before it was asked for.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Store } from "../../lib/store/mod.ts";
import { APPENDS, type Mark } from "./history.ts";

/**
 * Checks that the store holds a prefix of one history, at least up to the write
 * `floor`; gives how many writes it holds.
 */
export async function assertPrefix(
  store: Store,
  floor: number,
): Promise<number> {
  const found = new Set<number>();
  const take = (json: string): Mark => {
    const mark = JSON.parse(json) as Mark;
    found.add(mark.n);
    floor = Math.max(floor, mark.after);
    return mark;
  };
  for (const chat of await store.chats("ann", Infinity, "all")) {
    const runs = await store.runs(chat.id);
    assert(runs.length > 0, `chat "${chat.id}" has no run`);
    for (const [index, run] of runs.entries()) {
      assertEquals(run.parent, runs[index - 1]?.id ?? null);
      assertEquals(run.options, run.text);
      take(run.text);
      const log = await store.read(run.id, 0, 1e6);
      assertEquals(log.length, run.lastSeq);
      assertEquals(log.length % 2, 1, "half a write");
      for (let at = 1; at < log.length; at += 2) {
        assertEquals([log[at]!.seq, log[at + 1]!.seq], [at + 1, at + 2]);
        assertEquals(log[at]!.json, log[at + 1]!.json);
        take(log[at]!.json);
      }
      const whole = log.length === 1 + 2 * APPENDS;
      assertEquals(run.status, whole ? "complete" : "running");
      assert(whole || index === runs.length - 1, "a run asked too early");
      if (!whole) continue;
      assertEquals(JSON.parse(run.message!).n, JSON.parse(log.at(-1)!.json).n);
    }
  }
  for (let n = 1; n <= floor; n++) {
    assert(found.has(n), `write ${n} is not there, but one after it is`);
  }
  return found.size;
}
