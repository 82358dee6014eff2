import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStore, StoreError } from "../../lib/store/mod.ts";
import { ask, Clock, created, delta, LEASE_MS, testInDir } from "./helpers.ts";
import { smallDisk } from "./mounts.ts";

testInDir(
  "safety R24: sqlite waits for another process's lock and lets the loop go on",
  async (dir) => {
    const path = `${dir}/tickertape.db`;
    const store = openStore({ kind: "sqlite", path });
    const { id } = await created(store, ask());
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    let outcome = "waits";
    const append = store.append(id, 1, [delta(2)]).then((o) => outcome = o);
    let turns = 0;
    for (const start = performance.now(); performance.now() - start < 150;) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      turns++;
      assertEquals((await store.read(id, 0, 10)).length, 1);
    }
    assertEquals(outcome, "waits");
    assert(turns > 10, `the loop turned only ${turns} times`);
    other.exec("ROLLBACK");
    await append;
    assertEquals(outcome, "ok");
    other.close();
    await store.close();
  },
);

testInDir(
  "safety R24: sqlite gives up on a lock with busy and works again after it",
  async (dir) => {
    const path = `${dir}/tickertape.db`;
    const store = openStore({ kind: "sqlite", path, patienceMs: 100 });
    const { id } = await created(store, ask());
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const error = await assertRejects(
      () => store.append(id, 1, [delta(2)]),
      StoreError,
    );
    assertEquals(error.kind, "busy");
    assertStringIncludes(error.message, `database "${path}"`);
    await assertRejects(() => store.create(ask()), StoreError, "locked");
    other.exec("ROLLBACK");
    other.close();
    assertEquals(await store.append(id, 1, [delta(2)]), "ok");
    await store.close();
  },
);

testInDir(
  "N3: leases and epochs hold between two stores on one file",
  async (dir) => {
    const clock = new Clock();
    const path = `${dir}/tickertape.db`;
    const open = () => openStore({ kind: "sqlite", path, now: clock.now });
    const a = open(), b = open();
    const { id, chat } = await created(a, ask());
    assertEquals(await a.append(id, 1, [delta(2)]), "ok");
    assertEquals((await b.read(id, 0, 10)).length, 2);
    const second = ask({ chat, newChatTitle: null, parent: id });
    assertEquals((await b.create(second)).kind, "active");
    clock.pass(LEASE_MS);
    assertEquals((await b.takeExpired("node-2", LEASE_MS)).length, 1);
    assertEquals(await a.append(id, 1, [delta(3)]), "fenced");
    assertEquals(await a.renew(id, 1, LEASE_MS), false);
    assertEquals(await b.append(id, 2, [delta(3), delta(4)]), "ok");
    assertEquals((await a.requestStop(id))!.lastSeq, 4);
    assertEquals((await b.run(id))!.stopRequested, true);
    await a.close();
    await b.close();
  },
);

for (
  const [what, harm] of [
    ["leads in a circle", "UPDATE entry SET prev = id WHERE seq = 3"],
    ["has a gap", "DELETE FROM entry WHERE seq = 3"],
    ["begins with no JSON", "UPDATE run SET text = '\"half'"],
  ]
) {
  testInDir(
    `N11: a log that ${what} is damage, said where it is read`,
    async (dir) => {
      const path = `${dir}/tickertape.db`;
      const store = openStore({ kind: "sqlite", path });
      const { id } = await created(store, ask());
      await store.append(id, 1, [delta(2), delta(3), delta(4), delta(5)]);
      const other = new DatabaseSync(path);
      other.exec(harm!);
      other.close();
      const error = await assertRejects(async () => {
        await store.run(id);
        await store.read(id, 0, 10);
      }, StoreError);
      assertEquals(error.kind, "damaged");
      await store.close();
    },
  );
}

testInDir(
  "safety R23: sqlite on a full disk says so, keeps what it has, and recovers",
  async (dir) => {
    const disk = await smallDisk(`${dir}/disk`, 2048);
    if (typeof disk === "string") {
      return console.log(`skipped, no small disk can be mounted: ${disk}`);
    }
    try {
      await fillUp(`${dir}/disk`);
    } finally {
      await disk.undo();
    }
  },
);

async function fillUp(disk: string): Promise<void> {
  const path = `${disk}/tickertape.db`;
  const ballast = `${disk}/ballast`;
  Deno.writeFileSync(ballast, new Uint8Array(512 * 1024));
  const store = openStore({ kind: "sqlite", path });
  const { id } = await created(store, ask());
  const other = await created(store, ask());

  let seq = 1;
  let full: unknown;
  while (full === undefined) {
    const step = [delta(seq + 1, "x".repeat(20_000))];
    await store.append(id, 1, step).then(() => seq++, (error) => full = error);
  }
  assert(full instanceof StoreError && full.kind === "full", String(full));
  assertStringIncludes(full.message, "Free some space");
  // A fitting last page must not let one of these through by luck.
  const big = "y".repeat(100_000);
  const never = ask({ text: big });
  const lost = await Promise.allSettled([
    store.create(never),
    store.append(never.run, 1, [delta(2)]),
    store.append(other.id, 1, [delta(2, big)]),
  ]);
  for (const result of lost) assertEquals(result.status, "rejected");
  // Reads go on, and show exactly what was acknowledged.
  assertEquals((await store.run(id))!.lastSeq, seq);
  assertEquals((await store.read(id, 0, 1000)).length, seq);
  assertEquals((await store.chats("ann", 10)).length, 2);

  Deno.removeSync(ballast);
  assertEquals(await store.append(id, 1, [delta(seq + 1)]), "ok");
  assertEquals(await store.append(other.id, 1, [delta(2, big)]), "ok");
  // A run that was never made must not lend its place in the file to another.
  const next = await created(store, ask());
  assertEquals(await store.append(never.run, 1, [delta(2)]), "fenced");
  assertEquals((await store.run(next.id))!.lastSeq, 1);
  await store.close();
  const again = openStore({ kind: "sqlite", path });
  assertEquals((await again.read(id, 0, 1000)).length, seq + 1);
  await again.close();
}
