/**
 * The doorbell between two stores on one Postgres database.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { listener, pairTest } from "./postgres_pair.ts";
import { ask, created, delta, seal } from "./helpers.ts";

pairTest(
  "news of one store are heard by the other, and not by itself",
  async ({ a, b }) => {
    const ears = { a: listener(a), b: listener(b) };
    const run = await created(a, ask());
    await ears.b.heard("log", run.id);
    await a.append(run.id, 1, [delta(2)]);
    await ears.b.heard("log", run.id);
    await b.requestStop(run.id);
    await ears.a.heard("call", run.id);
    await b.answer(run.id, "c1", "{}");
    await ears.a.heard("call", run.id);
    await a.append(run.id, 1, [delta(3)], seal());
    await ears.b.heard("log", run.id);
    // Nothing on the way can be missed: what follows comes behind it.
    const last = await created(b, ask());
    await ears.a.heard("log", last.id);
    assertEquals(ears.a.kinds, ["call", "call", "log"]);
    assertEquals(ears.b.kinds, ["log", "log", "log"]);
    ears.a.end();
    ears.b.end();
  },
);

pairTest(
  "a flush of 600 runs is told in as many letters as it takes",
  async ({ a, b }) => {
    const runs = await Promise.all(
      Array.from({ length: 600 }, () => created(a, ask())),
    );
    const ear = listener(b);
    const told = runs.map(({ id }) => ear.heard("log", id));
    await Promise.all(runs.map(({ id }) => a.append(id, 1, [delta(2)])));
    await Promise.all(told);
    ear.end();
  },
);

pairTest(
  "a store whose connections were ended listens again by itself",
  async ({ a, b, sql, ...db }) => {
    const ear = listener(b);
    const run = await created(a, ask());
    await ear.heard("log", run.id);
    const pids = () =>
      sql(`SELECT pid FROM pg_stat_activity WHERE datname = '${db.name}'
      AND usename = 'tape' AND query LIKE 'LISTEN%' ORDER BY pid`);
    const old = (await pids()).map(({ pid }) => pid);
    await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = '${db.name}' AND usename = 'tape'`);
    while (true) {
      const now = (await pids()).map(({ pid }) => pid);
      if (now.length === 2 && !now.some((pid) => old.includes(pid))) break;
    }
    assertEquals(await a.append(run.id, 1, [delta(2)]), "ok");
    await ear.heard("log", run.id);
    ear.end();
  },
);
