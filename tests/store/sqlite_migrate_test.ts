import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStore, type Store, StoreError } from "../../lib/store/mod.ts";
import { MIGRATIONS } from "../../lib/store/sqlite_schema.ts";
import {
  ask,
  Clock,
  created,
  delta,
  LEASE_MS,
  seal,
  testInDir,
} from "./helpers.ts";
import { oldFile } from "./old_files.ts";

const HOUR = 3_600_000;

const clock = new Clock();
const schema1 = (dir: string) => oldFile(dir, 1, clock.now());
const schema2 = (dir: string) => oldFile(dir, 2, clock.now());
const open = (path: string): Store =>
  openStore({ kind: "sqlite", path, now: clock.now });

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
      leaf: null,
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
  "safety R25: a migration that fails changes nothing, and is done the next time",
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
  "safety R25: openStore() refuses the schema after its own, as it is",
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

testInDir(
  "safety R30: openStore() brings a file of schema 2 along, with all it holds",
  async (dir) => {
    const { path, chat, over, running, hidden } = schema2(dir);
    const store = open(path);
    const now = clock.now();
    const row = (await store.chat("ann", chat))!;
    assertEquals([row.settings, row.leaf], ['{"temperature":0}', null]);
    const listed = await store.chats("ann", 10);
    assertEquals(listed.map(({ id }) => id), [chat]);
    const all = await store.chats("ann", 10, "all");
    assertEquals(all.map(({ id }) => id), [hidden, chat]);
    const [one, two] = await store.runs(chat);
    assertEquals([one!.id, one!.options], [over, '{"model":"big"}']);
    assertEquals([two!.id, two!.status, two!.leaseOwner, two!.leaseUntil], [
      running,
      "running",
      null,
      now + HOUR,
    ]);
    assertEquals(await store.answers(running), [
      { question: "c1", json: "{}" },
    ]);
    assertEquals(await store.note("tokens", "a"), "1");
    const again = await store.create(ask({ idempotencyKey: "k" }));
    assertEquals(again, { kind: "existing", run: one! });

    // What schema 3 is for works on it.
    assertEquals(await store.setLeaf("ann", chat, over), true);
    const id = "m_1", text = "Next?", idempotencyKey = null;
    const waiting = { id, chat, owner: "ann", text, idempotencyKey };
    const queued = { ...waiting, options: "{}", keep: [] };
    assertEquals((await store.enqueue(queued)).kind, "queued");
    assertEquals((await store.take(running, "node-2", LEASE_MS))!.epoch, 2);
    await store.append(running, 2, [delta(2)], seal());
    assertEquals((await store.due(1))[0]!.id, id);
    assertEquals(await store.remove("ann", chat), true);
    assertEquals(await store.read(over, 0, 100), []);
    await store.close();
  },
);

testInDir(
  "safety R30: a server of schema 2 that is still running goes on after the migration",
  async (dir) => {
    const { path, chat, over } = schema2(dir);
    const old = new DatabaseSync(path);
    old.exec("PRAGMA foreign_keys = ON");
    // What that version prepared, word for word.
    const newRun = old.prepare(
      `INSERT INTO run (id, chat, parent, text, options, created_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    );
    const newEntry = old.prepare(
      "INSERT INTO entry (run, seq, epoch, prev, json) VALUES (?, 1, 1, 0, ?)",
    );
    const newHead = old.prepare(
      "INSERT INTO head (run, epoch, last_seq, last_entry) VALUES (?, 1, 1, ?)",
    );
    const newLease = old.prepare("INSERT INTO lease VALUES (?, ?, ?, ?)");
    const keep = old.prepare("REPLACE INTO kept VALUES (?, ?, ?)");
    const newKey = old.prepare("REPLACE INTO idempotency VALUES (?, ?, ?, ?)");
    const note = old.prepare("REPLACE INTO note VALUES (?, ?, ?)");
    const touch = old.prepare(
      "UPDATE chat SET newest_run = ?, updated_at = ? WHERE key = ?",
    );
    const newChat = old.prepare(
      `INSERT INTO chat
         (id, owner, title, created_at, updated_at, settings, hidden)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    newChat.run("c_before", "ann", '"Title"', 1, 1, "{}", 0);

    const store = open(path);
    await store.setLeaf("ann", chat, over);
    const now = clock.now();
    const key = newChat.run("c_after", "ann", '"Title"', now, now, "{}", 0)
      .lastInsertRowid;
    const run = newRun.run("r_after", key, null, '"Q"', "{}", now)
      .lastInsertRowid;
    newHead.run(run, newEntry.run(run, "{}").lastInsertRowid);
    newLease.run(run, key, "old", now + LEASE_MS);
    keep.run(run, "image-1", '"x"');
    newKey.run("ann", "k-old", run, now);
    note.run("s", "k", "1");
    touch.run(run, now, key);
    // It asks in a chat where another branch was chosen: that is chosen anew.
    const other = newRun.run("r_other", 1, 1, '"Q"', "{}", now).lastInsertRowid;
    newHead.run(other, newEntry.run(other, "{}").lastInsertRowid);
    touch.run(other, now, 1);
    old.close();

    assertEquals((await store.chat("ann", chat))!.leaf, "r_other");
    const row = (await store.run("r_after"))!;
    assertEquals([row.status, row.chat], ["running", "c_after"]);
    const again = await store.create(ask({ idempotencyKey: "k-old" }));
    assertEquals(again, { kind: "existing", run: row });
    assertEquals(await store.remove("ann", "c_after"), true);
    assertEquals(await store.run("r_after"), null);
    await store.close();
  },
);
