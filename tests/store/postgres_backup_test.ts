/**
 * Backups of a Postgres database, and the way back.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  backupPostgres,
  restorePostgres,
} from "../../lib/store/postgres_backup.ts";
import { openStore, type Store, StoreError } from "../../lib/store/mod.ts";
import { databaseForTests, postgresTest } from "../helpers/postgres.ts";
import { ask, created, delta, inTempDir, seal } from "./helpers.ts";

const TABLES = [
  ...["chat", "run", "head", "entry", "answer", "kept", "idempotency"],
  ...["queued", "note", "removed", "migration"],
];

function open(url: string): Promise<Store> {
  return openStore({ kind: "postgres", url });
}

function backupTest(
  name: string,
  body: (
    db: Awaited<ReturnType<typeof databaseForTests>>,
    dir: string,
  ) => Promise<void>,
): void {
  postgresTest(name, (db) => inTempDir((dir) => body(db, dir)));
}

backupTest(
  "restorePostgres() brings back every table as it was, and the store goes on",
  async (db, dir) => {
    const store = await open(db.url);
    const odd = "a\0b \ud800 \\N \\. \t\r\n 公交 😀";
    const run = await created(
      store,
      ask({
        ...{ text: odd, newChatTitle: odd, idempotencyKey: "k" },
        keep: [{ name: "image-1", text: odd }],
      }),
    );
    await store.append(run.id, 1, [delta(2, odd)]);
    await store.answer(run.id, "c1", JSON.stringify(odd));
    await store.enqueue({
      ...{ id: "m1", chat: run.chat, owner: "ann", text: odd, options: "{}" },
      ...{ keep: [], idempotencyKey: "q" },
    });
    await store.putNote("shelf", "key", JSON.stringify({ odd }));
    const gone = await created(store, ask());
    await store.remove("ann", gone.chat);
    const over = await created(store, ask());
    await store.append(over.id, 1, [delta(2)], seal("complete", "{}"));

    const file = `${dir}/new/a.pg`;
    const copied = await backupPostgres(db.url, file);
    assertEquals([copied.chats, copied.runs], [2, 2]);
    assertEquals((await Deno.stat(file)).size, copied.bytes);
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    assertEquals((await Array.fromAsync(Deno.readDir(`${dir}/new`))).length, 1);
    await store.close();

    await using other = await databaseForTests();
    assertEquals(await restorePostgres(other.url, file), copied);
    for (const table of TABLES.filter((table) => table !== "migration")) {
      const all = `SELECT * FROM tickertape.${table} ORDER BY 1, 2`
        .replace(table === "removed" ? ", 2" : "\0", "");
      assertEquals(await other.sql(all), await db.sql(all), table);
    }
    const again = await open(other.url);
    assertEquals((await again.run(run.id))!.text, odd);
    assertEquals(await again.kept(run.id, "image-1"), odd);
    assertEquals(await again.append(run.id, 1, [delta(3)]), "ok");
    // Keys go on where they were.
    await created(again, ask());
    assertEquals(await again.answer(run.id, "c2", "{}"), "recorded");
    await again.close();

    // It is not empty any more, and is left as it is.
    const error = await assertRejects(
      () => restorePostgres(other.url, file),
      StoreError,
    );
    assertStringIncludes(error.message, "there is something in it already");
    const taken = await assertRejects(
      () => backupPostgres(db.url, file),
      StoreError,
    );
    assertStringIncludes(taken.message, "a file of that name already");
  },
);

backupTest(
  "safety R28: a backup under load holds a prefix of every log and nothing half",
  async (db, dir) => {
    const store = await open(db.url);
    const runs = await Promise.all(
      Array.from({ length: 20 }, () => created(store, ask())),
    );
    let stopping = false;
    let appended = 0;
    const writers = runs.map(async ({ id }) => {
      for (let seq = 2; !stopping; seq += 2) {
        // Two entries in one step: both are there or none.
        await store.append(id, 1, [delta(seq), delta(seq + 1)]);
        appended += 2;
      }
    });
    while (appended < 1000) await store.run(runs[0]!.id);
    const before = await Promise.all(runs.map(({ id }) => store.run(id)));
    const start = performance.now();
    const from = appended;
    await backupPostgres(db.url, `${dir}/a.pg`);
    const seconds = (performance.now() - start) / 1000;
    const during = appended - from;
    stopping = true;
    await Promise.all(writers);
    assert(during > 0, "nothing was written meanwhile");

    await using other = await databaseForTests();
    await restorePostgres(other.url, `${dir}/a.pg`);
    const restored = await open(other.url);
    for (const [index, { id }] of runs.entries()) {
      const log = await restored.read(id, 0, Infinity);
      const full = await store.read(id, 0, Infinity);
      assertEquals(log, full.slice(0, log.length));
      assertEquals((await restored.run(id))!.lastSeq, log.length);
      assert(log.length >= before[index]!.lastSeq && log.length % 2 === 1);
    }
    await restored.close();
    await store.close();
    console.log(
      `R28: ${Math.round(during / seconds)} entries/s during the backup`,
    );
  },
);

backupTest(
  "restorePostgres() refuses what is torn, flipped, foreign or newer, and writes nothing",
  async (db, dir) => {
    const store = await open(db.url);
    const run = await created(store, ask());
    const entries = Array.from({ length: 3000 }, (_, n) => {
      return delta(n + 2, crypto.randomUUID());
    });
    await store.append(run.id, 1, entries);
    await store.close();
    await backupPostgres(db.url, `${dir}/good.pg`);
    const good = await Deno.readFile(`${dir}/good.pg`);
    const flipped = good.slice();
    flipped[good.length >> 1]! ^= 1;
    const wrong: [string, Uint8Array, StoreError["kind"]][] = [
      ["torn", good.subarray(0, good.length - 9), "damaged"],
      ["short", good.subarray(0, good.length >> 1), "damaged"],
      ["flipped", flipped, "damaged"],
      ["empty", new Uint8Array(0), "damaged"],
      ["sqlite", new TextEncoder().encode("SQLite format 3\0"), "damaged"],
      [
        "newer",
        await gzip(
          JSON.stringify({ format: "tickertape postgres 1", schema: 99 }),
        ),
        "newer",
      ],
      ["foreign", await gzip(JSON.stringify({ format: "x" })), "damaged"],
    ];
    await using other = await databaseForTests();
    for (const [name, bytes, kind] of wrong) {
      await Deno.writeFile(`${dir}/${name}.pg`, bytes);
      const error = await assertRejects(
        () => restorePostgres(other.url, `${dir}/${name}.pg`),
        StoreError,
      );
      assertEquals(error.kind, kind, `${name}: ${error.message}`);
      assert(!error.message.includes(other.password));
    }
    await assertRejects(
      () => restorePostgres(other.url, `${dir}/missing.pg`),
      StoreError,
      "no such file",
    );
    // Still empty: the whole one goes in.
    await restorePostgres(other.url, `${dir}/good.pg`);
  },
);

backupTest(
  "backupPostgres() of a database without our tables says so, and leaves no file",
  async (db, dir) => {
    const error = await assertRejects(
      () => backupPostgres(db.url, `${dir}/a.pg`),
      StoreError,
    );
    assertStringIncludes(error.message, "nothing of ours");
    assertEquals(await Array.fromAsync(Deno.readDir(dir)), []);
  },
);

async function gzip(json: string): Promise<Uint8Array> {
  const text = new TextEncoder().encode(json);
  const frame = new Uint8Array([0, 0, 0, text.length, ...text]);
  const stream = new Blob([frame]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
