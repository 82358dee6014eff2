import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { newChatId, newRunId } from "../../lib/chat/ids.ts";
import { openStore, type Store, StoreError } from "../../lib/store/mod.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../lib/store/sqlite_schema.ts";
import { ask, Clock, created, delta, LEASE_MS, testInDir } from "./helpers.ts";

const HOUR = 3_600_000;

const clock = new Clock();
const open = (path: string): Store =>
  openStore({ kind: "sqlite", path, now: clock.now });

/** A file as version 1 left it when it was killed. */
interface Old {
  path: string;
  chat: string;
  over: string;
  running: string;
}

/** One chat of "ann" with a sealed run of 70 entries and a running one. */
function schema1(dir: string): Old {
  const path = `${dir}/tickertape.db`;
  const old = {
    path,
    chat: newChatId(),
    over: newRunId(),
    running: newRunId(),
  };
  const now = clock.now();
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.exec("PRAGMA journal_mode = WAL");
  for (const statement of MIGRATIONS[0]!) db.exec(statement);
  db.exec("PRAGMA user_version = 1");
  const run = (text: string, ...values: (string | number | null)[]) =>
    db.prepare(text).run(...values);
  run(
    "INSERT INTO chat VALUES (1, ?, 'ann', ?, 2, ?, ?)",
    old.chat,
    JSON.stringify("Buses\0"),
    now - 1000,
    now,
  );
  run(
    "INSERT INTO run VALUES (1, ?, 1, NULL, ?, ?, 0, ?, ?)",
    old.over,
    JSON.stringify("When? 😀"),
    '{"parts":[]}',
    now - 1000,
    now - 500,
  );
  run(
    "INSERT INTO run VALUES (2, ?, 1, 1, ?, NULL, 0, ?, NULL)",
    old.running,
    JSON.stringify("And then?"),
    now,
  );
  for (let seq = 1; seq <= 70; seq++) {
    run(
      "INSERT INTO entry VALUES (?, 1, ?, 1, ?, ?)",
      seq,
      seq,
      seq - 1,
      delta(seq).json,
    );
  }
  run("INSERT INTO entry VALUES (71, 2, 1, 1, 0, ?)", delta(1).json);
  run("INSERT INTO head VALUES (1, 'complete', 1, 70, 70)");
  run("INSERT INTO head VALUES (2, 'running', 1, 1, 71)");
  run("INSERT INTO lease VALUES (2, 1, 'node-1', ?)", now + LEASE_MS);
  run("INSERT INTO kept VALUES (1, '1-1', ?)", JSON.stringify("long"));
  run("INSERT INTO idempotency VALUES ('ann', 'k', 1, ?)", now - 1000);
  db.close();
  return old;
}

testInDir(
  "openStore() brings a file of schema 1 along, with all it holds",
  async (dir) => {
    const old = schema1(dir);
    const store = open(old.path);
    const now = clock.now();
    const chat = {
      id: old.chat,
      owner: "ann",
      title: "Buses\0",
      createdAt: now - 1000,
      updatedAt: now,
      activeRun: old.running,
      settings: "{}",
      hidden: false,
    };
    assertEquals(await store.chat("ann", old.chat), chat);
    assertEquals(await store.chats("ann", 10), [chat]);
    const over = {
      id: old.over,
      chat: old.chat,
      owner: "ann",
      parent: null,
      text: "When? 😀",
      options: "{}",
      status: "complete" as const,
      epoch: 1,
      leaseOwner: null,
      leaseUntil: 0,
      stopRequested: false,
      lastSeq: 70,
      message: '{"parts":[]}',
      createdAt: now - 1000,
      endedAt: now - 500,
    };
    const running = {
      ...over,
      id: old.running,
      parent: old.over,
      text: "And then?",
      status: "running" as const,
      leaseOwner: "node-1",
      leaseUntil: now + LEASE_MS,
      lastSeq: 1,
      message: null,
      createdAt: now,
      endedAt: null,
    };
    assertEquals(await store.runs(old.chat), [over, running]);
    const log = Array.from({ length: 70 }, (_, i) => ({
      epoch: 1,
      ...delta(i + 1),
    }));
    assertEquals(await store.read(old.over, 0, 100), log);
    assertEquals(await store.kept(old.over, "1-1"), "long");
    const again = await store.create(ask({ idempotencyKey: "k" }));
    assertEquals(again, { kind: "existing", run: over });
    await store.close();
  },
);

testInDir(
  "a run of a schema 1 file can be parked, answered and taken",
  async (dir) => {
    const { path, chat, running, over } = schema1(dir);
    let store = open(path);
    assertEquals(await store.append(running, 1, [delta(2)]), "ok");
    const until = clock.now() + HOUR;
    assertEquals(await store.park(running, 1, until, ["c1"]), "parked");
    assertEquals(await store.answer(running, "c1", "{}"), "recorded");
    assertEquals(await store.answer(over, "c1", "{}"), "taken");
    assertEquals(await store.setChat("ann", chat, "[]"), true);
    await store.putNote("s", "k", "1");
    await store.close();

    store = open(path);
    assertEquals((await store.take(running, "node-2", LEASE_MS))!.epoch, 2);
    assertEquals(await store.answers(running), [{
      question: "c1",
      json: "{}",
    }]);
    assertEquals(await store.append(running, 2, [delta(3)]), "ok");
    assertEquals((await store.chat("ann", chat))!.settings, "[]");
    assertEquals(await store.note("s", "k"), "1");
    await store.close();
  },
);

testInDir(
  "R25: a migration that fails changes nothing, and is done the next time",
  async (dir) => {
    const { path, over } = schema1(dir);
    // A table in the way of the last statement: all before it must be undone.
    let db = new DatabaseSync(path);
    db.exec("CREATE TABLE note (mine)");
    const schema = () =>
      db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all()
        .map((row) => ({ ...row }));
    const before = schema();
    db.close();
    const error = assertThrows(() => open(path), StoreError);
    assertStringIncludes(error.message, path);
    db = new DatabaseSync(path);
    assertEquals(schema(), before);
    assertEquals(db.prepare("PRAGMA user_version").get()!.user_version, 1);
    db.exec("DROP TABLE note");
    db.close();
    const store = open(path);
    assertEquals((await store.run(over))!.lastSeq, 70);
    await store.putNote("s", "k", "1");
    await store.close();
  },
);

testInDir("a migrated file has the schema of a new one", async (dir) => {
  const { path } = schema1(dir);
  const fresh = `${dir}/fresh.db`;
  const [one, two] = [path, fresh].map((file) => {
    open(file).close();
    const db = new DatabaseSync(file);
    const columns = db.prepare(
      `SELECT t.name, c.name AS field, c.type, c."notnull", c.dflt_value
       FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
       WHERE t.schema = 'main' ORDER BY t.name, c.cid`,
    ).all().map((row) => ({ ...row }));
    const indexes = db.prepare(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name",
    ).all().map((row) => ({ ...row }));
    db.close();
    return { columns, indexes };
  });
  assert(one!.columns.length > 40);
  assertEquals(one, two);
  const store = open(path);
  await created(store, ask());
  await store.close();
});

testInDir(
  "R25: openStore() refuses the schema after its own, as it is",
  async (dir) => {
    const { path } = schema1(dir);
    await open(path).close();
    const next = MIGRATIONS.length + 1;
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA user_version = ${next}; PRAGMA wal_checkpoint(TRUNCATE)`);
    db.close();
    const before = Deno.readFileSync(path);
    const error = assertThrows(() => open(path), StoreError);
    assertEquals(error.kind, "newer");
    assertStringIncludes(error.message, `schema ${next}`);
    assertEquals(Deno.readFileSync(path), before);
  },
);

testInDir(
  "chats() reads its list from an index, hidden chats or not",
  async (dir) => {
    const { path } = schema1(dir);
    await open(path).close();
    const db = new DatabaseSync(path);
    const plan = db.prepare(
      `EXPLAIN QUERY PLAN SELECT id FROM chat
     WHERE chat.owner = ? AND chat.hidden = 0
     ORDER BY chat.newest_run DESC LIMIT ?`,
    ).all("ann", 1).map((row) => String(row.detail));
    db.close();
    assertEquals(plan, ["SEARCH chat USING INDEX chat_listed (owner=?)"]);
  },
);
