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
import { Clock, inTempDir } from "./helpers.ts";

/** Opens an empty store in the empty directory `dir`, on the clock `now`. */
export type OpenStore = (dir: string, now: () => number) => Store;

/** Registers one test: a sentence about a symbol, and its proof. */
export type Case = (
  sentence: string,
  body: (store: Store, clock: Clock) => Promise<void>,
) => void;

/** Registers the contract's tests for one engine. */
export function storeContract(name: string, open: OpenStore): void {
  const test: Case = (sentence, body) =>
    Deno.test(`${name}: ${sentence}`, () =>
      inTempDir(async (dir) => {
        const clock = new Clock();
        const store = open(dir, clock.now);
        try {
          await body(store, clock);
        } finally {
          await store.close();
        }
      }));

  chatCases(test);
  logCases(test);
  parkCases(test);
  noteCases(test);
}
