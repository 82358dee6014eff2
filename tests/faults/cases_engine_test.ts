/**
 * The engine is away for a while. The cases speak of Redis, which is no engine of
 * ours: here another process holds the lock of the SQLite file, which no write
 * gets past. That Postgres is restarted is tested beside its own engine.
 */
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import { isTerminal, type RunEvent } from "../../lib/chat/events.ts";
import { openStore } from "../../lib/store/mod.ts";
import { startApp } from "../helpers/app.ts";
import { allFrames, foldFrames, type Frame } from "../helpers/frames.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { ask, events, started } from "../helpers/run_client.ts";

/** An app on a file that another connection can lock. */
async function lockable(options: { patienceMs: number }) {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/tickertape.db`;
  const model = new PuppetModel();
  const store = openStore({ kind: "sqlite", path, ...options });
  const app = await startApp({ model, store });
  const other = new DatabaseSync(path);
  return {
    app,
    model,
    lock: () => other.exec("BEGIN IMMEDIATE"),
    unlock: () => other.exec("ROLLBACK"),
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      other.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Every event once, in order, and one terminal: what was read is the log. */
function assertWhole(run: string, list: Frame[]): RunEvent[] {
  assertEquals(list.at(-1)?.data, "[DONE]");
  const logged = list.slice(0, -1);
  assertEquals(
    logged.map(({ id }) => id),
    logged.map((_, at) => `${run}.1-${at + 1}`),
  );
  const told = logged.map(({ data }) => JSON.parse(data) as RunEvent);
  assertEquals(told.filter(isTerminal).length, 1);
  return told;
}

Deno.test("streaming X04: an engine that is away for a while in mid-run costs time and nothing else", async () => {
  await using it = await lockable({ patienceMs: 30_000 });
  const { run_id } = await started(it.app, { text: "hello" });
  const reading = allFrames(await events(it.app, run_id));
  const puppet = await it.model.next();
  puppet.say("one ");
  await it.app.shows(run_id, "one ");
  it.lock();
  puppet.say("two ");
  // Longer than a group of commits waits, so that this one is under way.
  await new Promise((resolve) => setTimeout(resolve, 300));
  puppet.say("three ");
  const { lastSeq } = (await it.app.services.store.run(run_id))!;
  it.unlock();
  await it.app.shows(run_id, "three ");
  puppet.say("four").finish();
  const list = await reading;
  assertWhole(run_id, list);
  const answer = foldFrames(run_id, list);
  assertEquals(answer.status, "complete");
  assertEquals(answerText(answer), "one two three four");
  // Nothing was committed meanwhile, so nothing was shown.
  const shown = foldFrames(run_id, list.slice(0, lastSeq));
  assertEquals(answerText(shown), "one ");
});

Deno.test("streaming X04: an engine that stays away ends the run with one engine_unavailable, once it is back", async () => {
  await using it = await lockable({ patienceMs: 100 });
  const { run_id } = await started(it.app, { text: "hello" });
  const reading = allFrames(await events(it.app, run_id));
  const puppet = await it.model.next();
  puppet.say("one ");
  await it.app.shows(run_id, "one ");
  it.lock();
  puppet.say("two");
  assertEquals(await puppet.aborted, "store");
  // Away also while the end is to be written: it is tried again.
  await new Promise((resolve) => setTimeout(resolve, 250));
  it.unlock();
  const list = await reading;
  const told = assertWhole(run_id, list);
  const end = told.at(-1)!;
  assert(end.type === "error" && end.code === "engine_unavailable");
  const answer = foldFrames(run_id, list);
  assertEquals(answerText(answer), "one two");
});

Deno.test("streaming X05: a question that cannot be stored is 503, and no model hears of it", async () => {
  await using it = await lockable({ patienceMs: 100 });
  const body = { text: "Do not lose me", idempotency_key: "k-1" };
  it.lock();
  const refused = await ask(it.app, body);
  assertEquals(refused.status, 503);
  const problem = await refused.json();
  assertEquals(problem.status, 503);
  assert(!JSON.stringify(problem).includes("tickertape.db"));
  // What can be read is read.
  const list = await fetch(`${it.app.url}/api/chats`);
  assertEquals((await list.json()).chats, []);
  it.unlock();
  assertEquals(it.model.count, 0);
  // The page sends it again, under the same key: once.
  const first = await started(it.app, body);
  const second = await started(it.app, body);
  assertEquals(first.run_id, second.run_id);
  (await it.model.next()).say("kept").finish();
  await it.app.over(first.run_id);
  assertEquals(it.model.count, 1);
});
