/**
 * The Postgres engine in trouble: connections lost at the worst moment, a server
 * that is killed, one that refuses.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { openStore, type Store, StoreError } from "../../lib/store/mod.ts";
import { databases, postgresTest, startCluster } from "../helpers/postgres.ts";
import { startPostgresProxy } from "../helpers/postgres_proxy.ts";
import { ask, created, delta, LEASE_MS, seal } from "./helpers.ts";

type Options = { patienceMs?: number };

function open(url: string, options: Options = {}): Promise<Store> {
  return openStore({ kind: "postgres", url, ...options });
}

/** Runs `body` with a store behind a proxy that can lose its connections. */
function proxied(
  name: string,
  body: (
    store: Store,
    proxy: ReturnType<typeof startPostgresProxy>,
  ) => Promise<void>,
): void {
  postgresTest(name, async (db) => {
    await using proxy = startPostgresProxy(db.url);
    const store = await open(proxy.url);
    try {
      await body(store, proxy);
    } finally {
      await store.close();
    }
  });
}

proxied(
  "X06: an append whose ack was lost is found out to be a duplicate",
  async (store, proxy) => {
    const { id } = await created(store, ask());
    // The first time its statement is prepared; the second it is only run.
    assertEquals(await store.append(id, 1, [delta(2)]), "ok");
    for (const seq of [3, 4, 5]) {
      proxy.cutOn(`word ${seq}`, "unheard");
      const sealed = seq === 5 ? seal() : undefined;
      const outcome = await store.append(id, 1, [delta(seq)], sealed);
      assertEquals(outcome, "duplicate");
    }
    assertEquals(proxy.cuts, 3);
    assertEquals((await store.read(id, 0, 10)).map(({ seq }) => seq), [
      1,
      2,
      3,
      4,
      5,
    ]);
    assertEquals((await store.run(id))!.status, "complete");
  },
);

proxied(
  "an append that never reached the server is made again",
  async (store, proxy) => {
    const { id } = await created(store, ask());
    await store.append(id, 1, [delta(2)]);
    proxy.cutOn("word 3", "unsent");
    assertEquals(await store.append(id, 1, [delta(3)]), "ok");
    assertEquals([proxy.cuts, (await store.run(id))!.lastSeq], [1, 3]);
  },
);

for (const moment of ["unsent", "unheard"] as const) {
  proxied(
    `a transaction whose COMMIT was ${moment} happens once, and its outcome is told`,
    async (store, proxy) => {
      const input = ask({ idempotencyKey: "k" });
      proxy.cutOn("COMMIT", moment);
      assertEquals((await store.create(input)).kind, "created");
      const { chat } = input;
      assertEquals((await store.runs(chat)).map(({ id }) => id), [input.run]);
      assertEquals((await store.read(input.run, 0, 10)).length, 1);

      const message = {
        ...{ id: "m1", chat, owner: "ann", text: "next", options: "{}" },
        ...{ keep: [], idempotencyKey: null },
      };
      proxy.cutOn("COMMIT", moment);
      assertEquals((await store.enqueue(message)).kind, "queued");
      // Its text is only here: told twice is harmless, told never is a loss.
      proxy.cutOn("COMMIT", moment);
      const back = await store.withdraw("ann", chat, "m1");
      assertEquals(back?.text, "next");
      assertEquals(await store.queue("ann", chat), []);

      proxy.cutOn("COMMIT", moment);
      assertEquals(await store.answer(input.run, "c1", "{}"), "recorded");
      proxy.cutOn("COMMIT", moment);
      const row = await store.requestStop(input.run);
      assertEquals([row!.stopRequested, proxy.cuts], [true, 5]);
    },
  );
}

proxied(
  "calls made together keep their order when the connection is lost",
  async (store, proxy) => {
    const { id } = await created(store, ask());
    await store.append(id, 1, [delta(2)]);
    proxy.cutOn("COMMIT", "unheard");
    const outcomes = await Promise.all([
      ...Array.from(
        { length: 30 },
        (_, n) => store.append(id, 1, [delta(n + 3)]),
      ),
      store.append(id, 1, [delta(33)], seal()),
    ]);
    assertEquals(new Set(outcomes), new Set(["ok" as const]));
    assertEquals(proxy.cuts, 1);
    assertEquals((await store.read(id, 0, 100)).length, 33);
  },
);

proxied(
  "a server that falls silent is given up within patience, and found again",
  async (store, proxy) => {
    const { id } = await created(store, ask());
    proxy.silence();
    const start = performance.now();
    const error = await assertRejects(
      () => store.append(id, 1, [delta(2)]),
      StoreError,
    );
    const seconds = (performance.now() - start) / 1000;
    assert(seconds < 11, `gave up after ${seconds} s`);
    assertEquals(error.kind, "io");
    proxy.speak();
    assertEquals(await store.append(id, 1, [delta(2)]), "ok");
    assertEquals((await store.run(id))!.lastSeq, 2);
  },
);

postgresTest(
  "N6: a log with a gap is damaged, and never read across it",
  async (db) => {
    const store = await open(db.url);
    const { id } = await created(store, ask());
    await store.append(id, 1, [delta(2), delta(3), delta(4)]);
    await db.sql("DELETE FROM tickertape.entry WHERE seq = 3");
    for (const after of [0, 1, 2]) {
      const error = await assertRejects(
        () => store.read(id, after, 9),
        StoreError,
      );
      assertEquals(error.kind, "damaged");
    }
    assertEquals((await store.read(id, 0, 2)).length, 2);
    assertEquals((await store.read(id, 3, 9)).length, 1);
    await store.close();
  },
);

postgresTest(
  "a process that stands still in mid-commit holds no run for long",
  async (db) => {
    await using proxy = startPostgresProxy(db.url);
    const stuck = await open(proxy.url, { patienceMs: 100 });
    const other = await open(db.url);
    const { id } = await created(other, ask({ leaseMs: -1 }));
    proxy.cutOn("COMMIT", "silent");
    const lost = assertRejects(() => stuck.requestStop(id), StoreError);
    while (proxy.cuts === 0) await other.run(id);
    // Its lock is on the run until the server ends its transaction (4 s).
    assertEquals(await other.takeExpired("node-2", LEASE_MS), []);
    const row = await other.requestStop(id);
    assertEquals([row!.stopRequested, row!.epoch], [true, 1]);
    assertEquals((await other.takeExpired("node-2", LEASE_MS)).length, 1);
    await lost;
    await other.close();
    await stuck.close();
  },
);

Deno.test({
  name:
    "safety R27: Postgres killed in mid-run loses nothing that was acknowledged, and nothing is while it is down",
  ignore: databases.missing,
  async fn() {
    await using cluster = await startCluster();
    await using db = await cluster.database();
    // Commits of ours wait for the disk even where others' do not.
    await db.sql("ALTER ROLE tape SET synchronous_commit = off");
    const store = await open(db.url, { patienceMs: 1000 });
    const runs = await Promise.all(
      Array.from({ length: 20 }, () => created(store, ask())),
    );
    let down = false;
    let ackedWhileDown = 0;
    let stopping = false;
    const acked = new Map<string, number>();
    const write = async (id: string) => {
      for (let seq = 2; !stopping;) {
        const asked = down;
        try {
          const outcome = await store.append(id, 1, [delta(seq)]);
          assert(outcome === "ok" || outcome === "duplicate", outcome);
          if (asked && down) ackedWhileDown++;
          acked.set(id, seq++);
        } catch (error) {
          assert(error instanceof StoreError, String(error));
          assertEquals(error.kind, "io");
        }
      }
    };
    const writers = runs.map(({ id }) => write(id));
    const progress = async (by: number) => {
      const from = Math.min(...runs.map(({ id }) => acked.get(id) ?? 0));
      while (
        Math.min(...runs.map(({ id }) => acked.get(id) ?? 0)) < from + by
      ) {
        await pause(5);
      }
    };
    for (let round = 0; round < 3; round++) {
      await progress(5);
      await cluster.kill();
      down = true;
      // Longer than a call has patience once, to see it refuse.
      await pause(round === 0 ? 1500 : 100);
      down = false;
      await cluster.start();
      for (const { id } of runs) {
        assert((await store.run(id))!.lastSeq >= (acked.get(id) ?? 1));
      }
    }
    await progress(5);
    stopping = true;
    await Promise.all(writers);
    assertEquals(ackedWhileDown, 0);
    let entries = 0;
    for (const { id } of runs) {
      const log = await store.read(id, 0, Infinity);
      assertEquals(log.map(({ seq }) => seq), log.map((_, n) => n + 1));
      assert(log.length >= acked.get(id)!, `lost: ${id}`);
      entries += log.length;
    }
    console.log(`R27: 3 kills, ${entries} entries, 0 acknowledged ones lost`);
    await store.close();
  },
});

Deno.test({
  name:
    "P01: what keeps a store from opening is told in plain words, without the password",
  ignore: databases.missing,
  async fn() {
    await using cluster = await startCluster();
    await using db = await cluster.database();
    const other = (change: (url: URL) => void) => {
      const url = new URL(db.url);
      change(url);
      return url.href;
    };
    const cases: [string, StoreError["kind"], string][] = [
      [
        other((url) => url.password = "wr%20ong-secret"),
        "io",
        "refuses the user or the password",
      ],
      [other((url) => url.pathname = "/nowhere"), "io", "no such database"],
      [other((url) => url.port = "1"), "io", "cannot be reached"],
      [
        other((url) => url.searchParams.set("host", "/nowhere")),
        "io",
        "cannot be reached",
      ],
      [`postgres://me:wrong-secret%zz@127.0.0.1/x`, "io", "value not shown"],
      [
        other((url) =>
          url.searchParams.set("options", "-c default_transaction_read_only=on")
        ),
        "readonly",
        "takes no writes",
      ],
    ];
    const fails = async (url: string) => {
      const error = await assertRejects(
        () => open(url, { patienceMs: 300 }),
        StoreError,
      );
      for (const text of [Deno.inspect(error, { depth: 9 }), error.stack]) {
        assert(!text!.includes(db.password), text);
        assert(!text!.includes("secret"), text);
      }
      return error;
    };
    for (const [url, kind, words] of cases) {
      const error = await fails(url);
      assertEquals(error.kind, kind, error.message);
      assertStringIncludes(error.message, words);
    }
    await db.sql("ALTER ROLE tape CONNECTION LIMIT 0");
    assertEquals((await fails(db.url)).kind, "busy");
    await db.sql("ALTER ROLE tape CONNECTION LIMIT -1");

    const store = await open(db.url);
    const run = await created(store, ask());
    await store.close();
    await db.sql("INSERT INTO tickertape.migration VALUES (999)");
    const newer = await fails(db.url);
    assertEquals(newer.kind, "newer");
    assertStringIncludes(newer.message, "schema 999");
    await db.sql("DELETE FROM tickertape.migration WHERE number = 999");
    await db.sql("ALTER TABLE tickertape.entry RENAME TO other");
    assertEquals((await fails(db.url)).kind, "damaged");
    await db.sql("ALTER TABLE tickertape.other RENAME TO entry");
    await db.sql("ALTER TABLE tickertape.migration RENAME TO theirs");
    const theirs = await fails(db.url);
    assertEquals(theirs.kind, "damaged");
    assertStringIncludes(theirs.message, "belongs to another program");
    await db.sql("ALTER TABLE tickertape.theirs RENAME TO migration");
    // Nothing was touched by all of that.
    const again = await open(db.url);
    assertEquals(await again.run(run.id), run);
    await again.close();
  },
});

postgresTest(
  "safety R23: a store says full, read-only or busy, and works again by itself",
  async (db) => {
    const store = await open(db.url, { patienceMs: 500 });
    const { id } = await created(store, ask());
    const fails = (seq: number) =>
      assertRejects(() => store.append(id, 1, [delta(seq)]), StoreError);
    // The server's own word for a disk that is full, in the place of a full disk.
    await db.sql(
      `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE disk_full; END $$`,
    );
    await db.sql(`CREATE TRIGGER full_disk BEFORE INSERT ON tickertape.entry
    EXECUTE FUNCTION full_disk()`);
    const full = await fails(2);
    assertEquals(full.kind, "full");
    assertStringIncludes(full.message, "disk is full");
    await db.sql("DROP TRIGGER full_disk ON tickertape.entry");
    assertEquals(await store.append(id, 1, [delta(2)]), "ok");

    await db.sql(`ALTER ROLE tape IN DATABASE ${db.name}
    SET default_transaction_read_only = on`);
    await db.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = '${db.name}' AND usename = 'tape'`);
    assertEquals((await fails(3)).kind, "readonly");
    assertEquals((await store.run(id))!.lastSeq, 2);
    await db.sql(`ALTER ROLE tape IN DATABASE ${db.name}
    RESET default_transaction_read_only`);
    assertEquals(await store.append(id, 1, [delta(3)]), "ok");

    await db.sql("REVOKE INSERT ON tickertape.entry FROM tape");
    assertEquals((await fails(4)).kind, "readonly");
    await db.sql("GRANT INSERT ON tickertape.entry TO tape");
    assertEquals(await store.append(id, 1, [delta(4)]), "ok");
    await store.close();
  },
);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
