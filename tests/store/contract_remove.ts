/**
 * The storage contract, last part: branches to choose from, and deleting.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { newChatId, newRunId } from "../../lib/chat/ids.ts";
import type { NewRun, RunRow, Store } from "../../lib/store/mod.ts";
import type { Case } from "./contract.ts";
import { ask, created, delta, LEASE_MS, seal } from "./helpers.ts";

/** A run that is over. */
async function asked(store: Store, input: Partial<NewRun>): Promise<RunRow> {
  const run = await created(store, ask(input));
  await store.append(run.id, 1, [delta(run.lastSeq + 1)], seal());
  return (await store.run(run.id))!;
}

const waits = (chat: string, idempotencyKey: string | null = null) => ({
  id: newRunId(),
  chat,
  owner: "ann",
  text: "And then?",
  options: "{}",
  keep: [{ name: "image-1", text: "A".repeat(10_000) }],
  idempotencyKey,
});

export function removeCases(test: Case): void {
  test("create() commits all first entries, and the log goes on behind them", async (store) => {
    const { begin: [start] } = ask();
    const told = Array.from({ length: 150 }, (_, index) => ({
      type: "text-delta" as const,
      id: "t",
      off: index,
      delta: `\0${index}`,
    }));
    const begin = [start!, ...told];
    const run = await created(store, ask({ begin }));
    assertEquals(run.lastSeq, 151);
    assertEquals(await store.append(run.id, 1, [delta(152)]), "ok");
    const log = [
      ...begin.map((event) => JSON.stringify(event)),
      delta(152).json,
    ].map((json, index) => ({ epoch: 1, seq: index + 1, json }));
    assertEquals(await store.read(run.id, 0, 1000), log);
    assertEquals(await store.read(run.id, 60, 10), log.slice(60, 70));
    assertEquals(await store.read(run.id, 127, 2), log.slice(127, 129));
    const empty = ask({ begin: [] });
    await assertRejects(() => store.create(empty), RangeError);
    assertEquals(await store.chat("ann", empty.chat), null);
  });

  test("setLeaf() chooses a branch until the next question", async (store) => {
    const one = await asked(store, {});
    const { chat } = one;
    const two = await asked(store, { chat, parent: one.id });
    const three = await asked(store, { chat, parent: one.id });
    const leaf = async () => (await store.chat("ann", chat))!.leaf;
    assertEquals(await leaf(), three.id);
    assertEquals(await store.setLeaf("ann", chat, two.id), true);
    assertEquals(await leaf(), two.id);
    assertEquals((await store.chats("ann", 1))[0]!.leaf, two.id);

    const foreign = await asked(store, {});
    assertEquals(await store.setLeaf("ann", chat, foreign.id), false);
    assertEquals(await store.setLeaf("ben", chat, one.id), false);
    assertEquals(await store.setLeaf("ann", newChatId(), one.id), false);
    assertEquals(await store.setLeaf("ann", chat, newRunId()), false);
    assertEquals(await leaf(), two.id);

    const four = await asked(store, { chat, parent: two.id });
    assertEquals(await leaf(), four.id);
  });

  test("setLeaf() moves a chat nowhere in the list (N12)", async (store) => {
    const one = await asked(store, {});
    const two = await asked(store, {});
    await store.setLeaf("ann", one.chat, one.id);
    const list = await store.chats("ann", 10);
    assertEquals(list.map(({ id }) => id), [two.chat, one.chat]);
  });

  test(
    "chats() gives hidden ones too if all are wanted, in the order asked (N12)",
    async (store, clock) => {
      const asks: string[] = [];
      for (let i = 0; i < 6; i++) {
        const { chat } = await asked(store, { newChatHidden: i % 2 === 1 });
        asks.unshift(chat);
        clock.pass(-1000);
      }
      await asked(store, { owner: "ben", newChatHidden: true });
      const list = async (limit: number, which?: "listed" | "all") =>
        (await store.chats("ann", limit, which)).map(({ id }) => id);
      assertEquals(await list(100, "all"), asks);
      assertEquals(await list(Infinity, "all"), asks);
      assertEquals(await list(3, "all"), asks.slice(0, 3));
      const shown = asks.filter((_, index) => index % 2 === 1);
      assertEquals(await list(100, "listed"), shown);
      assertEquals(await list(Infinity), shown);
    },
  );

  test("P06: remove() leaves nothing of a chat to be read", async (store) => {
    const keep = [{ name: "image-1", text: "x".repeat(100_000) }];
    const one = await asked(store, { keep, idempotencyKey: "k1" });
    const { chat } = one;
    const two = await created(
      store,
      ask({ chat, parent: one.id, keep, idempotencyKey: "k2" }),
    );
    await store.answer(two.id, "c1", "{}");
    await store.enqueue(waits(chat, "k3"));
    const back = waits(chat, "k4");
    await store.enqueue(back);
    await store.withdraw("ann", chat, back.id);
    const other = await created(store, ask({ keep }));
    await store.enqueue(waits(other.chat));

    assertEquals(await store.remove("ben", chat), false);
    assertEquals((await store.runs(chat)).length, 2);
    assertEquals(await store.remove("ann", chat), true);
    assertEquals(await store.remove("ann", chat), false);

    assertEquals(await store.chat("ann", chat), null);
    assertEquals(await store.runs(chat), []);
    assertEquals(await store.queue("ann", chat), []);
    for (const { id } of [one, two]) {
      assertEquals(await store.run(id), null);
      assertEquals(await store.read(id, 0, 100), []);
      assertEquals(await store.kept(id, "image-1"), null);
      assertEquals(await store.answers(id), []);
    }
    const list = await store.chats("ann", 10, "all");
    assertEquals(list.map(({ id }) => id), [other.chat]);
    assertEquals((await store.queue("ann", other.chat)).length, 1);
    assert(await store.kept(other.id, "image-1") === keep[0]!.text);
    // What its keys stood for is gone, and so are they.
    for (const idempotencyKey of ["k1", "k2", "k3", "k4"]) {
      await created(store, ask({ idempotencyKey }));
    }
  });

  test(
    "P06: remove() in mid-run ends the lease and fences the driver",
    async (store, clock) => {
      const run = await created(store, ask());
      assertEquals(await store.append(run.id, 1, [delta(2)]), "ok");
      const [removed, appended] = await Promise.all([
        store.remove("ann", run.chat),
        store.append(run.id, 1, [delta(3)]),
      ]);
      assertEquals([removed, appended], [true, "fenced"]);
      // The same bytes again are no duplicate either: they are gone.
      assertEquals(await store.append(run.id, 1, [delta(2)]), "fenced");
      assertEquals(await store.append(run.id, 1, [delta(4)], seal()), "fenced");
      assertEquals(await store.renew(run.id, 1, LEASE_MS), false);
      assertEquals(await store.park(run.id, 1, clock.now(), []), "fenced");
      assertEquals(await store.take(run.id, "node-2", LEASE_MS), null);
      assertEquals(await store.answer(run.id, "c1", "{}"), "taken");
      assertEquals(await store.requestStop(run.id), null);
      await store.keep(run.id, "late", "text");
      assertEquals(await store.kept(run.id, "late"), null);
      clock.pass(LEASE_MS);
      assertEquals(await store.takeExpired("node-2", LEASE_MS), []);
      assertEquals(await store.due(10), []);
    },
  );

  test(
    "remove() takes a parked run and leaves room for the chat's id",
    async (store, clock) => {
      const run = await created(store, ask());
      await store.park(run.id, 1, clock.now() + 1000, ["c1"]);
      assertEquals(await store.remove("ann", run.chat), true);
      assertEquals(await store.take(run.id, "node-2", LEASE_MS), null);
      const again = await asked(store, { chat: run.chat });
      assertEquals(await store.runs(run.chat), [again]);
      assertEquals((await store.read(again.id, 0, 10)).length, 2);
    },
  );

  test("remove() takes a tree of runs with long logs, and no other's", async (store) => {
    const chat = newChatId();
    const others: RunRow[] = [];
    const mine: string[] = [];
    let parent: string | null = null;
    for (let i = 0; i < 12; i++) {
      const run: RunRow = await created(store, ask({ chat, parent }));
      const other = await created(store, ask());
      for (let from = 2; from < 200; from += 33) {
        const entries = Array.from({ length: 33 }, (_, n) => delta(from + n));
        await Promise.all([
          store.append(run.id, 1, entries),
          store.append(other.id, 1, entries),
        ]);
      }
      await store.append(run.id, 1, [delta(200)], seal());
      mine.push(run.id);
      others.push(other);
      parent = mine[Math.floor(i / 2)]!;
    }
    assertEquals(await store.remove("ann", chat), true);
    for (const id of mine) assertEquals(await store.read(id, 0, 1000), []);
    for (const { id } of others) {
      const log = await store.read(id, 0, 1000);
      assertEquals(log.map(({ seq }) => seq), range(199));
      assertEquals(await store.append(id, 1, [delta(200)]), "ok");
    }
    // Places that became free are taken by new logs, and mixed up with none.
    const next = await created(store, ask());
    const entries = Array.from({ length: 199 }, (_, n) => delta(n + 2, "new"));
    await store.append(next.id, 1, entries);
    const log = await store.read(next.id, 1, 1000);
    assertEquals(log.map(({ json }) => json), entries.map(({ json }) => json));
  });

  test(
    "removeOlder() takes old chats nobody waits in, whoever's, so many at a time",
    async (store, clock) => {
      const old = [
        await asked(store, {}),
        await asked(store, { owner: "ben" }),
        await asked(store, { newChatHidden: true }),
      ];
      const running = await created(store, ask());
      const waiting = await created(store, ask());
      await store.enqueue(waits(waiting.chat));
      await store.append(waiting.id, 1, [delta(2)], seal("stopped"));
      const revived = await asked(store, {});
      clock.pass(1000);
      const before = clock.now();
      const young = await asked(store, {});
      await asked(store, { chat: revived.chat, parent: revived.id });

      assertEquals(await store.removeOlder(before, 0), 0);
      assertEquals(await store.removeOlder(before, 2), 2);
      const left = await Promise.all(old.map(({ id }) => store.run(id)));
      assertEquals(left.filter((run) => run !== null).length, 1);
      assertEquals(await store.removeOlder(before, 10), 1);
      assertEquals(await store.removeOlder(before, 10), 0);
      for (const { id, chat, owner } of old) {
        assertEquals(await store.run(id), null);
        assertEquals(await store.chat(owner, chat), null);
      }
      for (const { id } of [running, waiting, revived, young]) {
        assert(await store.run(id), `run "${id}" is gone`);
      }
      await store.append(running.id, 1, [delta(2)], seal());
      assertEquals(await store.removeOlder(before, 10), 1);
    },
  );

  test("listen() hears of nothing that was done here, and can be ended", async (store) => {
    const heard: unknown[] = [];
    const end = store.listen((news) => heard.push(news));
    await asked(store, {});
    assertEquals(heard, []);
    end();
  });
}

function range(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
