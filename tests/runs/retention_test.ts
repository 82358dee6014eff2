/** Chats nobody has asked in for a long time. */
import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { startRetention } from "../../lib/runs/mod.ts";
import { openStore, StoreError } from "../../lib/store/mod.ts";
import { ask, created, delta, seal } from "../store/helpers.ts";

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** 45 old chats and a young one; an old one is still being answered. */
async function shelf() {
  let ms = Date.parse("2026-01-01T00:00:00Z");
  const store = openStore({ kind: "memory", now: () => ms });
  const old = [];
  for (let n = 0; n < 45; n++) {
    const run = await created(store, ask({ leaseMs: 1e12 }));
    if (n > 0) await store.append(run.id, 1, [delta(2)], seal());
    old.push(run);
  }
  ms += 30 * DAY;
  const young = await created(store, ask());
  const left = async () =>
    (await store.chats("ann", 100)).map(({ id }) => id).toSorted();
  const pass = (by: number) => ms += by;
  return { store, old, young, left, pass, now: () => new Date(ms) };
}

Deno.test("P06: chats are removed so many days after their last question, but never while they are answered", async () => {
  using time = new FakeTime();
  const { store, old, young, left, pass, now } = await shelf();
  const retention = startRetention({ store, days: 30, now, report() {} });
  await retention.look();
  assertEquals((await left()).length, 1 + 45);
  pass(1);
  await time.tickAsync(HOUR);
  await retention.look();
  assertEquals(await left(), [old[0]!.chat, young.chat].toSorted());
  await retention.close();
  await store.close();
});

Deno.test("N9: a store that cannot remove is asked again an hour later", async () => {
  using time = new FakeTime();
  const { store, left, pass, now } = await shelf();
  pass(1);
  const reports: string[] = [];
  const { removeOlder } = store;
  store.removeOlder = () => Promise.reject(new StoreError("full", "Full"));
  const report = (message: string) => reports.push(message);
  const retention = startRetention({ store, days: 30, now, report });
  await retention.look();
  assertEquals((await left()).length, 46);
  store.removeOlder = removeOlder;
  await time.tickAsync(HOUR);
  await retention.look();
  await retention.close();
  assertEquals((await left()).length, 2);
  assertEquals(reports.length, 2);
  await store.close();
});
