/**
 * The storage contract, second part: the log of a run, who may write it, and
 * how it ends.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { newRunId } from "../../lib/chat/ids.ts";
import type { Case } from "./contract.ts";
import { ask, created, delta, LEASE_MS, seal } from "./helpers.ts";

export function logCases(test: Case): void {
  test("append() says ok, then duplicate for the same bytes (streaming X06)", async (store) => {
    const { id } = await created(store, ask());
    const entries = [delta(2), delta(3)];
    assertEquals(await store.append(id, 1, entries), "ok");
    assertEquals(await store.append(id, 1, entries), "duplicate");
    assertEquals(await store.append(id, 1, [delta(3)]), "duplicate");
    assertEquals((await store.run(id))!.lastSeq, 3);
    assertEquals((await store.read(id, 1, 10)).length, 2);
  });

  test("append() rejects a gap, other bytes at a taken place, and nonsense", async (store) => {
    const { id } = await created(store, ask());
    await store.append(id, 1, [delta(2), delta(3)]);
    const wrong = [
      [delta(5)],
      [delta(3, "other")],
      [delta(3), delta(4)],
      [delta(4), delta(6)],
      [delta(0)],
      [],
    ];
    for (const entries of wrong) {
      await assertRejects(() => store.append(id, 1, entries), RangeError);
    }
    for (const json of ['"\0"', '"\ud800"', undefined as unknown as string]) {
      const entries = [delta(4), { seq: 5, json }];
      await assertRejects(() => store.append(id, 1, entries), TypeError);
    }
    assertEquals((await store.run(id))!.lastSeq, 3);
    assertEquals((await store.read(id, 0, 100)).length, 3);
    assertEquals(await store.append(id, 1, [delta(4)]), "ok");
  });

  test("append() is fenced for a stale or future epoch and an unknown run", async (store) => {
    const { id } = await created(store, ask());
    assertEquals(await store.append(id, 0, [delta(2)]), "fenced");
    assertEquals(await store.append(id, 2, [delta(2)]), "fenced");
    assertEquals(await store.append(newRunId(), 1, [delta(2)]), "fenced");
    assertEquals((await store.run(id))!.lastSeq, 1);
  });

  test(
    "append() with a seal ends the run in one step",
    async (store, clock) => {
      const { id, chat } = await created(store, ask());
      clock.pass(500);
      const ended = seal("stopped", '{"parts":[]}');
      assertEquals(await store.append(id, 1, [delta(2)], ended), "ok");
      const row = (await store.run(id))!;
      assertEquals(row.status, "stopped");
      assertEquals(row.message, '{"parts":[]}');
      assertEquals(row.endedAt, clock.now());
      assertEquals([row.leaseOwner, row.leaseUntil], [null, 0]);
      assertEquals(row.lastSeq, 2);
      assertEquals((await store.chat("ann", chat))!.activeRun, null);
    },
  );

  test("append() after the terminal is fenced, the terminal again a duplicate", async (store) => {
    const { id } = await created(store, ask());
    const terminal = [delta(2), delta(3)];
    await store.append(id, 1, terminal, seal("complete", "{}"));
    const again = (entries: typeof terminal, ended?: ReturnType<typeof seal>) =>
      store.append(id, 1, entries, ended);
    assertEquals(await again(terminal, seal("complete", "{}")), "duplicate");
    assertEquals(await again([delta(2)]), "duplicate");
    assertEquals(await again([delta(4)]), "fenced");
    assertEquals(await again([delta(3, "other")]), "fenced");
    assertEquals(await again(terminal, seal("failed", "{}")), "fenced");
    assertEquals(await again(terminal, seal("complete", "[]")), "fenced");
    assertEquals((await store.run(id))!.status, "complete");
  });

  test("calls made together see each other in order; a bad one spoils no other", async (store) => {
    const input = ask();
    const a = input.run, b = ask();
    const results = await Promise.allSettled([
      store.create(input),
      store.append(a, 1, [delta(2)]),
      store.append(a, 1, [delta(9)]),
      store.append(a, 7, [delta(3)]),
      store.append(a, 1, [delta(2)]),
      store.create(ask({ parent: a })),
      store.create(b),
      store.append(b.run, 1, [delta(2)], seal()),
      store.append(a, 1, [delta(3)]),
    ]);
    const seen = results.map((result) =>
      result.status === "rejected"
        ? "rejected"
        : typeof result.value === "string"
        ? result.value
        : result.value.kind
    );
    assertEquals(seen, [
      "created",
      "ok",
      "rejected",
      "fenced",
      "duplicate",
      "rejected",
      "created",
      "ok",
      "ok",
    ]);
    assertEquals((await store.run(a))!.lastSeq, 3);
    assertEquals((await store.run(b.run))!.status, "complete");
  });

  test("read() pages through a log from any place", async (store) => {
    const { id } = await created(store, ask());
    const entries = Array.from({ length: 299 }, (_, i) => delta(i + 2));
    await store.append(id, 1, entries.slice(0, 120));
    await store.append(id, 1, entries.slice(120));
    const seqs = async (after: number, limit: number) =>
      (await store.read(id, after, limit)).map((entry) => entry.seq);
    for (const limit of [1, 7, 63, 64, 65, 300, Infinity]) {
      const all = [];
      for (let after = 0;;) {
        const page = await seqs(after, limit);
        if (page.length === 0) break;
        all.push(...page);
        after = page.at(-1)!;
      }
      assertEquals(all, Array.from({ length: 300 }, (_, i) => i + 1));
    }
    assertEquals(await seqs(126, 3), [127, 128, 129]);
    assertEquals(await seqs(299, 10), [300]);
    assertEquals(await seqs(300, 10), []);
    assertEquals(await seqs(4000, 10), []);
    assertEquals(await seqs(0, 0), []);
    assertEquals(await store.read(newRunId(), 0, 10), []);
  });

  test("interleaved runs keep their own order", async (store) => {
    const runs = await Promise.all(
      Array.from({ length: 20 }, () => created(store, ask())),
    );
    const appends = [];
    for (let seq = 2; seq <= 80; seq++) {
      for (const { id } of runs) {
        appends.push(store.append(id, 1, [delta(seq, `${id} ${seq}`)]));
      }
    }
    assertEquals(new Set(await Promise.all(appends)), new Set(["ok" as const]));
    for (const { id } of runs) {
      const log = await store.read(id, 1, 1000);
      const expected = Array.from({ length: 79 }, (_, i) => ({
        epoch: 1,
        ...delta(i + 2, `${id} ${i + 2}`),
      }));
      assertEquals(log, expected);
    }
  });

  test(
    "renew() moves the lease for its epoch while the run runs",
    async (store, clock) => {
      const { id } = await created(store, ask());
      clock.pass(1000);
      assertEquals(await store.renew(id, 1, LEASE_MS), true);
      assertEquals((await store.run(id))!.leaseUntil, clock.now() + LEASE_MS);
      assertEquals(await store.renew(id, 2, LEASE_MS), false);
      assertEquals(await store.renew(newRunId(), 1, LEASE_MS), false);
      await store.append(id, 1, [delta(2)], seal());
      assertEquals(await store.renew(id, 1, LEASE_MS), false);
      assertEquals((await store.run(id))!.leaseUntil, 0);
    },
  );

  test(
    "takeExpired() takes what nobody renewed, once, and fences the old owner (safety R22)",
    async (store, clock) => {
      const lost = await created(store, ask());
      const kept = await created(store, ask());
      const over = await created(store, ask());
      await store.append(lost.id, 1, [delta(2)]);
      await store.append(over.id, 1, [delta(2)], seal());
      clock.pass(LEASE_MS - 1);
      assertEquals(await store.takeExpired("node-2", LEASE_MS), []);
      await store.renew(kept.id, 1, LEASE_MS);
      clock.pass(1);
      const taken = await store.takeExpired("node-2", LEASE_MS);
      assertEquals(taken, [{
        ...lost,
        epoch: 2,
        leaseOwner: "node-2",
        leaseUntil: clock.now() + LEASE_MS,
        lastSeq: 2,
      }]);
      assertEquals(await store.takeExpired("node-3", LEASE_MS), []);
      // The old owner is out, even with what it wrote before; the new one goes on.
      assertEquals(await store.append(lost.id, 1, [delta(3)]), "fenced");
      assertEquals(await store.append(lost.id, 1, [delta(2)]), "fenced");
      assertEquals(await store.renew(lost.id, 1, LEASE_MS), false);
      assertEquals(await store.append(lost.id, 2, [delta(3)], seal()), "ok");
      const log = await store.read(lost.id, 0, 10);
      assertEquals(log.map(({ epoch, seq }) => [epoch, seq]), [
        [1, 1],
        [1, 2],
        [2, 3],
      ]);
    },
  );

  test("U38, streaming X08: keep() keeps a long text byte for byte, apart for each run and name", async (store) => {
    const { id } = await created(store, ask());
    const other = await created(store, ask());
    const text = "长\u0000\ud800 👍".repeat(200_000);
    await store.keep(id, "1-1", text);
    await store.keep(id, "1-2", "short");
    assertEquals(await store.kept(id, "1-1") === text, true);
    assertEquals(await store.kept(id, "1-2"), "short");
    assertEquals(await store.kept(other.id, "1-1"), null);
    assertEquals(await store.kept("r_nobody", "1-1"), null);
    await store.keep("r_nobody", "1-1", "nowhere");
    assertEquals(await store.kept("r_nobody", "1-1"), null);
  });

  test("requestStop() is remembered, and changes nothing once the run is over", async (store) => {
    const { id } = await created(store, ask());
    assertEquals((await store.requestStop(id))!.stopRequested, true);
    assertEquals((await store.requestStop(id))!.stopRequested, true);
    assertEquals((await store.run(id))!.status, "running");
    await store.append(id, 1, [delta(2)], seal("stopped"));
    assertEquals((await store.run(id))!.stopRequested, true);
    const over = await created(store, ask());
    await store.append(over.id, 1, [delta(2)], seal());
    const row = await store.requestStop(over.id);
    assertEquals([row!.stopRequested, row!.status], [false, "complete"]);
    assertEquals(await store.requestStop(newRunId()), null);
  });

  test("close() waits for what was asked before, and takes nothing after", async (store) => {
    const input = ask();
    let settled = 0;
    for (
      const call of [
        store.create(input),
        store.append(input.run, 1, [delta(2)]),
      ]
    ) call.then(() => settled++);
    await store.close();
    assertEquals(settled, 2);
    await assertRejects(() => store.append(input.run, 1, [delta(3)]), Error);
    await assertRejects(() => store.run(input.run), Error);
    await store.close();
  });
}
