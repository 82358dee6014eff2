import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStore, type Store, StoreError } from "../../lib/store/mod.ts";
import { openDatabase } from "../../lib/store/sqlite_open.ts";
import { ask, created, delta, seal, testInDir } from "./helpers.ts";
import { readOnly } from "./mounts.ts";

const test = (
  sentence: string,
  body: (dir: string, path: string) => Promise<void> | void,
) => testInDir(sentence, (dir) => body(dir, `${dir}/tickertape.db`));

const open = (path: string): Store => openStore({ kind: "sqlite", path });

/** Makes a database with one sealed run and gives that run's id. */
async function filled(path: string): Promise<string> {
  const store = open(path);
  const { id } = await created(store, ask());
  const entries = Array.from({ length: 200 }, (_, i) => delta(i + 2));
  await store.append(id, 1, entries, seal());
  await store.close();
  return id;
}

function refused(path: string, kind: StoreError["kind"], ...parts: string[]) {
  const error = assertThrows(() => open(path), StoreError);
  assertEquals(error.kind, kind);
  for (const part of [path, ...parts]) {
    assertStringIncludes(error.message, part);
  }
}

/** Refused, named, and not a byte of it changed. */
function refusedAsItIs(path: string, kind: StoreError["kind"], part: string) {
  const before = Deno.readFileSync(path);
  refused(path, kind, part);
  assertEquals(Deno.readFileSync(path), before);
}

test("openStore() makes the directory for its user alone, and the file too", async (dir) => {
  const path = `${dir}/new/deep/tickertape.db`;
  const store = open(path);
  await created(store, ask());
  const mode = (name: string) => Deno.statSync(name).mode! & 0o777;
  assertEquals(mode(`${dir}/new`), 0o700);
  assertEquals(mode(`${dir}/new/deep`), 0o700);
  for (const end of ["", "-wal", "-shm"]) assertEquals(mode(path + end), 0o600);
  await store.close();
  const names = [...Deno.readDirSync(`${dir}/new/deep`)].map((f) => f.name);
  assertEquals(names, ["tickertape.db"]);
});

test("openStore() finds what an earlier one stored", async (_, path) => {
  const id = await filled(path);
  const store = open(path);
  assertEquals((await store.run(id))!.status, "complete");
  assertEquals((await store.read(id, 0, 1000)).length, 201);
  await store.close();
});

test("N1: openDatabase() has every commit synced to the disk", (_, path) => {
  const db = openDatabase(path);
  const setting = (name: string) =>
    Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0];
  assertEquals(setting("journal_mode"), "wal");
  assertEquals(setting("synchronous"), 2); // FULL
  assertEquals(setting("foreign_keys"), 1);
  db.close();
});

test("safety R25: openStore() refuses a newer schema", async (_, path) => {
  await filled(path);
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  refusedAsItIs(path, "newer", "schema 99");
});

test(
  "safety R25: openStore() refuses another program's database",
  (_, path) => {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')");
    db.close();
    refusedAsItIs(path, "damaged", "belongs to another program");
  },
);

test(
  "safety R25: openStore() refuses what is no database, or an empty file",
  (_, path) => {
    Deno.writeTextFileSync(path, "Dear diary,\n".repeat(1000));
    refusedAsItIs(path, "damaged", "not an SQLite database");
    Deno.writeTextFileSync(path, "SQLite format 3\0");
    refusedAsItIs(path, "damaged", "not an SQLite database");
    Deno.writeTextFileSync(path, "");
    refusedAsItIs(path, "damaged", "it is empty");
  },
);

test(
  "safety R25: openStore() refuses a log without its database and keeps it",
  async (_, path) => {
    const store = open(path);
    await created(store, ask());
    const wal = Deno.readFileSync(`${path}-wal`);
    await store.close();
    Deno.removeSync(path);
    Deno.writeFileSync(`${path}-wal`, wal);
    refused(path, "damaged", "the file itself is not");
    assertEquals(Deno.readFileSync(`${path}-wal`), wal);
  },
);

test(
  "safety R25: openStore() refuses or reads, whichever header byte is flipped",
  async (_, path) => {
    const id = await filled(path);
    const bytes = Deno.readFileSync(path);
    const wrong: number[] = [];
    for (let at = 0; at < 100; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 0xff;
      Deno.writeFileSync(path, flipped);
      let store: Store;
      try {
        store = open(path);
      } catch (error) {
        // Bytes 24 to 27 and 92 to 99 only count changes.
        if (!(error instanceof StoreError)) wrong.push(at);
        assertStringIncludes((error as Error).message, path);
        assert(Deno.statSync(path).size >= bytes.length);
        continue;
      }
      // Counters and the like: harmless, but then nothing may be missing.
      if ((await store.read(id, 0, 1000)).length !== 201) wrong.push(at);
      await store.close();
    }
    assertEquals(wrong, []);
  },
);

test(
  "safety R25: openStore() refuses a file cut short or overwritten inside",
  async (_, path) => {
    await filled(path);
    const bytes = Deno.readFileSync(path);
    Deno.writeFileSync(path, bytes.subarray(0, bytes.length / 2));
    refusedAsItIs(path, "damaged", "Put a backup in its place");
    for (let page = 1; page < bytes.length / 4096; page++) {
      const holed = bytes.slice();
      holed.fill(0xaa, page * 4096, page * 4096 + 512);
      Deno.writeFileSync(path, holed);
      refusedAsItIs(path, "damaged", "Put a backup in its place");
    }
  },
);

test("openStore() refuses a directory in the file's place", (dir) => {
  refused(dir, "io");
});

test("safety R24: openStore() says when file or directory cannot be written", async (dir) => {
  const path = `${dir}/data/tickertape.db`;
  await filled(path);
  for (const locked of [path, `${dir}/data`]) {
    const lock = await readOnly(locked);
    if (typeof lock === "string") {
      return console.log(`skipped, nothing can be made read-only: ${lock}`);
    }
    try {
      refused(path, "readonly", "write permission");
      if (locked === path) continue;
      refused(`${dir}/data/other.db`, "readonly", "write permission");
    } finally {
      await lock.undo();
    }
  }
});

test(
  "openStore() may be called by several processes on one new file",
  async (dir, path) => {
    const script = new URL("./ask_once.ts", import.meta.url).pathname;
    const children = Array.from(
      { length: 3 },
      () =>
        new Deno.Command(Deno.execPath(), {
          args: [
            "run",
            "--no-config",
            `--allow-read=${dir}`,
            `--allow-write=${dir}`,
            script,
            path,
          ],
        }).output(),
    );
    const ids = (await Promise.all(children)).map(({ stdout, stderr }) => {
      assertEquals(new TextDecoder().decode(stderr), "");
      return new TextDecoder().decode(stdout).trim();
    });
    const store = open(path);
    for (const id of ids) {
      assert(await store.run(id), `run "${id}" is lost`);
    }
    await store.close();
  },
);
