/**
 * What the fence costs, as a ratio to a bare insert on the same machine at the
 * same time.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { openStore } from "../../lib/store/mod.ts";
import { array } from "../../lib/store/postgres_bulk.ts";
import { postgresTest } from "../helpers/postgres.ts";
import { ask, created, delta } from "./helpers.ts";

const RUNS = 1000;
const ROUNDS = 5;
/** Seen: 1.5 to 4; 100 where the planner compared every run with every other. */
const MOST = 20;

postgresTest(
  "appends of 1,000 runs made together cost a few times what a bare insert of their rows does",
  async (db) => {
    const store = await openStore({ kind: "postgres", url: db.url });
    const runs = await Promise.all(
      Array.from({ length: RUNS }, () => created(store, ask())),
    );
    const bare = postgres(db.url, { max: 1, onnotice: () => {} });
    await bare.unsafe(`CREATE TABLE bare (run bigint, seq bigint, epoch bigint,
    json text, PRIMARY KEY (run, seq))`);
    const numbers = array(runs.map((_, index) => index));
    const took = { append: Infinity, bare: Infinity };
    for (let seq = 2; seq < 2 + ROUNDS; seq++) {
      const { json } = delta(seq, "x".repeat(100));
      let start = performance.now();
      await bare.unsafe(
        `INSERT INTO bare SELECT run, $2, 1, $3
       FROM unnest($1::bigint[]) AS run`,
        [numbers, seq, json],
      );
      took.bare = Math.min(took.bare, performance.now() - start);
      start = performance.now();
      const outcomes = await Promise.all(
        runs.map(({ id }) => store.append(id, 1, [{ seq, json }])),
      );
      took.append = Math.min(took.append, performance.now() - start);
      assertEquals(new Set(outcomes), new Set(["ok" as const]));
    }
    await bare.end();
    await store.close();
    const ratio = took.append / took.bare;
    console.log(
      `${RUNS} appends: ${took.append.toFixed(1)} ms, bare insert: ` +
        `${took.bare.toFixed(1)} ms, ratio ${ratio.toFixed(1)}`,
    );
    assert(ratio < MOST, `ratio ${ratio}`);
  },
);
