/** A backup of a database that is being written to, and what can be made of it. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals } from "@std/assert";
import { emptyAnswer } from "../../lib/chat/answer.ts";
import type { RunEvent } from "../../lib/chat/events.ts";
import { fold } from "../../lib/chat/fold.ts";
import { newChatId, newRunId } from "../../lib/chat/ids.ts";
import type { Store } from "../../lib/store/contract.ts";
import { openStore } from "../../lib/store/mod.ts";
import { restoreSqlite } from "../../lib/store/sqlite_restore.ts";
import { faultTest } from "./harness/fault_test.ts";
import { asking, openStage } from "./load/stage.ts";
import { assertWhole, beside } from "./load/words.ts";

const MB = 1024 * 1024;
/** Text of one old run, of which the store keeps two copies, and of one entry. */
const OLD_RUN = 256 * 1024;
const ENTRY = 2 * 1024;

faultTest(
  "G24, safety R28: a backup under a thousand writes a second is one moment of the database, and opens elsewhere",
  {
    needs: ["linux"],
    sizes: { ci: { times: 1, mb: 16 }, full: { times: 20, mb: 32 } },
  },
  async ({ times, mb }, say) => {
    await using stage = await openStage({}, (data) => fill(data, mb));
    const { crowd, server, data } = stage;
    const database = join(data, "tickertape.db");
    // Each stream commits twenty times a second.
    const seconds = 5 + times * 5;
    const script = { tokens: 25 * seconds, rate: 25 };
    await crowd.tell("open", asking(server.url, "writers", 50, script));
    const rate = await writesPerSecond(database);
    const figures: {
      seconds: number;
      ratio: number;
      mb: number;
      known: number;
    }[] = [];
    for (let i = 0; i < times; i++) {
      const copied = copySeconds(database, join(data, "copy"));
      const backup = join(data, `backup-${i}.db`);
      const known = lastEntry(database);
      const began = performance.now();
      await runTask("backup", backup, data);
      const took = (performance.now() - began) / 1_000;
      const size = Deno.statSync(backup).size / MB;
      figures.push({ seconds: took, ratio: took / copied, mb: size, known });
    }
    assertWhole(await crowd.tell("over", { group: "writers" }));
    server.kill("SIGTERM");
    await server.status;

    for (let i = 0; i < times; i++) {
      const backup = join(data, `backup-${i}.db`);
      const elsewhere = join(data, "elsewhere");
      const restored = join(elsewhere, "tickertape.db");
      restoreSqlite(backup, restored);
      const last = lastEntry(restored);
      assert(
        last >= figures[i]!.known,
        "all that was committed before is there",
      );
      await assertPrefix(restored, database);
      await Deno.remove(elsewhere, { recursive: true });
      await Deno.remove(backup);
    }
    const worst = figures.toSorted((a, b) => b.seconds - a.seconds)[0]!;
    const ratio = Math.max(...figures.map(({ ratio }) => ratio));
    say(
      "G24",
      [
        `${times} backups of ${
          worst.mb.toFixed(0)
        } MB under ${rate} entries/s, ` +
        "each a prefix of the history, 0 halves",
        beside("per 100 MB", worst.seconds / worst.mb * 100, 5, "s"),
        `${ratio.toFixed(1)} x a plain copy with sync`,
      ].join(", "),
    );
    assert(ratio <= 60, `${ratio} x a plain copy`);
  },
);

/** Fills a new database with runs that are over. */
async function fill(data: string, mb: number): Promise<void> {
  const store = openStore({
    kind: "sqlite",
    path: join(data, "tickertape.db"),
  });
  try {
    for (let i = 0; i < mb * MB / OLD_RUN; i++) await oldRun(store, i);
  } finally {
    await store.close();
  }
}

async function oldRun(store: Store, number: number): Promise<void> {
  const run = newRunId();
  const start: RunEvent = {
    type: "start",
    messageId: run,
    messageMetadata: {
      chat_id: newChatId(),
      model: "bench",
      created_at: new Date().toISOString(),
    },
  };
  await store.create({
    run,
    chat: start.messageMetadata.chat_id,
    newChatTitle: `old ${number}`,
    newChatSettings: "{}",
    newChatHidden: false,
    owner: "local",
    text: "An old question",
    options: "{}",
    keep: [],
    parent: null,
    idempotencyKey: null,
    leaseOwner: "test",
    leaseMs: 60_000,
    begin: [start],
    queued: null,
  });
  const events: RunEvent[] = [
    { type: "start-step" },
    { type: "text-start", id: "t" },
  ];
  for (let off = 0; off < OLD_RUN; off += ENTRY) {
    const delta = String(off).padEnd(ENTRY, "old ");
    events.push({ type: "text-delta", id: "t", delta, off });
  }
  const end = { type: "text-end", id: "t", len: OLD_RUN } as const;
  events.push(end, { type: "finish-step" }, {
    type: "finish",
    finishReason: "stop",
    messageMetadata: {
      usage: { input: 1, output: 1, total: 2 },
      steps: 1,
      ms: 1,
    },
  });
  const entries = events.map((event, i) => ({
    epoch: 1,
    seq: i + 2,
    event,
    json: JSON.stringify(event),
  }));
  const answer = emptyAnswer(run);
  for (const entry of [{ epoch: 1, seq: 1, event: start }, ...entries]) {
    fold(answer, entry);
  }
  await store.append(run, 1, entries, {
    status: "complete",
    message: JSON.stringify(answer),
  });
}

/** The newest log entry. */
function lastEntry(path: string): number {
  using db = new DatabaseSync(path, { readOnly: true });
  return db.prepare("SELECT max(id) AS id FROM entry").get()!.id as number;
}

/** Log entries a second, over two seconds. */
async function writesPerSecond(path: string): Promise<number> {
  const before = lastEntry(path);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  return (lastEntry(path) - before) / 2;
}

/** What the machine itself takes for as many bytes. */
function copySeconds(from: string, to: string): number {
  const began = performance.now();
  Deno.copyFileSync(from, to);
  using file = Deno.openSync(to, { write: true });
  file.syncSync();
  const took = (performance.now() - began) / 1_000;
  Deno.removeSync(to);
  return took;
}

async function runTask(
  name: string,
  file: string,
  data: string,
): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", `tasks/${name}.ts`, file],
    cwd: new URL("../../", import.meta.url),
    env: { TICKERTAPE_DATA: data, DATABASE_URL: "" },
    stdout: "null",
    stderr: "piped",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** What must not be found, in `copy` (main) beside the database it is of. */
const WRONG = {
  "entries that the whole log has not, or otherwise": `
    SELECT count(*) AS many FROM main.entry AS p
    LEFT JOIN whole.entry AS w ON w.id = p.id
    WHERE w.id IS NULL OR w.run <> p.run OR w.seq <> p.seq
      OR w.epoch <> p.epoch OR w.json <> p.json`,
  "entries left out before the last": `
    SELECT (SELECT count(*) FROM whole.entry
      WHERE id <= (SELECT max(id) FROM main.entry))
      - (SELECT count(*) FROM main.entry) AS many`,
  "questions that were never asked so": `
    SELECT count(*) AS many FROM main.run AS p
    LEFT JOIN whole.run AS w ON w.key = p.key
    WHERE w.id IS NOT p.id OR w.text IS NOT p.text`,
  "runs whose log ends elsewhere than they say": `
    SELECT count(*) AS many FROM main.head AS h
    LEFT JOIN main.entry AS last ON last.id = h.last_entry
    WHERE last.run IS NOT h.run OR last.seq IS NOT h.last_seq`,
  "ends without a message, and messages without an end": `
    SELECT count(*) AS many FROM main.head AS h
    JOIN main.run AS r ON r.key = h.run
    JOIN main.entry AS last ON last.id = h.last_entry
    WHERE (r.message IS NOT NULL) <>
      (last.json ->> 'type' IN ('finish', 'abort', 'error'))`,
  "messages that became others": `
    SELECT count(*) AS many FROM main.run AS p
    JOIN whole.run AS w ON w.key = p.key
    WHERE p.message IS NOT NULL AND w.message IS NOT p.message`,
};

/** `copy` opens, is the beginning of `whole`, and has nothing half. */
async function assertPrefix(copy: string, whole: string): Promise<void> {
  const store = openStore({ kind: "sqlite", path: copy });
  try {
    const [chat] = await store.chats("local", 1);
    assert((await store.runs(chat!.id)).length > 0);
  } finally {
    await store.close();
  }
  using db = new DatabaseSync(copy, { readOnly: true });
  db.prepare("ATTACH ? AS whole").run(whole);
  for (const [what, text] of Object.entries(WRONG)) {
    assertEquals(db.prepare(text).get()!.many, 0, what);
  }
}
