import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { newRunId } from "../../lib/chat/ids.ts";
import { openStore, type RunRow, type Store } from "../../lib/store/mod.ts";
import { ask, created, delta, seal, testInDir } from "./helpers.ts";

const test = (
  sentence: string,
  body: (dir: string, path: string) => Promise<void> | void,
) => testInDir(sentence, (dir) => body(dir, `${dir}/tickertape.db`));

const open = (path: string): Store => openStore({ kind: "sqlite", path });

/** The files of a directory that hold `text`, and how often. */
function found(dir: string, text: string): Record<string, number> {
  const files: Record<string, number> = {};
  for (const { name } of Deno.readDirSync(dir)) {
    const bytes = Deno.readFileSync(`${dir}/${name}`);
    const times = new TextDecoder("latin1").decode(bytes).split(text).length;
    if (times > 1) files[name] = times - 1;
  }
  return files;
}

/** Waits until the marker is in no file, though not for ever. */
async function clean(dir: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (Object.keys(found(dir, "<marker>")).length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Numbers below `below` that are the same for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** A run that says `mark` wherever a chat can hold text, in rows of all sizes. */
async function talk(
  store: Store,
  chat: string,
  mark: string,
  roll: (below: number) => number,
): Promise<void> {
  const words = (most: number) => mark.repeat(1 + roll(most));
  const waiting = {
    id: newRunId(),
    chat,
    owner: "ann",
    text: words(30),
    options: JSON.stringify(mark),
    keep: [{ name: "image-1", text: words(200) }],
    idempotencyKey: mark + newRunId(),
  };
  const run = await created(
    store,
    ask({
      chat,
      newChatTitle: mark,
      text: words(roll(4) === 0 ? 600 : 20),
      options: JSON.stringify(mark),
      newChatSettings: JSON.stringify(mark),
      keep: [{ name: "image-1", text: words(300) }],
      idempotencyKey: mark + newRunId(),
    }),
  );
  await store.enqueue(waiting);
  for (let seq = 2, left = roll(20); left > 0; left--, seq++) {
    await store.append(run.id, 1, [delta(seq, words(8))]);
  }
  await store.answer(run.id, "c1", JSON.stringify(mark));
  await store.keep(run.id, mark, words(100));
  await store.setChat("ann", chat, JSON.stringify(words(30)));
  if (roll(2) === 0) await store.withdraw("ann", chat, waiting.id);
  const { lastSeq } = (await store.run(run.id))!;
  const end = seal("complete", JSON.stringify(words(40)));
  await store.append(run.id, 1, [delta(lastSeq + 1, mark)], end);
}

/** One run with a log of `entries` that all say `mark`. */
async function longTalk(
  store: Store,
  mark: string,
  entries: number,
): Promise<RunRow> {
  const run = await created(store, ask({ text: mark }));
  for (let seq = 2; seq < entries + 2; seq += 1000) {
    const some = Array.from({ length: 1000 }, (_, n) => delta(seq + n, mark));
    await store.append(run.id, 1, some);
  }
  return run;
}

test(
  "P06: a deleted chat's words are in no file, whatever lay beside them",
  async (dir, path) => {
    const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
    console.log(`seed ${seed}`);
    const roll = dice(seed);
    const store = open(path);
    const chats = Array.from({ length: 30 }, (_, index) => ({
      chat: `c_${index}`,
      mark: `<marker ${index}>`,
    }));
    for (let round = 0; round < 3; round++) {
      await Promise.all(
        chats.map(({ chat, mark }) => talk(store, chat, mark, roll)),
      );
    }
    while (chats.length > 20) {
      const [{ chat, mark }] = chats.splice(roll(chats.length), 1) as [
        typeof chats[number],
      ];
      assert(Object.keys(found(dir, mark)).length > 0);
      assertEquals(await store.remove("ann", chat), true);
      assertEquals(found(dir, mark), {});
    }
    for (const { chat, mark } of chats) {
      assertEquals((await store.runs(chat)).length, 3);
      assert(found(dir, mark)["tickertape.db"]! > 3);
    }
    await store.close();
  },
);

test(
  "P06: removeOlder() leaves no words in any file either",
  async (dir, path) => {
    const store = open(path);
    const roll = dice(1);
    await talk(store, "c_1", "<marker 1>", roll);
    await talk(store, "c_2", "<marker 2>", roll);
    for (const { id } of await store.queue("ann", "c_1")) {
      await store.withdraw("ann", "c_1", id);
    }
    for (const { id } of await store.queue("ann", "c_2")) {
      await store.withdraw("ann", "c_2", id);
    }
    assertEquals(await store.removeOlder(Date.now() + 1, 10), 2);
    assertEquals(found(dir, "<marker "), {});
    await store.close();
  },
);

test(
  "P06: remove() waits for who reads in the log, and comes back to it",
  async (dir, path) => {
    const store = open(path);
    await talk(store, "c_1", "<marker>", dice(1));
    const reader = new DatabaseSync(path);
    reader.exec("BEGIN; SELECT count(*) FROM chat");
    reader.prepare("SELECT count(*) FROM chat").get();
    const removed = store.remove("ann", "c_1");
    // It waits, but not for ever: the reader may be a person's open shell.
    assertEquals(await removed, true);
    assert(found(dir, "<marker>")["tickertape.db-wal"]);
    assertEquals(await store.chat("ann", "c_1"), null);
    reader.exec("COMMIT");
    reader.close();
    // The next deletion does it, did not the clock come first.
    const other = await created(store, ask());
    assertEquals(await store.remove("ann", other.chat), true);
    assertEquals(found(dir, "<marker>"), {});
    await store.close();
  },
);

test("P06: remove() of a long chat holds up nobody", async (dir, path) => {
  const store = open(path);
  const { id, chat } = await longTalk(store, "<marker>", 50_000);
  const other = await created(store, ask());
  // So large a file is not written anew for a deletion.
  await store.keep(other.id, "ballast", "x".repeat(17_000_000));
  let done = false;
  const start = performance.now();
  const removed = store.remove("ann", chat).finally(() => done = true);
  let longest = 0, appended = 0;
  for (let seq = 2, last = start; !done; seq++, appended++) {
    assertEquals(await store.append(other.id, 1, [delta(seq)]), "ok");
    // From the first commit on, long before all rows are gone.
    assertEquals(await store.run(id), null);
    assertEquals((await store.read(id, 0, 10)).length, 0);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  assertEquals(await removed, true);
  const ms = Math.round(performance.now() - start);
  console.log(
    `50,000 entries gone in ${ms} ms; ${appended} appends beside it, the ` +
      `slowest took ${Math.round(longest)} ms (goal 100 ms)`,
  );
  assert(appended > 10, `only ${appended} appends`);
  // A deletion in one piece would block for a good part of all this time.
  assert(longest < ms / 2, `blocked for ${longest} of ${ms} ms`);
  assertEquals(found(dir, "<marker>"), {});
  await store.close();
});

test(
  "P06: a chat whose deletion was cut off by kill -9 is gone, and its words soon",
  async (dir, path) => {
    const store = open(path);
    const { id, chat } = await longTalk(store, "<marker>", 50_000);
    await store.append(id, 1, [delta(50_002)], seal());
    await created(store, ask({ text: "<stays>" }));

    const script = new URL("./remove_and_hang.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "-A", script, path, chat],
      stdout: "piped",
    }).spawn();
    let said = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      if (said === "") child.kill("SIGKILL");
      said += text;
    }
    assertEquals(said, "unlinked\n");
    assertEquals((await child.status).signal, "SIGKILL");
    assert(found(dir, "<marker>")["tickertape.db"]! > 1000);

    // A neighbour that was there all the time.
    assertEquals(await store.chat("ann", chat), null);
    assertEquals(await store.run(id), null);
    assertEquals(await store.runs(chat), []);
    // Its sweep sees to the rest.
    await store.takeExpired("node-2", 1000);
    await clean(dir);
    assertEquals(found(dir, "<marker>"), {});
    assertEquals((await store.chats("ann", 10)).length, 1);
    await store.close();
  },
);

test(
  "P06: a store closed in mid-deletion leaves the rest to the next one",
  async (dir, path) => {
    const first = open(path);
    const { chat } = await longTalk(first, "<marker>", 20_000);
    const removed = first.remove("ann", chat);
    while (await first.chat("ann", chat) !== null) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await first.close();
    assertEquals(await removed, true);
    assert(found(dir, "<marker>")["tickertape.db"]! > 1000);
    const next = open(path);
    // The opening alone sees to it.
    await clean(dir);
    assertEquals(found(dir, "<marker>"), {});
    await next.close();
  },
);

test("a message is sent once by two stores on one file", async (_, path) => {
  const stores = [open(path), open(path)];
  const [a, b] = stores as [Store, Store];
  const run = await created(a, ask());
  const ids = Array.from({ length: 10 }, () => newRunId());
  for (const id of ids) {
    const text = "And then?", idempotencyKey = id;
    const { chat, owner } = run;
    await b.enqueue({
      ...{ id, chat, owner, text, idempotencyKey },
      options: "{}",
      keep: [],
    });
  }
  await a.append(run.id, 1, [delta(2)], seal());
  for (const id of ids) {
    const [due] = await a.due(1);
    assertEquals(due, (await b.due(1))[0]);
    assertEquals(due!.id, id);
    const outcomes = await Promise.all(
      stores.map((store) => store.create(ask({ chat: run.chat, queued: id }))),
    );
    const kinds = outcomes.map(({ kind }) => kind).sort();
    assertEquals(kinds, ["created", "gone"]);
    const { run: sent } = outcomes.find(({ kind }) => kind === "created") as {
      run: RunRow;
    };
    assertEquals(await b.due(1), []);
    await a.append(sent.id, 1, [delta(2)], seal());
  }
  assertEquals((await b.runs(run.chat)).length, 11);
  await a.close();
  await b.close();
});
