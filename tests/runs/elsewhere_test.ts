/**
 * Two processes on one store: readers here of a run there, Stop here for a run
 * there, and a process that goes down.
 */
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import { type News, openStore, type Store } from "../../lib/store/mod.ts";
import { drain, folded, open, stage } from "../helpers/run_stage.ts";

/** A store two processes share, with a bell between them if `rings`. */
function shared(rings = true) {
  const inner = openStore({ kind: "memory" });
  const ears = new Map<Store, (news: News) => void>();
  const reads = { count: 0 };
  const door = (): Store => {
    const store: Store = new Proxy(inner, {
      get(target, name) {
        if (name === "listen") {
          return (hear: (news: News) => void) => {
            ears.set(store, hear);
            return () => ears.delete(store);
          };
        }
        // deno-lint-ignore no-explicit-any
        const value = (target as any)[name];
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          if (name === "read") reads.count++;
          const result = await value.apply(target, args);
          const kind = name === "requestStop" || name === "answer"
            ? "call"
            : name === "append" || name === "park"
            ? "log"
            : null;
          if (kind !== null && rings) {
            for (const [other, hear] of ears) {
              if (other !== store) hear({ kind, runs: [args[0] as string] });
            }
          }
          return result;
        };
      },
    });
    return store;
  };
  return { inner, door, reads };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

Deno.test("safety R21: readers in another process get the same bytes, each run read once for all of them", async () => {
  const { door, reads } = shared();
  await using here = stage({ store: door() });
  await using there = stage({ store: door() });
  const { run } = await here.start();
  const puppet = await here.model.next();
  const readers = await Promise.all(
    Array.from({ length: 20 }, () => open(there.runs, run)),
  );
  const all = readers.map(drain);
  const words = Array.from({ length: 50 }, (_, n) => `word ${n} `);
  const before = reads.count;
  for (const word of words) {
    puppet.say(word);
    await turn();
  }
  puppet.finish();
  const local = await drain(await open(here.runs, run));
  for (const entries of await Promise.all(all)) {
    assertEquals(entries.map((e) => e.json), local.map((e) => e.json));
  }
  assertEquals(answerText(folded(local)), words.join(""));
  // 20 readers, and far fewer looks than entries times readers.
  assert(reads.count - before < local.length * 4 + 40, `${reads.count}`);
});

Deno.test("safety R21: without a bell a slow clock brings the same", async () => {
  const { door } = shared(false);
  await using here = stage({ store: door() });
  await using there = stage({ store: door() });
  const { run } = await here.start();
  const puppet = await here.model.next();
  const reader = await open(there.runs, run);
  const all = drain(reader);
  puppet.say("one").finish();
  assertEquals(answerText(folded(await all)), "one");
});

Deno.test("safety N7 R21: Stop in another process reaches the model at the bell", async () => {
  const { door } = shared();
  await using here = stage({ store: door() });
  await using there = stage({ store: door() });
  const { run } = await here.start();
  const puppet = await here.model.next();
  puppet.say("one");
  const began = performance.now();
  await there.runs.stop("me", run);
  await puppet.aborted;
  assert(performance.now() - began < 250);
  const entries = await drain(await open(there.runs, run));
  assertEquals(folded(entries).status, "stopped");
});

Deno.test("safety R22: readers of a run whose process died stay where they are and see it go on", async () => {
  const { inner, door } = shared();
  await using here = stage({ store: door() });
  await using there = stage({ store: door() });
  const { run } = await here.start();
  await here.model.next();
  const reader = await open(there.runs, run);
  const all = drain(reader);
  await inner.renew(run, 1, -1);
  await there.runs.sweep();
  (await there.model.next()).say("from there").finish();
  const answer = folded(await all);
  assertEquals([answer.status, answerText(answer)], ["complete", "from there"]);
});

Deno.test("readers of a run that is deleted elsewhere are let go", async () => {
  const { door } = shared();
  await using here = stage({ store: door() });
  await using there = stage({ store: door() });
  const { run, chat } = await here.start();
  await here.model.next();
  const all = drain(await open(there.runs, run));
  await turn();
  await here.runs.remove("me", chat);
  await all;
  assertEquals(there.runs.readers, 0);
});

Deno.test("safety R13: a process that goes down lets runs end by themselves for a while", async () => {
  await using it = stage();
  const { run } = await it.start();
  const puppet = await it.model.next();
  const reader = await open(it.runs, run);
  const closing = it.runs.close(5_000);
  assertEquals((await drain(reader)).at(-1)?.event.type, "start");
  puppet.say("in time").finish();
  await closing;
  assertEquals((await it.store.run(run))?.status, "complete");
});

Deno.test("safety R13 N5: after the grace time an answer that has begun to speak ends as interrupted, and one that has not is handed over", async () => {
  const { inner, door } = shared();
  const here = stage({ store: door() });
  await using there = stage({ store: door() });
  const spoken = await here.start();
  const silent = await here.start();
  const speaker = await here.model.next();
  const thinker = await here.model.next();
  speaker.say("half a sen");
  thinker.emit({ type: "reasoning", delta: "Hm. " });
  while (answerText((await here.runs.view("me", spoken.run))!.answer) === "") {
    await turn();
  }
  await here.runs.close(1);
  await Promise.all([speaker.aborted, thinker.aborted]);
  const answer = (await there.runs.view("me", spoken.run))!.answer;
  assertEquals([answer.status, answerText(answer)], [
    "interrupted",
    "half a sen",
  ]);
  assertEquals((await inner.run(silent.run))?.status, "running");
  const all = drain(await open(there.runs, silent.run));
  await there.runs.sweep();
  (await there.model.next()).say("here").finish();
  const whole = folded(await all);
  assertEquals([whole.status, answerText(whole)], ["complete", "here"]);
  assertEquals((await inner.run(silent.run))?.epoch, 2);
});
