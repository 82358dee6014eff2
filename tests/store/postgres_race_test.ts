/**
 * Several stores on one Postgres database: who may write, and who gets what.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { newChatId, newRunId } from "../../lib/chat/ids.ts";
import type { RunRow, Store } from "../../lib/store/mod.ts";
import { postgresTest } from "../helpers/postgres.ts";
import { ask, created, delta, LEASE_MS, seal } from "./helpers.ts";
import { pairTest } from "./postgres_pair.ts";

pairTest(
  "safety R11: one key given 50 times in parallel to two stores makes one run",
  async ({ a, b }) => {
    const outcomes = await Promise.all(
      Array.from(
        { length: 50 },
        (_, n) => (n % 2 ? a : b).create(ask({ idempotencyKey: "k" })),
      ),
    );
    const made = outcomes.filter(({ kind }) => kind === "created");
    assertEquals(made.length, 1);
    const ids = outcomes.map((outcome) => {
      assert(outcome.kind === "created" || outcome.kind === "existing");
      return outcome.run.id;
    });
    assertEquals(new Set(ids).size, 1);
    assertEquals((await a.chats("ann", 100)).length, 1);
  },
);

pairTest(
  "N3: of many who ask in one chat at once one gets through, the others get its run",
  async ({ a, b }) => {
    const chat = newChatId();
    const outcomes = await Promise.all(
      Array.from(
        { length: 20 },
        (_, n) => (n % 2 ? a : b).create(ask({ chat })),
      ),
    );
    const kinds = outcomes.map(({ kind }) => kind).sort();
    assertEquals(kinds, [...Array(19).fill("active"), "created"]);
    assertEquals((await a.runs(chat)).length, 1);
  },
);

pairTest(
  "safety R22: an expired run is taken by one store, and its old owner's epoch is dead",
  async ({ a, b }) => {
    const runs: RunRow[] = [];
    for (let i = 0; i < 10; i++) {
      runs.push(await created(a, ask({ leaseMs: -1 })));
    }
    const [one, two] = await Promise.all([
      a.takeExpired("node-a", LEASE_MS),
      b.takeExpired("node-b", LEASE_MS),
    ]);
    const both = [...one, ...two].map(({ id }) => id).sort();
    assertEquals(both, runs.map(({ id }) => id).sort());
    for (const { id } of runs) {
      assertEquals(await a.append(id, 1, [delta(2)]), "fenced");
      assertEquals(await b.append(id, 2, [delta(2)]), "ok");
    }
  },
);

pairTest(
  "of 40 takes by two stores one gets a parked run",
  async ({ a, b }) => {
    const { id } = await created(a, ask());
    await a.park(id, 1, Date.now() + 3_600_000, []);
    const takes = await Promise.all(
      Array.from(
        { length: 40 },
        (_, n) => (n % 2 ? a : b).take(id, `node-${n}`, LEASE_MS),
      ),
    );
    const got = takes.filter((row) => row !== null);
    assertEquals(got.map((row) => row.epoch), [2]);
  },
);

pairTest(
  "an answer or Stop by one store is never missed by a park of the other",
  async ({ a, b }) => {
    const until = Date.now() + 3_600_000;
    for (let i = 0; i < 40; i++) {
      const { id } = await created(a, ask());
      const [parked] = await Promise.all([
        a.park(id, 1, until, ["c1"]),
        i % 2 ? b.answer(id, "c1", "{}") : b.requestStop(id),
      ]);
      const row = (await a.run(id))!;
      // Either the run saw it and goes on, or whoever sweeps next finds the run.
      if (parked === "parked") assert(row.leaseUntil <= Date.now(), "missed");
      else assertEquals([parked, row.leaseOwner], ["called", "node-1"]);
    }
  },
);

// What a waiting statement found before it had to wait must not count.
for (const kind of ["append", "seal"] as const) {
  pairTest(
    `an append${
      kind === "seal" ? " with a seal" : ""
    } that waits while another instance takes the run over is fenced`,
    async ({ a, b, sql, ...db }) => {
      const { id } = await created(a, ask());
      await a.append(id, 1, [delta(2)]);
      const { default: postgres } = await import("postgres");
      const other = postgres(db.url, { max: 1 });
      await other.unsafe("BEGIN");
      await other.unsafe(
        `UPDATE tickertape.head SET epoch = epoch + 1, lease_owner = 'node-2'
       WHERE run = (SELECT key FROM tickertape.run WHERE id = '${id}')`,
      );
      const sealed = kind === "seal" ? seal() : undefined;
      const late = a.append(id, 1, [delta(3)], sealed);
      // It has begun and waits for the lock: its snapshot is from before.
      while (
        (await sql(`SELECT FROM pg_stat_activity
        WHERE datname = '${db.name}' AND wait_event_type = 'Lock'`)).length < 1
      );
      await other.unsafe("COMMIT");
      await other.end();
      assertEquals(await late, "fenced");
      assertEquals(await b.append(id, 2, [delta(3, "mine")]), "ok");
      const log = await b.read(id, 2, 10);
      assertEquals(log, [{ epoch: 2, ...delta(3, "mine") }]);
      assertEquals((await b.run(id))!.status, "running");
    },
  );
}

pairTest(
  "a stale epoch never appends while runs are taken over under way",
  async ({ a, b }) => {
    let entries = 0;
    for (let round = 0; round < 20; round++) {
      // Its lease is over before it begins, so it can be taken at any moment.
      const { id } = await created(a, ask({ leaseMs: -1 }));
      let written = 1;
      const old = (async () => {
        while (true) {
          const outcome = await a.append(id, 1, [delta(written + 1)]);
          if (outcome !== "ok") return outcome;
          written++;
        }
      })();
      while (written < 2 + round % 5) await b.run(id);
      let row: RunRow | undefined;
      // A run that is being written to at this very moment is left for later.
      do [row] = await b.takeExpired("node-2", LEASE_MS); while (!row);
      assertEquals(row.id, id);
      assertEquals(await b.append(id, 2, [delta(row.lastSeq + 1)]), "ok");
      assertEquals(await old, "fenced");
      const log = await b.read(id, 0, Infinity);
      const epochs = log.map(({ epoch }) => epoch);
      assertEquals(epochs, [...Array(row.lastSeq).fill(1), 2]);
      assertEquals(written, row.lastSeq);
      entries += log.length;
    }
    console.log(`20 takeovers in ${entries} entries, none by a stale epoch`);
  },
);

pairTest(
  "a waiting message is sent by one store, and not one that was taken back",
  async ({ a, b }) => {
    for (let round = 0; round < 10; round++) {
      const run = await created(a, ask());
      const { chat } = run;
      const message = {
        ...{ id: newRunId(), chat, owner: "ann", text: "next", options: "{}" },
        ...{ keep: [], idempotencyKey: `q${round}` },
      };
      await b.enqueue(message);
      await a.append(run.id, 1, [delta(2)], seal());
      const send = (store: Store) =>
        store.create(ask({
          ...{ chat, newChatTitle: null, parent: run.id, queued: message.id },
        }));
      const due = await Promise.all([a.due(5), b.due(5)]);
      assertEquals(due.flat().map(({ id }) => id), [message.id, message.id]);
      const [one, two, back] = await Promise.all([
        send(a),
        send(b),
        round % 2 ? b.withdraw("ann", chat, message.id) : null,
      ]);
      const sent = [one, two].filter(({ kind }) => kind === "created").length;
      assertEquals(sent + (back === null ? 0 : 1), 1);
      assertEquals(await a.due(5), []);
      assertEquals((await a.runs(chat)).length, 1 + sent);
      for (const { id, epoch } of await a.takeExpired("x", 1)) {
        await a.append(id, epoch, [delta(2)], seal());
      }
    }
  },
);

pairTest(
  "a message is queued behind a run, or told that it is over, never lost between",
  async ({ a, b }) => {
    for (let round = 0; round < 30; round++) {
      const run = await created(a, ask());
      const message = {
        ...{ id: newRunId(), chat: run.chat, owner: "ann", text: "n" },
        ...{ options: "{}", keep: [], idempotencyKey: null },
      };
      const [found, outcome] = await Promise.all([
        // Whoever ends a run looks for what waits behind it.
        a.append(run.id, 1, [delta(2)], seal())
          .then(() => a.due(100))
          .then((due) => due.some(({ id }) => id === message.id)),
        b.enqueue(message),
      ]);
      assertEquals(outcome.kind, found ? "queued" : "idle");
    }
  },
);

pairTest(
  "streaming X07: leases hold by the database's clock, whatever the machines say",
  async ({ a, b, sql }) => {
    const before = Date.now;
    const run = await created(a, ask());
    try {
      Date.now = () => before() + 600_000;
      assertEquals(await b.takeExpired("node-2", LEASE_MS), []);
      assertEquals(await b.renew(run.id, 1, LEASE_MS), true);
      const late = await created(b, ask());
      Date.now = () => before() - 600_000;
      assertEquals(await a.takeExpired("node-3", LEASE_MS), []);
      await a.append(late.id, 1, [delta(2)], seal());
    } finally {
      Date.now = before;
    }
    const [{ late }] = await sql(
      `SELECT max(abs(extract(epoch FROM clock_timestamp()) * 1000 - at)) AS late
     FROM (SELECT created_at AS at FROM tickertape.run
       UNION ALL SELECT ended_at FROM tickertape.run WHERE ended_at IS NOT NULL
       UNION ALL SELECT lease_until - ${LEASE_MS} FROM tickertape.head
         WHERE lease_until > 0) AS times`,
    ) as [{ late: string }];
    assert(Number(late) < 60_000, `${late} ms away from the database's clock`);
  },
);

postgresTest(
  "five processes that open an empty database at once make its tables once",
  async (db) => {
    const opened = Array.from(
      { length: 5 },
      () =>
        new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "-A", "--no-check", "--config", "deno.npm.json"],
            ...["tests/store/postgres_open_once.ts", db.url],
          ],
          stdin: "piped",
          stdout: "piped",
          stderr: "piped",
        }).spawn(),
    );
    const ready = opened.map(async (child) => {
      const reader = child.stdout.getReader();
      const { value } = await reader.read();
      reader.releaseLock();
      assertEquals(new TextDecoder().decode(value), "ready\n");
    });
    await Promise.all(ready);
    for (const child of opened) {
      const writer = child.stdin.getWriter();
      await writer.write(new Uint8Array(1));
      await writer.close();
    }
    for (const child of opened) {
      const { code, stderr } = await child.output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
    }
    const rows = await db.sql("SELECT number FROM tickertape.migration");
    assertEquals(rows.map(({ number }) => number), [1]);
  },
);
