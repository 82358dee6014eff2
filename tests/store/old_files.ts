/**
 * Database files as older versions left them, made by their own schema.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { newChatId, newRunId } from "../../lib/chat/ids.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../lib/store/sqlite_schema.ts";
import { delta, LEASE_MS } from "./helpers.ts";

const HOUR = 3_600_000;

export interface Old {
  path: string;
  chat: string;
  /** A sealed run of 70 entries. */
  over: string;
  /** Asked after it; parked from schema 2 on. */
  running: string;
  /** A hidden chat with a sealed run, from schema 2 on. */
  hidden: string;
}

/**
 * A file of schema 1 or 2 in `dir`, of chats of "ann" at the time `now`.
 *
 * @param more How many more chats with a run each it has, to make it large.
 */
export function oldFile(
  dir: string,
  schema: 1 | 2,
  now: number,
  more = 0,
): Old {
  const old = {
    path: `${dir}/tickertape.db`,
    chat: newChatId(),
    over: newRunId(),
    running: newRunId(),
    hidden: newChatId(),
  };
  const db = new DatabaseSync(old.path);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.exec("PRAGMA journal_mode = WAL");
  for (const step of MIGRATIONS.slice(0, schema)) {
    step.forEach((s) => db.exec(s));
  }
  db.exec(`PRAGMA user_version = ${schema}; BEGIN`);
  fill(db, old, now);
  if (schema === 2) fill2(db, old, now);
  const chats = db.prepare(
    "INSERT INTO chat (id, owner, title, created_at, updated_at) " +
      "VALUES (?, 'ben', ?, ?, ?)",
  );
  const runs = db.prepare(
    "INSERT INTO run (id, chat, text, message, created_at) VALUES (?, ?, ?, ?, ?)",
  );
  const heads = db.prepare("INSERT INTO head VALUES (?, 'complete', 1, 0, 0)");
  for (let index = 0; index < more; index++) {
    const title = JSON.stringify(`Chat ${index}`);
    const chat = chats.run(newChatId(), title, now, now).lastInsertRowid;
    const text = JSON.stringify("公交 ".repeat(index % 50));
    const run = runs.run(newRunId(), chat, text, text, now).lastInsertRowid;
    heads.run(run);
  }
  db.exec("COMMIT");
  db.close();
  return old;
}

function fill(db: DatabaseSync, old: Old, now: number): void {
  const run = (text: string, ...values: (string | number | null)[]) =>
    db.prepare(text).run(...values);
  run(
    `INSERT INTO chat (key, id, owner, title, newest_run, created_at, updated_at)
     VALUES (1, ?, 'ann', ?, 2, ?, ?)`,
    old.chat,
    JSON.stringify("Buses\0"),
    now - 1000,
    now,
  );
  const asked = `INSERT INTO run
    (key, id, chat, parent, text, message, created_at, ended_at)
    VALUES (?, ?, 1, ?, ?, ?, ?, ?)`;
  const when = JSON.stringify("When? 😀");
  run(asked, 1, old.over, null, when, '{"parts":[]}', now - 1000, now - 500);
  run(asked, 2, old.running, 1, JSON.stringify("And then?"), null, now, null);
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
}

/** What schema 2 brought: choices, a parked run, an answer, a note. */
function fill2(db: DatabaseSync, old: Old, now: number): void {
  const run = (text: string, ...values: (string | number | null)[]) =>
    db.prepare(text).run(...values);
  run(`UPDATE chat SET settings = '{"temperature":0}' WHERE key = 1`);
  run(`UPDATE run SET options = '{"model":"big"}' WHERE key = 1`);
  run("UPDATE head SET status = 'parked' WHERE run = 2");
  run("UPDATE lease SET until = ? WHERE run = 2", now + HOUR);
  run("INSERT INTO answer VALUES (1, 2, 'c1', '{}')");
  run("INSERT INTO note VALUES ('tokens', 'a', '1')");
  run(
    `INSERT INTO chat
       (key, id, owner, title, newest_run, created_at, updated_at, hidden)
     VALUES (2, ?, 'ann', '"Program"', 3, ?, ?, 1)`,
    old.hidden,
    now,
    now,
  );
  run(
    `INSERT INTO run (key, id, chat, text, message, created_at, ended_at)
     VALUES (3, ?, 2, '"Ping"', '{"parts":[]}', ?, ?)`,
    newRunId(),
    now,
    now,
  );
  run("INSERT INTO entry VALUES (72, 3, 1, 1, 0, ?)", delta(1).json);
  run("INSERT INTO head VALUES (3, 'complete', 1, 1, 72)");
}

/** Everything the tables of that schema hold, to compare. */
export function contents(db: DatabaseSync, schema: 1 | 2): string {
  const tables: [name: string, columns: string][] = [
    [
      "chat",
      "key, id, owner, title, newest_run, created_at, updated_at" +
      (schema === 2 ? ", settings, hidden" : ""),
    ],
    [
      "run",
      "key, id, chat, parent, text, message, stop_requested, created_at, " +
      "ended_at" + (schema === 2 ? ", options" : ""),
    ],
    ...["head", "lease", "entry", "kept", "idempotency"]
      .map((name): [string, string] => [name, "*"]),
    ...(schema === 2 ? ["answer", "note"] : [])
      .map((name): [string, string] => [name, "*"]),
  ];
  return JSON.stringify(
    tables.map(([name, columns]) => [
      name,
      db.prepare(`SELECT ${columns} FROM ${name} ORDER BY 1, 2`).all(),
    ]),
  );
}
