import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStore, type Store, StoreError } from "../../lib/store/mod.ts";
import { databaseForTests, postgresTest } from "../helpers/postgres.ts";
import { backupUnderLoad, task, taskWith } from "./backup_load.ts";
import { ask, created, delta, inTempDir, seal, testInDir } from "./helpers.ts";

const open = (path: string): Store => openStore({ kind: "sqlite", path });
const mode = (path: string) => Deno.statSync(path).mode! & 0o777;
const names = (dir: string) => [...Deno.readDirSync(dir)].map((f) => f.name);

/** A database in `data` with one sealed run; gives that run's id. */
async function filled(data: string, text = "Question?"): Promise<string> {
  const store = open(`${data}/tickertape.db`);
  const { id } = await created(store, ask({ text }));
  await store.append(id, 1, [delta(2), delta(3)], seal());
  await store.close();
  return id;
}

testInDir(
  "safety R28, G24: backups under 1,000 writes/s are prefixes of history, restored elsewhere",
  async (dir) => {
    const { rate, writes, backups } = await backupUnderLoad({
      dir,
      lanes: 30,
      warmUp: 500,
      backups: 3,
      between: 500,
    });
    console.log(`${writes} writes at ${rate}/s (goal 1,000/s)`);
    for (const { writes, ms, bytes } of backups) {
      console.log(`  backup: ${writes} writes, ${bytes} bytes, ${ms} ms`);
    }
    assert(backups[0]!.writes < writes, "nothing was written meanwhile");
  },
);

testInDir(
  "safety R28: deno task backup prints where the copy is, for its user alone",
  async (dir) => {
    const id = await filled(`${dir}/data`);
    const { code, stdout, stderr } = await task("backup", `${dir}/data`);
    assertEquals(code, 0, stderr);
    const file = stdout.trim();
    const [folder, name] = [`${dir}/data/backups`, file.split("/").at(-1)!];
    assertEquals(file, `${folder}/${name}`);
    assertMatch(name, /^tickertape-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.db$/);
    assertMatch(stderr, /^0\.\d MB, 1 chats, 1 runs, in \d+ ms\./);
    assertEquals([mode(file), mode(folder)], [0o600, 0o700]);
    assertEquals(names(folder), [name]);
    // The copy is a database by itself, which a server opens as it is.
    const store = open(file);
    assertEquals((await store.read(id, 0, 10)).length, 3);
    await store.close();
  },
);

testInDir(
  "safety R28: deno task backup never replaces a file, and says what is missing",
  async (dir) => {
    const file = `${dir}/mine.db`;
    const none = await task("backup", `${dir}/data`, file);
    assertEquals(none.code, 1);
    assertStringIncludes(none.stderr, "there is no database");
    await filled(`${dir}/data`);
    Deno.writeTextFileSync(file, "mine");
    const taken = await task("backup", `${dir}/data`, file);
    assertEquals(taken.code, 1);
    assertStringIncludes(taken.stderr, `Cannot back up to "${file}"`);
    assertStringIncludes(taken.stderr, "is there already");
    assertEquals(Deno.readTextFileSync(file), "mine");
    assertEquals(names(dir).sort(), ["data", "mine.db"]);
    const wrong = await task("backup", `${dir}/data`, "--all");
    assertEquals([wrong.code, wrong.stderr], [
      2,
      "Usage: deno task backup [file]\n",
    ]);
  },
);

testInDir(
  "safety R25: deno task backup copies no damaged database and leaves no file",
  async (dir) => {
    await filled(`${dir}/data`);
    const path = `${dir}/data/tickertape.db`;
    const bytes = Deno.readFileSync(path);
    bytes.fill(0xaa, 2 * 4096, 3 * 4096);
    Deno.writeFileSync(path, bytes);
    const { code, stderr } = await task("backup", `${dir}/data`);
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /^Cannot back up to .*: database .* damaged/);
    assertEquals(names(`${dir}/data/backups`), []);
    assertEquals(Deno.readFileSync(path), bytes);
  },
);

testInDir(
  "safety R28: a backup holds nothing of what was deleted before (P06)",
  async (dir) => {
    const path = `${dir}/data/tickertape.db`;
    const store = open(path);
    const one = await created(store, ask({ text: "<gone>" }));
    await created(store, ask({ text: "<stays>" }));
    await store.remove("ann", one.chat);
    const { stdout } = await task("backup", `${dir}/data`);
    await store.close();
    const bytes = new TextDecoder("latin1")
      .decode(Deno.readFileSync(stdout.trim()));
    assert(bytes.includes("<stays>") && !bytes.includes("<gone>"));
  },
);

testInDir(
  "safety R28: deno task restore keeps the database that was there, log and all",
  async (dir) => {
    const data = `${dir}/data`;
    const path = `${data}/tickertape.db`;
    const old = await filled(data, "Old?");
    const backup = (await task("backup", data)).stdout.trim();
    const late = await filled(data, "Late?");
    const { code, stdout, stderr } = await task("restore", data, backup);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `1 chats, 1 runs to "${path}"`);
    const kept = /kept as "(.*)"/.exec(stdout)![1]!;
    assertMatch(kept, /tickertape\.db\.before-restore-[\dTZ-]+$/);
    assertEquals(mode(path), 0o600);

    const store = open(path);
    assertEquals((await store.read(old, 0, 10)).length, 3);
    assertEquals(await store.run(late), null);
    await store.close();
    const before = open(kept);
    assertEquals((await before.run(late))!.text, "Late?");
    await before.close();
    // The backup is still one.
    assertEquals((await task("restore", `${dir}/other`, backup)).code, 0);
  },
);

testInDir(
  "safety R28: deno task restore refuses while a server has the database open",
  async (dir) => {
    const data = `${dir}/data`;
    const id = await filled(data);
    const backup = (await task("backup", data)).stdout.trim();
    const server = open(`${data}/tickertape.db`);
    const { code, stderr } = await task("restore", data, backup);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "a server has the database");
    assertStringIncludes(stderr, "Stop it first. Nothing was changed.");
    const { id: more } = await created(server, ask());
    await server.close();
    assertEquals(names(data).sort(), ["backups", "tickertape.db"]);
    const store = open(`${data}/tickertape.db`);
    assert(await store.run(id) && await store.run(more));
    await store.close();
    assertEquals((await task("restore", data, backup)).code, 0);
  },
);

testInDir(
  "safety R25: deno task restore takes only a whole backup of a schema we know",
  async (dir) => {
    const data = `${dir}/data`;
    const id = await filled(data);
    const backup = (await task("backup", data)).stdout.trim();
    const bytes = Deno.readFileSync(backup);
    const file = `${dir}/wrong.db`;
    const refused = async (part: string) => {
      const { code, stderr } = await task("restore", data, file);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `Cannot restore "${file}": `);
      assertStringIncludes(stderr, part);
      assertStringIncludes(stderr, "Nothing was changed.");
    };
    await refused("there is no such file");
    Deno.writeTextFileSync(file, "Dear diary");
    await refused("not an SQLite database");
    Deno.writeFileSync(file, bytes.subarray(0, bytes.length / 2));
    await refused("its end is missing");
    const holed = bytes.slice();
    holed.fill(0xaa, 2 * 4096, 3 * 4096);
    Deno.writeFileSync(file, holed);
    await refused("damaged");
    Deno.writeFileSync(file, bytes);
    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 99");
    db.close();
    await refused("newer version of Tickertape (it has schema 99");

    assertEquals(names(data).sort(), ["backups", "tickertape.db"]);
    const store = open(`${data}/tickertape.db`);
    assertEquals((await store.run(id))!.lastSeq, 3);
    await store.close();
  },
);

testInDir(
  "safety R25: what refuses to start names the newest backup, and that brings it back",
  async (dir) => {
    const data = `${dir}/data`;
    const path = `${data}/tickertape.db`;
    const id = await filled(data);
    const older = (await task("backup", data)).stdout.trim();
    const newer = `${data}/backups/b.db`;
    Deno.copyFileSync(older, newer);
    Deno.utimeSync(older, new Date(0), new Date(0));
    // None of these is one this version could put back.
    Deno.writeTextFileSync(`${data}/backups/notes.db`, "mine");
    const future = `${data}/backups/future.db`;
    Deno.copyFileSync(older, future);
    const db = new DatabaseSync(future);
    db.exec("PRAGMA user_version = 99");
    db.close();
    const later = new Date(Date.now() + 3_600_000);
    Deno.utimeSync(future, later, later);

    const command = `deno task restore "${newer}"`;
    const damaged = Deno.readFileSync(path);
    damaged[0]! ^= 0xff;
    Deno.writeFileSync(path, damaged);
    const error = assertThrows(() => open(path), StoreError);
    assertEquals(error.kind, "damaged");
    assertStringIncludes(error.message, command);

    assertEquals((await task("restore", data, newer)).code, 0);
    const store = open(path);
    assertEquals((await store.run(id))!.lastSeq, 3);
    await store.close();
    const kept = names(data).find((name) => name.includes("before-restore"))!;
    assertEquals(Deno.readFileSync(`${data}/${kept}`), damaged);

    const upgraded = new DatabaseSync(path);
    upgraded.exec("PRAGMA user_version = 99");
    upgraded.close();
    const late = assertThrows(() => open(path), StoreError);
    assertEquals(late.kind, "newer");
    assertStringIncludes(late.message, `Start that version, or put`);
    assertStringIncludes(late.message, command);
  },
);

postgresTest(
  "safety R28: deno task backup and restore reach the Postgres that DATABASE_URL names",
  (db) =>
    inTempDir(async (dir) => {
      const env = { DATABASE_URL: db.url };
      const store = await openStore({ kind: "postgres", url: db.url });
      const { id } = await created(store, ask());
      const { code, stdout, stderr } = await taskWith(env, "backup", dir);
      assertEquals(code, 0, stderr);
      const file = stdout.trim();
      assertMatch(file, /\/backups\/tickertape-[\dTZ-]+\.pg$/);
      assertMatch(stderr, /MB, 1 chats, 1 runs, in \d+ ms/);
      assert(!stderr.includes(db.password));
      await store.close();

      await using other = await databaseForTests();
      const there = { DATABASE_URL: other.url };
      const back = await taskWith(there, "restore", dir, file);
      assertEquals(back.code, 0, back.stderr);
      const copy = await openStore({ kind: "postgres", url: other.url });
      assertEquals((await copy.run(id))!.text, "Question?");
      await copy.close();
      // A backup of the other engine is told apart.
      const wrong = await task("restore", dir, file);
      assertEquals(wrong.code, 1);
      assertStringIncludes(wrong.stderr, "it is not an SQLite database");
    }),
);
