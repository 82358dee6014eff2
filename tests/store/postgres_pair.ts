/**
 * Two stores on one Postgres database, as two instances have them.
 *
 * @module
 */
import { type News, openStore, type Store } from "../../lib/store/mod.ts";
import { postgresTest, type TestDatabase } from "../helpers/postgres.ts";

export interface Pair extends TestDatabase {
  a: Store;
  b: Store;
}

/** Two stores on one database, by the database's own clock. */
export function pairTest(
  name: string,
  body: (pair: Pair) => Promise<void>,
): void {
  postgresTest(name, async (db) => {
    const open = () => openStore({ kind: "postgres", url: db.url });
    const a = await open();
    const b = await open();
    try {
      await body({ ...db, a, b });
    } finally {
      await a.close();
      await b.close();
    }
  });
}

/** What a store hears. */
export function listener(store: Store) {
  const kinds: News["kind"][] = [];
  const open: { kind: string; run: string }[] = [];
  const waiting = new Set<() => void>();
  const end = store.listen(({ kind, runs }) => {
    kinds.push(kind);
    open.push(...runs.map((run) => ({ kind, run })));
    for (const look of waiting) look();
  });
  return {
    end,
    /** All that was heard so far. */
    kinds,
    /** Resolves once there is such news that nobody waited for before. */
    heard(kind: News["kind"], run: string): Promise<void> {
      return new Promise((resolve, reject) => {
        const done = (settle: () => void) => {
          clearTimeout(timer);
          waiting.delete(look);
          settle();
        };
        const timer = setTimeout(
          () =>
            done(() => reject(new Error(`Never heard "${kind}" of "${run}"`))),
          10_000,
        );
        const look = () => {
          const at = open.findIndex((news) =>
            news.kind === kind && news.run === run
          );
          if (at === -1) return;
          open.splice(at, 1);
          done(resolve);
        };
        waiting.add(look);
        look();
      });
    },
  };
}
