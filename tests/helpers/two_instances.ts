/**
 * Two instances of the app on one Postgres database, behind a balancer that
 * gives every request to the next of them. `TICKERTAPE_TEST_WITH=two-instances`
 * makes every app of the tests such a pair.
 */
import { openStore, type Store } from "../../lib/store/mod.ts";
import { type Nginx, startNginx } from "./nginx.ts";
import { databaseForTests } from "./postgres.ts";

/** What {@linkcode startPair} needs to know of an instance. */
interface Instance {
  url: string;
  close(): Promise<void>;
}

export interface Pair<One extends Instance> {
  /** Where the balancer listens. */
  url: string;
  instances: [One, One];
  close(): Promise<void>;
}

/** Whether the tests are to be run with two instances each. */
export const TWO_INSTANCES =
  Deno.env.get("TICKERTAPE_TEST_WITH") === "two-instances";

/** @param start Starts an instance on a store, which it closes in the end. */
export async function startPair<One extends Instance>(
  start: (store: Store) => Promise<One>,
): Promise<Pair<One>> {
  const closers: (() => PromiseLike<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const database = await databaseForTests();
    closers.push(() => database[Symbol.asyncDispose]());
    const instance = async () => {
      const { url } = database;
      const one = await start(await openStore({ kind: "postgres", url }));
      closers.push(() => one.close());
      return one;
    };
    const instances: [One, One] = [await instance(), await instance()];
    const balancer: Nginx = await startNginx(instances.map(({ url }) => url));
    closers.push(() => balancer[Symbol.asyncDispose]());
    return { url: balancer.url, instances, close };
  } catch (error) {
    await close();
    throw error;
  }
}
