/**
 * The storage contract, fifth part: messages that wait until their chat's run is
 * over.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { newRunId } from "../../lib/chat/ids.ts";
import {
  type NewMessage,
  QUEUE_LIMIT,
  type QueuedRow,
  type RunRow,
  type Seal,
  type Store,
} from "../../lib/store/mod.ts";
import type { Case } from "./contract.ts";
import { ask, created, delta, seal } from "./helpers.ts";

const DAY = 24 * 3600_000;

/** A message of "ann" for the chat, unless told otherwise. */
function message(chat: string, input: Partial<NewMessage> = {}): NewMessage {
  return {
    id: newRunId(),
    chat,
    owner: "ann",
    text: "And then?",
    options: "{}",
    keep: [],
    idempotencyKey: null,
    ...input,
  };
}

/** Lets a message wait and gives it; fails for any other outcome. */
async function queued(store: Store, input: NewMessage): Promise<QueuedRow> {
  const outcome = await store.enqueue(input);
  if (outcome.kind !== "queued") throw new Error(`enqueue: ${outcome.kind}`);
  return outcome.message;
}

async function end(store: Store, run: RunRow, status?: Seal["status"]) {
  const { lastSeq, epoch } = (await store.run(run.id))!;
  const sealed = await store.append(
    run.id,
    epoch,
    [delta(lastSeq + 1)],
    seal(status),
  );
  assertEquals(sealed, "ok");
}

const ids = (rows: { id: string }[]) => rows.map(({ id }) => id);

export function queueCases(test: Case): void {
  test(
    "safety R12: enqueue() keeps a message whole, behind those that wait",
    async (store, clock) => {
      const { chat } = await created(store, ask());
      const odd = message(chat, {
        text: "a\0b \ud800 公交 😀",
        options: '{"model":"big"}',
        keep: [{ name: "image-1", text: "\ud800" + "A".repeat(70_000) }],
        idempotencyKey: "k",
      });
      const first = await queued(store, odd);
      const { idempotencyKey, keep, text, options, id } = odd;
      assertEquals(first, {
        ...{ id, chat, owner: "ann", text, options, keep, idempotencyKey },
        now: false,
        createdAt: clock.now(),
      });
      clock.pass(-60_000);
      const second = await queued(store, message(chat));
      assertEquals(await store.queue("ann", chat), [first, second]);
      assertEquals(await store.queue("ben", chat), []);
      assertEquals(await store.queue("ann", "c_none"), []);
    },
  );

  test("safety R31: a waiting message of 5 MB comes back byte for byte", async (store) => {
    const { chat } = await created(store, ask());
    for (const text of ["x".repeat(70_000), "公".repeat(5_000_000 / 3)]) {
      const { id } = await queued(store, message(chat, { text }));
      const waiting = await store.queue("ann", chat);
      assert(waiting.find((row) => row.id === id)!.text === text);
      assert((await store.withdraw("ann", chat, id))!.text === text);
    }
  });

  test("enqueue() is idle without a running run, whoever waits there", async (store) => {
    const run = await created(store, ask());
    const { chat } = run;
    await queued(store, message(chat));
    await end(store, run, "stopped");
    const late = message(chat, { idempotencyKey: "k" });
    assertEquals(await store.enqueue(late), { kind: "idle" });
    assertEquals((await store.queue("ann", chat)).length, 1);
    // Nothing was written, so the key is free.
    await created(store, ask({ idempotencyKey: "k" }));
  });

  test("enqueue() waits behind a parked run too", async (store, clock) => {
    const run = await created(store, ask());
    await store.park(run.id, 1, clock.now() + 1000, []);
    await queued(store, message(run.chat));
    assertEquals(await store.due(10), []);
  });

  test("enqueue() knows no chat that is missing or another owner's", async (store) => {
    const { chat } = await created(store, ask());
    const wrong = [message(chat, { owner: "ben" }), message("c_none")];
    for (const input of wrong) {
      assertEquals(await store.enqueue(input), { kind: "no-chat" });
    }
    assertEquals(await store.queue("ann", chat), []);
  });

  test("enqueue() lets so many messages wait and no more", async (store) => {
    const { chat } = await created(store, ask());
    const other = await created(store, ask());
    const outcomes = await Promise.all(
      Array.from(
        { length: QUEUE_LIMIT + 2 },
        () => store.enqueue(message(chat)),
      ),
    );
    assertEquals(
      outcomes.map(({ kind }) => kind),
      [...Array(QUEUE_LIMIT).fill("queued"), "full", "full"],
    );
    await queued(store, message(other.chat));
    const [next] = await store.queue("ann", chat);
    await store.withdraw("ann", chat, next!.id);
    await queued(store, message(chat));
  });

  test("enqueue() rejects an id twice, and what cannot be stored", async (store) => {
    const { chat } = await created(store, ask());
    const first = await queued(store, message(chat));
    await assertRejects(() => store.enqueue(message(chat, { id: first.id })));
    for (const bad of ["a\0b", "\ud800"]) {
      const fields = ["id", "chat", "owner", "options", "idempotencyKey"];
      for (const field of fields) {
        const input = message(chat, { [field]: bad });
        await assertRejects(() => store.enqueue(input), TypeError);
      }
      const input = message(chat, { keep: [{ name: bad, text: "" }] });
      await assertRejects(() => store.enqueue(input), TypeError);
    }
    assertEquals(await store.queue("ann", chat), [first]);
  });

  test(
    "N10: a waiting message's key gives that message, however long it waits",
    async (store, clock) => {
      const { chat } = await created(store, ask());
      const outcomes = await Promise.all(
        Array.from(
          { length: 50 },
          () => store.enqueue(message(chat, { idempotencyKey: "k" })),
        ),
      );
      const kinds = outcomes.map(({ kind }) => kind);
      assertEquals(kinds, ["queued", ...Array(49).fill("waiting")]);
      const [waiting] = await store.queue("ann", chat);
      clock.pass(3 * DAY);
      const again = await store.enqueue(message(chat, { idempotencyKey: "k" }));
      assertEquals(again, { kind: "waiting", message: waiting! });
      const asked = ask({ idempotencyKey: "k" });
      assertEquals(await store.create(asked), {
        kind: "waiting",
        message: waiting!,
      });
      assertEquals(await store.chat("ann", asked.chat), null);
      // Another owner's key is another key.
      await created(store, ask({ idempotencyKey: "k", owner: "ben" }));
    },
  );

  test(
    "N10: a run's key gives enqueue() that run, for 24 h",
    async (store, clock) => {
      const run = await created(store, ask({ idempotencyKey: "k" }));
      const again = message(run.chat, { idempotencyKey: "k" });
      assertEquals(await store.enqueue(again), { kind: "existing", run });
      assertEquals(await store.queue("ann", run.chat), []);
      clock.pass(DAY);
      assertEquals((await store.enqueue(again)).kind, "queued");
    },
  );

  test(
    "N10: a withdrawn message is not brought back by its key for 24 h",
    async (store, clock) => {
      const { chat } = await created(store, ask());
      const first = await queued(
        store,
        message(chat, { idempotencyKey: "k", text: "No, wait" }),
      );
      clock.pass(1000);
      assertEquals(await store.withdraw("ann", chat, first.id), first);
      assertEquals(await store.queue("ann", chat), []);
      clock.pass(DAY - 1);
      const again = message(chat, { idempotencyKey: "k" });
      const asked = ask({ idempotencyKey: "k" });
      assertEquals(await store.enqueue(again), { kind: "withdrawn" });
      assertEquals(await store.create(asked), { kind: "withdrawn" });
      assertEquals(await store.run(asked.run), null);
      clock.pass(1);
      assertEquals((await store.enqueue(again)).kind, "queued");
    },
  );

  test("withdraw() takes a message once, and only its owner's", async (store) => {
    const { chat } = await created(store, ask());
    const other = await created(store, ask());
    const { id } = await queued(store, message(chat));
    assertEquals(await store.withdraw("ben", chat, id), null);
    assertEquals(await store.withdraw("ann", other.chat, id), null);
    const taken = await Promise.all(
      Array.from({ length: 20 }, () => store.withdraw("ann", chat, id)),
    );
    assertEquals(taken.filter((row) => row !== null).length, 1);
    assertEquals(await store.withdraw("ann", chat, "m_none"), null);
  });

  test("reorder() takes exactly those that wait, or changes nothing", async (store) => {
    const { chat } = await created(store, ask());
    const other = await created(store, ask());
    const [a, b, c] = [
      (await queued(store, message(chat))).id,
      (await queued(store, message(chat))).id,
      (await queued(store, message(chat))).id,
    ];
    const foreign = (await queued(store, message(other.chat))).id;
    const order = async () => ids(await store.queue("ann", chat));
    assertEquals(await store.reorder("ann", chat, [c, a, b]), true);
    assertEquals(await order(), [c, a, b]);
    const wrong = [[], [a, b], [a, b, b], [a, b, c, c], [a, b, foreign]];
    for (const wanted of wrong) {
      assertEquals(await store.reorder("ann", chat, wanted), false);
    }
    assertEquals(await store.reorder("ben", chat, [a, b, c]), false);
    assertEquals(await store.reorder("ben", chat, []), false);
    assertEquals(await store.reorder("ann", "c_none", []), false);
    assertEquals(await order(), [c, a, b]);
    // Who comes later waits behind them all.
    const d = (await queued(store, message(chat))).id;
    assertEquals(await order(), [c, a, b, d]);
  });

  test("hurry() makes a message the next one, not waiting for a good end", async (store) => {
    const run = await created(store, ask());
    const { chat } = run;
    const [a, b, c] = [
      await queued(store, message(chat)),
      await queued(store, message(chat)),
      await queued(store, message(chat)),
    ];
    assertEquals(await store.hurry("ben", chat, c.id), false);
    assertEquals(await store.hurry("ann", chat, "m_none"), false);
    assertEquals(await store.hurry("ann", chat, b.id), true);
    assertEquals(await store.hurry("ann", chat, c.id), true);
    assertEquals(await store.queue("ann", chat), [
      { ...c, now: true },
      { ...b, now: true },
      a,
    ]);
    assertEquals(await store.due(10), []);
    await end(store, run, "stopped");
    assertEquals(await store.due(10), [{ ...c, now: true }]);
  });

  test("due() gives the first of a chat after a complete answer only", async (store) => {
    const ends = ["complete", "stopped", "failed", "interrupted"] as const;
    for (const status of ends) {
      const run = await created(store, ask());
      const first = await queued(store, message(run.chat));
      await queued(store, message(run.chat));
      assertEquals(await store.due(10), []);
      await end(store, run, status);
      const expected = status === "complete" ? [first] : [];
      assertEquals(await store.due(10), expected);
      for (const { id } of await store.queue("ann", run.chat)) {
        await store.withdraw("ann", run.chat, id);
      }
    }
  });

  test(
    "due() judges by the run that ended last, whatever the clock says (N12)",
    async (store, clock) => {
      const one = await created(store, ask());
      const waiting = await queued(store, message(one.chat));
      await end(store, one, "complete");
      clock.pass(-60_000);
      const two = await created(store, ask({ chat: one.chat, parent: one.id }));
      await end(store, two, "stopped");
      assertEquals(await store.due(10), []);
      // An answer on an older branch counts too: it is the one people just saw.
      clock.pass(-60_000);
      const three = await created(
        store,
        ask({ chat: one.chat, parent: one.id }),
      );
      await end(store, three, "complete");
      assertEquals(await store.due(10), [waiting]);
    },
  );

  test(
    "due() is in the order they came, of all chats, at most so many (N12)",
    async (store, clock) => {
      const runs = [];
      const firsts: string[] = [];
      for (let i = 0; i < 4; i++) {
        const run = await created(store, ask({ owner: `o${i}` }));
        const of = { owner: run.owner };
        firsts.push((await queued(store, message(run.chat, of))).id);
        runs.push(run);
        clock.pass(-1000);
      }
      for (const run of runs.reverse()) await end(store, run);
      assertEquals(ids(await store.due(100)), firsts);
      assertEquals(ids(await store.due(2)), firsts.slice(0, 2));
      assertEquals(await store.due(0), []);
    },
  );

  test("create() takes the message it is, in the same step", async (store) => {
    const run = await created(store, ask());
    const { chat } = run;
    const first = await queued(
      store,
      message(chat, { idempotencyKey: "k", text: "One" }),
    );
    const second = await queued(store, message(chat));
    await end(store, run);
    // Whatever key it is given with: its own stands for the run.
    const send = (input = {}) =>
      ask({ chat, parent: run.id, queued: first.id, ...input });
    const outcomes = await Promise.all([
      store.create(send({ idempotencyKey: "k" })),
      store.create(send({ idempotencyKey: "k" })),
      store.create(send()),
    ]);
    const [sent, ...late] = outcomes;
    assertEquals(sent!.kind, "created");
    assertEquals(late, [{ kind: "gone" }, { kind: "gone" }]);
    assertEquals(ids(await store.queue("ann", chat)), [second.id]);
    assertEquals(await store.due(10), []);
  });

  test(
    "N10: a sent message's key gives its run for 24 h",
    async (store, clock) => {
      const run = await created(store, ask());
      const { chat } = run;
      const keyed = await queued(store, message(chat, { idempotencyKey: "k" }));
      clock.pass(3 * DAY);
      await end(store, run);
      const sent = await created(store, ask({ chat, queued: keyed.id }));
      clock.pass(DAY - 1);
      const again = message(chat, { idempotencyKey: "k" });
      assertEquals(await store.enqueue(again), { kind: "existing", run: sent });
      const asked = await store.create(ask({ idempotencyKey: "k" }));
      assertEquals(asked, { kind: "existing", run: sent });
      clock.pass(1);
      assertEquals((await store.enqueue(again)).kind, "queued");
    },
  );

  test("create() of a message says gone, then active, and writes nothing", async (store) => {
    const run = await created(store, ask());
    const { chat } = run;
    const { id } = await queued(store, message(chat));
    const kind = async (input: Parameters<typeof ask>[0]) => {
      const wanted = ask(input);
      const outcome = await store.create(wanted);
      assertEquals(await store.run(wanted.run), null);
      return outcome.kind;
    };
    assertEquals(await kind({ chat, queued: id }), "active");
    assertEquals(await kind({ chat, queued: "m_none" }), "gone");
    assertEquals(await kind({ queued: id }), "gone");
    assertEquals(await kind({ chat, queued: id, owner: "ben" }), "gone");
    assertEquals(ids(await store.queue("ann", chat)), [id]);
    await end(store, run);
    const wrong = ask({ chat, queued: id, parent: newRunId() });
    await assertRejects(() => store.create(wrong), RangeError);
    assertEquals(ids(await store.queue("ann", chat)), [id]);
    await store.withdraw("ann", chat, id);
    assertEquals(await kind({ chat, queued: id }), "gone");
  });
}
