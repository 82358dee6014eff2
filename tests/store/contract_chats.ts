/**
 * The storage contract, first part: asking, and finding what was asked.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { newChatId } from "../../lib/chat/ids.ts";
import type { NewRun } from "../../lib/store/mod.ts";
import type { Case } from "./contract.ts";
import { ask, created, delta, LEASE_MS, seal } from "./helpers.ts";

export function chatCases(test: Case): void {
  test(
    "create() commits chat, message, run and first entry at once",
    async (store, clock) => {
      const input = ask({
        newChatTitle: "Buses",
        text: "When does it leave?",
        options: '{"model":"big"}',
        newChatSettings: '{"temperature":0}',
      });
      const run = await created(store, input);
      assertEquals(run, {
        id: input.run,
        chat: input.chat,
        owner: "ann",
        parent: null,
        text: "When does it leave?",
        options: '{"model":"big"}',
        status: "running",
        epoch: 1,
        leaseOwner: "node-1",
        leaseUntil: clock.now() + LEASE_MS,
        stopRequested: false,
        lastSeq: 1,
        message: null,
        createdAt: clock.now(),
        endedAt: null,
      });
      assertEquals(await store.run(run.id), run);
      assertEquals(await store.read(run.id, 0, 10), [
        { epoch: 1, seq: 1, json: JSON.stringify(input.begin[0]) },
      ]);
      assertEquals(await store.chat("ann", run.chat), {
        id: run.chat,
        owner: "ann",
        title: "Buses",
        createdAt: clock.now(),
        updatedAt: clock.now(),
        activeRun: run.id,
        settings: '{"temperature":0}',
        hidden: false,
        leaf: run.id,
      });
    },
  );

  test("safety R11: one key given 50 times in parallel makes one run", async (store) => {
    const outcomes = await Promise.all(
      Array.from(
        { length: 50 },
        () => store.create(ask({ idempotencyKey: "k" })),
      ),
    );
    const kinds = outcomes.map((outcome) => outcome.kind);
    assertEquals(kinds, ["created", ...Array(49).fill("existing")]);
    const ids = outcomes.map((o) => "run" in o ? o.run.id : null);
    assertEquals(new Set(ids).size, 1);
    assertEquals((await store.chats("ann", 100)).length, 1);
  });

  test(
    "create() gives the run of a known key after it ended, and for 24 h only",
    async (store, clock) => {
      const run = await created(store, ask({ idempotencyKey: "k" }));
      await store.append(run.id, 1, [delta(2)], seal());
      clock.pass(24 * 3600_000 - 1);
      const again = await store.create(ask({ idempotencyKey: "k" }));
      assertEquals(again, {
        kind: "existing",
        run: (await store.run(run.id))!,
      });
      clock.pass(1);
      const later = await store.create(ask({ idempotencyKey: "k" }));
      assertEquals(later.kind, "created");
      const third = await store.create(ask({ idempotencyKey: "k" }));
      assert(later.kind === "created" && third.kind === "existing");
      assertEquals(third.run.id, later.run.id);
    },
  );

  test("create() keeps the keys of two owners apart", async (store) => {
    await created(store, ask({ idempotencyKey: "k", owner: "ann" }));
    await created(store, ask({ idempotencyKey: "k", owner: "ben" }));
  });

  test("safety R12: create() in a chat with a running run gives that run and writes nothing", async (store) => {
    const run = await created(store, ask());
    const second = ask({
      chat: run.chat,
      newChatTitle: null,
      parent: run.id,
      idempotencyKey: "k",
    });
    assertEquals(await store.create(second), { kind: "active", run });
    assertEquals(await store.run(second.run), null);
    assertEquals(await store.runs(run.chat), [run]);
    // Nothing was written, so the key is still free.
    await store.append(run.id, 1, [delta(2)], seal());
    await created(store, second);
  });

  test("create() knows no chat that is missing or another owner's", async (store) => {
    const missing = ask({ newChatTitle: null });
    assertEquals(await store.create(missing), { kind: "no-chat" });
    const { chat } = await created(store, ask({ owner: "ann" }));
    for (const newChatTitle of [null, "Mine now"]) {
      const foreign = ask({ owner: "ben", chat, newChatTitle });
      assertEquals(await store.create(foreign), { kind: "no-chat" });
      assertEquals(await store.run(foreign.run), null);
    }
  });

  test("create() rejects a parent from another chat, and a run id twice", async (store) => {
    const one = await created(store, ask());
    const wrong = ask({ parent: one.id });
    const error = await assertRejects(() => store.create(wrong), RangeError);
    assertStringIncludes(error.message, `has no such run`);
    assertEquals(await store.chat("ann", wrong.chat), null);
    await assertRejects(() => store.create(ask({ run: one.id })), Error);
  });

  test("create() rejects ids and keys that could be mixed up", async (store) => {
    for (const bad of ["a\0b", "\ud800"]) {
      for (const field of ["run", "chat", "owner", "idempotencyKey"] as const) {
        const input = ask({ [field]: bad });
        await assertRejects(() => store.create(input), TypeError);
      }
    }
  });

  test(
    "chats() are the owner's own, last asked first, whatever the clock says (N12)",
    async (store, clock) => {
      const [a, b, c] = [newChatId(), newChatId(), newChatId()];
      const say = async (chat: string, more: Partial<NewRun> = {}) => {
        const run = await created(store, ask({ chat, ...more }));
        await store.append(run.id, 1, [delta(2)], seal());
        clock.pass(-60_000);
      };
      await say(a);
      await say(b);
      await say(newChatId(), { owner: "ben" });
      await say(c);
      await say(a, { newChatTitle: null });
      const ids = async (limit: number) =>
        (await store.chats("ann", limit)).map((chat) => chat.id);
      assertEquals(await ids(10), [a, c, b]);
      assertEquals(await ids(2), [a, c]);
      assertEquals(await ids(0), []);
      assertEquals(await store.chat("ben", a), null);
      assertEquals(await store.chat("ann", newChatId()), null);
      const chat = (await store.chat("ann", a))!;
      assertEquals(chat.createdAt - chat.updatedAt, 4 * 60_000);
    },
  );

  test(
    "runs() come in the order asked, whatever the clock says (N12)",
    async (store, clock) => {
      const chat = newChatId();
      let parent: string | null = null;
      const asked: string[] = [];
      for (let i = 0; i < 5; i++) {
        const run = await created(store, ask({ chat, parent, text: `q${i}` }));
        await store.append(run.id, 1, [delta(2)], seal());
        asked.push(run.id);
        parent = run.id;
        clock.pass(-1000);
      }
      await created(store, ask());
      const rows = await store.runs(chat);
      assertEquals(rows.map((row) => row.id), asked);
      assertEquals(rows.map((row) => row.parent), [null, ...asked.slice(0, 4)]);
      assertEquals(rows.map((row) => row.text), ["q0", "q1", "q2", "q3", "q4"]);
      assertEquals(await store.runs(newChatId()), []);
    },
  );

  test("streaming X08, safety R31: every text comes back byte for byte", async (store) => {
    const odd = [
      "a\0b",
      "lone \ud800 and \udfff",
      "😀👩‍👩‍👧 下一班从火车站到大学城的公交几点？",
      "\r\n\u2028\u2029\u0085\ufeff\u200b\"\\'",
      "",
      "x".repeat(70_000),
      "公".repeat(5_000_000 / 3),
    ];
    for (const text of odd) {
      const title = text.slice(0, 100);
      const run = await created(store, ask({ text, newChatTitle: title }));
      const json = JSON.stringify({ type: "text-delta", delta: text });
      await store.append(run.id, 1, [{ seq: 2, json }], seal("complete", json));
      const row = (await store.run(run.id))!;
      assert(row.text === text && row.message === json);
      assert((await store.read(run.id, 1, 1))[0]!.json === json);
      assertEquals((await store.chat("ann", run.chat))!.title, title);
    }
  });
}
