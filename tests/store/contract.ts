/**
 * What every storage engine must do, as tests: each engine's own test file calls
 * {@linkcode storeContract} once.
 *
 * @module
 */
import type { Store } from "../../lib/store/mod.ts";
import { chatCases } from "./contract_chats.ts";
import { logCases } from "./contract_log.ts";
import { noteCases } from "./contract_notes.ts";
import { parkCases } from "./contract_park.ts";
import { queueCases } from "./contract_queue.ts";
import { removeCases } from "./contract_remove.ts";
import { Clock, inTempDir } from "./helpers.ts";

/** Opens an empty store at the empty `place`, on the clock `now`. */
export type OpenStore = (
  place: string,
  now: () => number,
) => Store | Promise<Store>;

/** Where stores are kept during a test: a directory, unless told otherwise. */
export interface Places {
  /** Gives an empty one for as long as `body` takes. */
  use: (body: (place: string) => Promise<void>) => Promise<void>;
  /** There is none on this machine. */
  missing: boolean;
}

/** Registers one test: a sentence about a symbol, and its proof. */
export type Case = (
  sentence: string,
  body: (store: Store, clock: Clock) => Promise<void>,
) => void;

/** Registers the contract's tests for one engine. */
export function storeContract(
  name: string,
  open: OpenStore,
  places: Places = { use: inTempDir, missing: false },
): void {
  const test: Case = (sentence, body) =>
    Deno.test({
      name: `${name}: ${sentence}`,
      ignore: places.missing,
      fn: () =>
        places.use(async (place) => {
          const clock = new Clock();
          const store = await open(place, clock.now);
          try {
            await body(store, clock);
          } finally {
            await store.close();
          }
        }),
    });

  chatCases(test);
  logCases(test);
  parkCases(test);
  noteCases(test);
  queueCases(test);
  removeCases(test);
}
