/**
 * The storage contract, fourth part: what people chose, what a question brought
 * along, and notes that belong to no chat.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Case } from "./contract.ts";
import { ask, created, delta, seal } from "./helpers.ts";

/** JSON as `JSON.stringify` writes it, with everything engines stumble over. */
const ODD = JSON.stringify({ a: "a\0b \ud800 😀 公交 '\"\\ \u2028", b: 1e21 });
const UNSTORABLE = ["a\0b", "\ud800", undefined as unknown as string];

export function noteCases(test: Case): void {
  test("create() keeps options with the run, and settings with a new chat only", async (store) => {
    const one = await created(
      store,
      ask({ options: ODD, newChatSettings: ODD, newChatHidden: true }),
    );
    assertEquals(one.options, ODD);
    await store.append(one.id, 1, [delta(2)], seal());
    const two = await created(
      store,
      ask({
        chat: one.chat,
        newChatTitle: "Other",
        options: "[]",
        newChatSettings: "[]",
        newChatHidden: false,
      }),
    );
    const options = (await store.runs(one.chat)).map((run) => run.options);
    assertEquals(options, [ODD, "[]"]);
    assertEquals((await store.run(two.id))!.options, "[]");
    const chat = (await store.chat("ann", one.chat))!;
    assertEquals([chat.title, chat.settings, chat.hidden], [
      "Title",
      ODD,
      true,
    ]);
  });

  test(
    "setChat() is for the chat's owner alone, and moves it nowhere",
    async (store, clock) => {
      const one = await created(store, ask());
      const two = await created(store, ask());
      clock.pass(1000);
      const before = (await store.chat("ann", one.chat))!;
      assertEquals(await store.setChat("ann", one.chat, ODD), true);
      assertEquals(await store.setChat("ben", one.chat, "[]"), false);
      assertEquals(await store.setChat("ann", "c_none", "[]"), false);
      const after = { ...before, settings: ODD };
      assertEquals(await store.chat("ann", one.chat), after);
      assertEquals((await store.chat("ann", two.chat))!.settings, "{}");
      const list = await store.chats("ann", 10);
      assertEquals(list.map((chat) => chat.id), [two.chat, one.chat]);
      assertEquals(list[1], after);
    },
  );

  test("chats() leaves out hidden chats, which answer like any other", async (store) => {
    const shown = [];
    for (let i = 0; i < 6; i++) {
      const { id, chat } = await created(
        store,
        ask({ newChatHidden: i % 2 === 1 }),
      );
      await store.append(id, 1, [delta(2)], seal());
      if (i % 2 === 0) shown.unshift(chat);
      else await created(store, ask({ chat, newChatTitle: null }));
    }
    const ids = async (limit: number) =>
      (await store.chats("ann", limit)).map((chat) => chat.id);
    assertEquals(await ids(100), shown);
    assertEquals(await ids(2), shown.slice(0, 2));
  });

  test("create() keeps what the question brought along, in the same step", async (store) => {
    const image = "data:image/png;base64," + "A".repeat(3_000_000);
    const odd = "长\u0000\ud800 👍";
    const input = ask({
      keep: [{ name: "image-1", text: image }, { name: "image-2", text: odd }],
      idempotencyKey: "k",
    });
    // Read without waiting for the answer: there is no moment in between.
    const [outcome] = await Promise.all([
      store.create(input),
      store.append(input.run, 1, [delta(2)], seal()),
    ]);
    assertEquals(outcome.kind, "created");
    assert(await store.kept(input.run, "image-1") === image);
    assert(await store.kept(input.run, "image-2") === odd);
    assertEquals(await store.kept(input.run, "image-3"), null);

    const again = ask({
      idempotencyKey: "k",
      keep: [{ name: "image-1", text: "other" }],
    });
    assertEquals((await store.create(again)).kind, "existing");
    assert(await store.kept(input.run, "image-1") === image);
    assertEquals(await store.kept(again.run, "image-1"), null);
  });

  test("create() that makes no run keeps nothing and changes no chat", async (store) => {
    const run = await created(store, ask());
    const wanted = {
      keep: [{ name: "image-1", text: "x" }],
      newChatSettings: "[]",
      newChatHidden: true,
    };
    const refused = [
      ask({ ...wanted, chat: run.chat }),
      ask({ ...wanted, chat: run.chat, owner: "ben" }),
      ask({ ...wanted, newChatTitle: null }),
      ask({ ...wanted, parent: run.id }),
    ];
    for (const input of refused) {
      await store.create(input).catch(() => null);
      assertEquals(await store.run(input.run), null);
      assertEquals(await store.kept(input.run, "image-1"), null);
    }
    const chat = (await store.chat("ann", run.chat))!;
    assertEquals([chat.settings, chat.hidden], ["{}", false]);
  });

  test("streaming X08: options, settings and names that cannot be stored are rejected", async (store) => {
    const run = await created(store, ask());
    for (const bad of UNSTORABLE) {
      const inputs = [
        ask({ options: bad }),
        ask({ newChatSettings: bad }),
        ask({ keep: [{ name: bad, text: "" }] }),
      ];
      for (const input of inputs) {
        await assertRejects(() => store.create(input), TypeError);
        assertEquals(await store.chat("ann", input.chat), null);
      }
      const set = () => store.setChat("ann", run.chat, bad);
      await assertRejects(set, TypeError);
      await assertRejects(() => store.putNote(bad, "k", "{}"), TypeError);
      await assertRejects(() => store.putNote("s", bad, "{}"), TypeError);
      await assertRejects(() => store.putNote("s", "k", bad), TypeError);
    }
    assertEquals((await store.chat("ann", run.chat))!.settings, "{}");
    assertEquals(await store.notes("s"), []);
  });

  test("putNote() puts a note in the place of one with its key", async (store) => {
    assertEquals(await store.note("pins", "a"), null);
    await store.putNote("pins", "a", "1");
    await store.putNote("pins", "a", ODD);
    await store.putNote("tokens", "a", "{}");
    await store.putNote("", "", "");
    assertEquals(await store.note("pins", "a"), ODD);
    assertEquals(await store.note("tokens", "a"), "{}");
    assertEquals(await store.note("", ""), "");
    assertEquals(await store.note("pins", "A"), null);
    assertEquals(await store.notes("pins"), [{ key: "a", json: ODD }]);
    assertEquals(await store.notes("none"), []);
  });

  test("notes() come by key, in the order of their code points", async (store) => {
    const keys = ["b", "a", "ab", "", "B", "é", "公", "\uffee", "😀", "😀a"];
    await Promise.all(keys.map((key) => store.putNote("s", key, `"${key}"`)));
    const found = await store.notes("s");
    assertEquals(
      found.map((note) => note.key),
      ["", "B", "a", "ab", "b", "é", "公", "\uffee", "😀", "😀a"],
    );
    assert(found.every(({ key, json }) => json === `"${key}"`));
  });

  test("dropNote() takes a note away, once", async (store) => {
    await store.putNote("s", "a", "1");
    await store.putNote("s", "b", "2");
    await store.putNote("t", "a", "3");
    const dropped = await Promise.all(
      Array.from({ length: 50 }, () => store.dropNote("s", "a")),
    );
    assertEquals(dropped, [true, ...Array(49).fill(false)]);
    assertEquals(await store.notes("s"), [{ key: "b", json: "2" }]);
    assertEquals(await store.note("t", "a"), "3");
    assertEquals(await store.dropNote("none", "a"), false);
    await store.putNote("s", "a", "4");
    assertEquals(await store.note("s", "a"), "4");
  });
}
