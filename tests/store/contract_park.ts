/**
 * The storage contract, third part: runs that wait for people, and the answers
 * people give.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { newRunId } from "../../lib/chat/ids.ts";
import type { RunRow, Store } from "../../lib/store/mod.ts";
import type { Case } from "./contract.ts";
import {
  ask,
  type Clock,
  created,
  delta,
  LEASE_MS,
  parked,
  seal,
} from "./helpers.ts";

const HOUR = 3_600_000;

export function parkCases(test: Case): void {
  test(
    "park() lets go of the run, and take() gives it to somebody else",
    async (store, clock) => {
      const run = await created(store, ask());
      await store.append(run.id, 1, [delta(2)]);
      const until = clock.now() + HOUR;
      assertEquals(await store.park(run.id, 1, until, ["c1"]), "parked");
      const waiting: RunRow = {
        ...run,
        lastSeq: 2,
        leaseOwner: null,
        leaseUntil: until,
      };
      assertEquals(await store.run(run.id), waiting);
      assertEquals(await store.runs(run.chat), [waiting]);
      clock.pass(5000);
      const taken: RunRow = {
        ...waiting,
        epoch: 2,
        leaseOwner: "node-2",
        leaseUntil: clock.now() + LEASE_MS,
      };
      assertEquals(await store.take(run.id, "node-2", LEASE_MS), taken);
      assertEquals(await store.run(run.id), taken);
      assertEquals(await store.renew(run.id, 2, LEASE_MS), true);
      assertEquals(await store.append(run.id, 2, [delta(3)]), "ok");
      // It may have to wait again, and ends like any other.
      assertEquals(await store.park(run.id, 2, until, ["c2"]), "parked");
      assertEquals((await store.take(run.id, "node-1", LEASE_MS))!.epoch, 3);
      assertEquals(await store.append(run.id, 3, [delta(4)], seal()), "ok");
      const log = await store.read(run.id, 0, 10);
      assertEquals(log.map(({ epoch, seq }) => [epoch, seq]), [
        [1, 1],
        [1, 2],
        [2, 3],
        [3, 4],
      ]);
    },
  );

  test(
    "N3: a chat stays busy while its run is parked",
    async (store, clock) => {
      const run = await parked(store, clock.now() + HOUR);
      const second = ask({
        chat: run.chat,
        newChatTitle: null,
        parent: run.id,
      });
      assertEquals(await store.create(second), { kind: "active", run });
      assertEquals(await store.run(second.run), null);
      assertEquals((await store.chat("ann", run.chat))!.activeRun, run.id);
      assertEquals((await store.chats("ann", 10))[0]!.activeRun, run.id);
      await store.take(run.id, "node-2", LEASE_MS);
      assertEquals((await store.create(second)).kind, "active");
      await store.append(run.id, 2, [delta(2)], seal());
      await created(store, second);
    },
  );

  test(
    "append() is fenced for who parked the run, before and after it is taken",
    async (store, clock) => {
      const { id } = await created(store, ask());
      await store.append(id, 1, [delta(2)]);
      await store.park(id, 1, clock.now() + HOUR, []);
      const old = async () => [
        await store.append(id, 1, [delta(3)]),
        await store.append(id, 1, [delta(3)], seal()),
        await store.append(id, 1, [delta(9)]),
        await store.append(id, 1, [delta(2, "other")]),
        await store.renew(id, 1, LEASE_MS),
        await store.park(id, 1, clock.now() + 2 * HOUR, []),
      ];
      const out = ["fenced", "fenced", "fenced", "fenced", false, "fenced"];
      assertEquals(await old(), out);
      // An ack lost just before parking: the bytes are there (X06).
      assertEquals(await store.append(id, 1, [delta(2)]), "duplicate");
      // Nor may anybody write ahead of the take.
      assertEquals(await store.append(id, 2, [delta(3)]), "fenced");
      const row = (await store.run(id))!;
      assertEquals([row.status, row.lastSeq], ["running", 2]);
      assertEquals(row.leaseUntil, clock.now() + HOUR);
      await store.take(id, "node-2", LEASE_MS);
      assertEquals(await old(), out);
      assertEquals(await store.append(id, 1, [delta(2)]), "fenced");
      assertEquals((await store.read(id, 0, 10)).length, 2);
    },
  );

  test(
    "park() is fenced for a stale or future epoch and an unknown run",
    async (store, clock) => {
      const { id } = await created(store, ask());
      const until = clock.now() + HOUR;
      assertEquals(await store.park(id, 0, until, []), "fenced");
      assertEquals(await store.park(id, 2, until, []), "fenced");
      assertEquals(await store.park(newRunId(), 1, until, []), "fenced");
      assertEquals((await store.run(id))!.leaseOwner, "node-1");
      assertEquals(await store.append(id, 1, [delta(2)]), "ok");
    },
  );

  test(
    "park() rejects a time that is none, and a question that cannot be one",
    async (store, clock) => {
      const { id } = await created(store, ask());
      for (const until of [NaN, Infinity, 0.5]) {
        await assertRejects(() => store.park(id, 1, until, []), RangeError);
      }
      const bad = () => store.park(id, 1, clock.now(), ["c\0"]);
      await assertRejects(bad, TypeError);
      assertEquals((await store.run(id))!.leaseOwner, "node-1");
    },
  );

  test(
    "T04: of 50 answers in parallel one is recorded",
    async (store, clock) => {
      const { id } = await parked(store, clock.now() + HOUR, ["c1"]);
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, i) => store.answer(id, "c1", `${i}`)),
      );
      assertEquals(outcomes, ["recorded", ...Array(49).fill("taken")]);
      assertEquals(await store.answers(id), [{ question: "c1", json: "0" }]);
    },
  );

  test(
    "T04: of 50 takes in parallel one gets the run",
    async (store, clock) => {
      const { id } = await parked(store, clock.now() + HOUR);
      const rows = await Promise.all(
        Array.from({ length: 50 }, (_, i) => store.take(id, `n${i}`, LEASE_MS)),
      );
      assertEquals(rows.slice(1), Array(49).fill(null));
      assertEquals([rows[0]!.epoch, rows[0]!.leaseOwner], [2, "n0"]);
      assertEquals(await store.run(id), rows[0]);
    },
  );

  test(
    "an answer before park() calls the run back; one after finds it parked",
    async (store, clock) => {
      const until = clock.now() + HOUR;
      for (const answerFirst of [true, false]) {
        const { id } = await created(store, ask());
        const answer = () => store.answer(id, "c1", "{}");
        const park = () => store.park(id, 1, until, ["c0", "c1"]);
        const take = () => store.take(id, "node-2", LEASE_MS);
        const [one, two] = await Promise.all(
          answerFirst ? [answer(), park()] : [park(), answer()],
        );
        const row = await take();
        if (answerFirst) {
          assertEquals([one, two], ["recorded", "called"]);
          assertEquals(row, null);
          assertEquals(await store.append(id, 1, [delta(2)]), "ok");
          assertEquals(await store.renew(id, 1, LEASE_MS), true);
        } else {
          assertEquals([one, two], ["parked", "recorded"]);
          assertEquals(row!.epoch, 2);
          // Who took it reads the answer, and may park for the other question.
          assertEquals(await store.park(id, 2, until, ["c1"]), "called");
          assertEquals(await store.park(id, 2, until, ["c0"]), "parked");
        }
      }
    },
  );

  test(
    "park() heeds only answers to its own questions, of its own run",
    async (store, clock) => {
      const until = clock.now() + HOUR;
      const one = await created(store, ask());
      const other = await created(store, ask());
      await store.answer(one.id, "c1", "{}");
      await store.answer(other.id, "c2", "{}");
      assertEquals(await store.park(one.id, 1, until, ["c2", "C1"]), "parked");
      assertEquals(await store.park(other.id, 1, until, ["c2"]), "called");
    },
  );

  test(
    "requestStop() before park() calls the run back; after it a sweep finds the run",
    async (store, clock) => {
      const until = clock.now() + HOUR;
      const { id } = await created(store, ask());
      await store.requestStop(id);
      assertEquals(await store.park(id, 1, until, ["c1"]), "called");
      assertEquals(
        await store.append(id, 1, [delta(2)], seal("stopped")),
        "ok",
      );

      const run = await parked(store, until);
      const wished: RunRow = {
        ...run,
        stopRequested: true,
        leaseUntil: clock.now(),
      };
      assertEquals(await store.requestStop(run.id), wished);
      assertEquals(await store.run(run.id), wished);
      const [taken] = await store.takeExpired("node-2", LEASE_MS);
      assertEquals([taken!.epoch, taken!.stopRequested], [2, true]);
    },
  );

  test(
    "answer() to a parked run ends its waiting; to a driven one it changes no lease",
    async (store, clock) => {
      const driven = await created(store, ask());
      await store.answer(driven.id, "c1", "{}");
      assertEquals((await store.run(driven.id))!.leaseUntil, driven.leaseUntil);
      const run = await parked(store, clock.now() + HOUR);
      assertEquals(await store.takeExpired("node-2", LEASE_MS), []);
      await store.answer(run.id, "c1", "{}");
      const swept = await store.takeExpired("node-2", LEASE_MS);
      assertEquals(swept.map(({ id }) => id), [run.id]);
      assertEquals(await store.take(run.id, "node-1", LEASE_MS), null);
    },
  );

  test(
    "takeExpired() takes a parked run once its time is over, not before",
    async (store, clock) => {
      const run = await parked(store, clock.now() + HOUR);
      clock.pass(HOUR - 1);
      assertEquals(await store.takeExpired("node-2", LEASE_MS), []);
      clock.pass(1);
      const taken: RunRow = {
        ...run,
        epoch: 2,
        leaseOwner: "node-2",
        leaseUntil: clock.now() + LEASE_MS,
      };
      assertEquals(await store.takeExpired("node-2", LEASE_MS), [taken]);
      assertEquals(await store.run(run.id), taken);
      assertEquals(await store.take(run.id, "node-3", LEASE_MS), null);
      assertEquals(await store.append(run.id, 1, [delta(2)]), "fenced");
      assertEquals(await store.append(run.id, 2, [delta(2)], seal()), "ok");
    },
  );

  test(
    "take() and takeExpired() never both get a run",
    async (store, clock) => {
      const until = clock.now() + HOUR;
      const [a, b] = [await parked(store, until), await parked(store, until)];
      clock.pass(HOUR);
      const [one, swept, two] = await Promise.all([
        store.take(a.id, "node-2", LEASE_MS),
        store.takeExpired("node-3", LEASE_MS),
        store.take(b.id, "node-2", LEASE_MS),
      ]);
      assertEquals(one!.leaseOwner, "node-2");
      assertEquals(swept.map((row) => row.id), [b.id]);
      assertEquals(two, null);
      assertEquals((await store.run(a.id))!.epoch, 2);
      assertEquals((await store.run(b.id))!.epoch, 2);
    },
  );

  test(
    "T05: a run that is driven cannot be taken; one that is over not parked, taken or answered",
    async (store, clock) => {
      const { id } = await created(store, ask());
      assertEquals(await store.take(id, "node-2", LEASE_MS), null);
      assertEquals(await store.answer(id, "c1", "{}"), "recorded");
      await store.append(id, 1, [delta(2)], seal());
      const before = await store.run(id);
      assertEquals(await store.park(id, 1, clock.now() + HOUR, []), "fenced");
      assertEquals(await store.take(id, "node-2", LEASE_MS), null);
      assertEquals(await store.answer(id, "c2", "{}"), "taken");
      assertEquals(await store.run(id), before);
      assertEquals(await store.answers(id), [{ question: "c1", json: "{}" }]);
      const nobody = newRunId();
      assertEquals(await store.take(nobody, "node-2", LEASE_MS), null);
      assertEquals(await store.answer(nobody, "c1", "{}"), "taken");
      assertEquals(await store.answers(nobody), []);
    },
  );

  test(
    "answers() come in the order given, byte for byte, apart for each run",
    async (store, clock) => {
      const { id } = await parked(store, clock.now() + HOUR);
      const other = await created(store, ask());
      const said = JSON.stringify("a\0b \ud800 😀 'x' 公交");
      for (const question of ["z", "a", "会", "m"]) {
        assertEquals(await store.answer(id, question, said), "recorded");
        assertEquals(await store.answer(id, question, "other"), "taken");
      }
      assertEquals(await store.answer(other.id, "a", "{}"), "recorded");
      const answers = await store.answers(id);
      assertEquals(answers.map((row) => row.question), ["z", "a", "会", "m"]);
      assert(answers.every((row) => row.json === said));
      await rejectsOddText(store, clock);
    },
  );
}

async function rejectsOddText(store: Store, clock: Clock): Promise<void> {
  const { id } = await parked(store, clock.now() + HOUR);
  for (const bad of ["a\0b", "\ud800", undefined as unknown as string]) {
    await assertRejects(() => store.answer(id, bad, "{}"), TypeError);
    await assertRejects(() => store.answer(id, "c1", bad), TypeError);
    await assertRejects(() => store.take(id, bad, LEASE_MS), TypeError);
  }
  assertEquals(await store.answers(id), []);
  assertEquals((await store.run(id))!.epoch, 1);
}
