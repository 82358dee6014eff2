/** Two owners of runs on one store: what one writes, the other's readers read. */
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import type { Entry } from "../../lib/runs/mod.ts";
import { openStore, type Store } from "../../lib/store/mod.ts";
import { databaseForTests, postgresTest } from "../helpers/postgres.ts";
import { drain, folded, open, stage } from "../helpers/run_stage.ts";

/** Two ways into one database, and what ends them. */
interface Engine extends AsyncDisposable {
  a: Store;
  b: Store;
}

function memory(): Engine {
  const store = openStore({ kind: "memory" });
  return { a: store, b: store, [Symbol.asyncDispose]: () => store.close() };
}

async function sqlite(): Promise<Engine> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/tickertape.db`;
  const [a, b] = [0, 1].map(() => openStore({ kind: "sqlite", path }));
  return {
    a: a!,
    b: b!,
    async [Symbol.asyncDispose]() {
      await a!.close();
      await b!.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function postgres(): Promise<Engine> {
  const database = await databaseForTests();
  const { url } = database;
  const a = await openStore({ kind: "postgres", url });
  const b = await openStore({ kind: "postgres", url });
  return {
    a,
    b,
    async [Symbol.asyncDispose]() {
      await a.close();
      await b.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

const bytesOf = (entries: Entry[]) =>
  entries.map(({ epoch, seq, json }) => `${epoch}-${seq} ${json}`);

async function readersAgree(engine: Engine): Promise<void> {
  const { a, b } = engine;
  await using here = stage({ store: a });
  await using there = stage({ store: b });
  const { run } = await here.start();
  const puppet = await here.model.next();
  const readers = [
    drain(await open(here.runs, run)),
    drain(await open(there.runs, run)),
  ];
  const read = (text: string) => committed(b, run, text);
  puppet.emit({ type: "reasoning", delta: "Let me see… " });
  puppet.say("one é ", "👩‍👩‍👧 ");
  await read("👩‍👩‍👧");
  readers.push(drain(await open(there.runs, run)));
  puppet.say("\u0000 two ", "a\r\nb ");
  await read("two");
  // As a page does that comes back through the other instance.
  const { lastSeq, epoch } = (await b.run(run))!;
  const cursor = `${run}.${epoch}-${lastSeq}`;
  const resumed = await there.runs.read("me", run, cursor);
  assert(resumed.kind === "reader" && !resumed.resync);
  const tail = drain(resumed.reader);
  puppet.say("three").finish();
  const lists = (await Promise.all(readers)).map(bytesOf);
  lists.push(bytesOf(await drain(await open(there.runs, run))));
  for (const list of lists) assertEquals(list, lists[0]);
  assertEquals(bytesOf(await tail), lists[0]!.slice(lastSeq));
  const answer = folded(await drain(await open(here.runs, run)));
  assertEquals(answer.status, "complete");
  assertEquals(answerText(answer), "one é 👩‍👩‍👧 \u0000 two a\r\nb three");
  assertEquals([here.model.count, there.model.count], [1, 0]);
}

/** Resolves once an entry of the run holds this. */
async function committed(store: Store, run: string, text: string) {
  const limit = performance.now() + 10_000;
  while (!(await store.read(run, 0, 100)).some((e) => e.json.includes(text))) {
    assert(performance.now() < limit, `"${text}" was never committed`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

Deno.test("safety R21: two Runs on one memory store: readers of both get the same bytes", async () => {
  await using engine = memory();
  await readersAgree(engine);
});

Deno.test("safety R21: two Runs on one SQLite file: readers of both get the same bytes", async () => {
  await using engine = await sqlite();
  await readersAgree(engine);
});

postgresTest(
  "safety R21: two Runs on one Postgres: readers of both get the same bytes",
  async () => {
    await using engine = await postgres();
    await readersAgree(engine);
  },
);

Deno.test("safety R12: a chat looked at while a waiting message is asked elsewhere has it in the queue or among the turns", async () => {
  await using engine = memory();
  const { a } = engine;
  // What `here` reads of the runs is old by the time it has it.
  let meanwhile = () => Promise.resolve();
  const slow = new Proxy(a, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name !== "runs") return member.bind(target);
      return async (chat: string) => {
        const rows = await target.runs(chat);
        await meanwhile();
        return rows;
      };
    },
  });
  await using here = stage({ store: slow });
  await using there = stage({ store: a });
  const { chat } = await there.start("first");
  const waits = await there.runs.start({
    owner: "me",
    chat,
    text: "second",
    queue: true,
  });
  assertEquals(waits.kind, "queued");
  const puppet = await there.model.next();
  meanwhile = async () => {
    meanwhile = () => Promise.resolve();
    puppet.say("1").finish();
    await there.model.next();
  };
  const view = (await here.runs.chat("me", chat))!;
  const seen = [...view.turns, ...view.queue].map(({ text }) => text);
  assertEquals(seen, ["first", "second"]);
});
