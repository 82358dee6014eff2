import { assert, assertEquals, assertRejects } from "@std/assert";
import { setImmediate } from "node:timers";
import { StoreError } from "../../lib/store/mod.ts";
import {
  GroupCommit,
  type Transactions,
} from "../../lib/store/group_commit.ts";

/** An engine that keeps score; `fail` is thrown by the next begins or commits. */
class ScriptedEngine implements Transactions {
  committed: string[][] = [];
  begins = 0;
  failBegin: StoreError | null = null;
  failCommit: StoreError | null = null;
  #open: string[] = [];

  write(name: string): string {
    this.#open.push(name);
    return name;
  }
  begin(): void {
    this.begins++;
    if (this.failBegin) throw this.failBegin;
    this.#open = [];
  }
  commit(): void {
    if (this.failCommit) throw this.failCommit;
    this.committed.push(this.#open);
  }
  rollback(): void {
    this.#open = [];
  }
  trouble(error: unknown): StoreError | null {
    return error instanceof StoreError ? error : null;
  }
}

function group(patienceMs = 5000) {
  const engine = new ScriptedEngine();
  const commits = new GroupCommit(engine, patienceMs);
  const submit = (name: string) => commits.submit(() => engine.write(name));
  return { engine, commits, submit };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

Deno.test("GroupCommit commits everything of one turn together, in that turn", async () => {
  const { engine, commits, submit } = group();
  const a = submit("a");
  const b = Promise.resolve().then(() => submit("b"));
  const c = submit("c");
  assertEquals(engine.committed, []);
  await turn();
  assertEquals(engine.committed, [["a", "c", "b"]]);
  assertEquals(await Promise.all([a, b, c]), ["a", "b", "c"]);
  await commits.close();
});

Deno.test("GroupCommit lets many writes that keep coming share commits", async () => {
  const { engine, commits, submit } = group();
  engine.commit = () => {
    // As a disk does: a few milliseconds, whatever there is to write.
    const end = performance.now() + 3;
    while (performance.now() < end);
    engine.committed.push([]);
  };
  const calls: Promise<string>[] = [];
  const start = performance.now();
  while (performance.now() - start < 150) {
    for (let i = 0; i < 5; i++) calls.push(submit("x"));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await commits.close();
  await Promise.all(calls);
  // 3 ms of commit and some 23 ms of pause: about 6 of them.
  assert(calls.length > 20, `only ${calls.length} calls`);
  assert(engine.committed.length <= 12, `${engine.committed.length} commits`);
});

Deno.test("GroupCommit rejects one write that throws and commits the others", async () => {
  const { engine, commits, submit } = group();
  const wrong = new TypeError("no such thing");
  const results = await Promise.allSettled([
    submit("a"),
    commits.submit(() => {
      engine.write("half");
      throw wrong;
    }),
    submit("b"),
  ]);
  assertEquals(engine.committed, [["a", "b"]]);
  assertEquals(results, [
    { status: "fulfilled", value: "a" },
    { status: "rejected", reason: wrong },
    { status: "fulfilled", value: "b" },
  ]);
  await commits.close();
});

Deno.test("safety R05: GroupCommit rejects exactly the calls of a failed commit and recovers", async () => {
  const { engine, commits, submit } = group();
  engine.failCommit = new StoreError("full", "disk full");
  const lost = [submit("a"), submit("b")];
  for (const call of lost) await assertRejects(() => call, StoreError, "full");
  assertEquals(engine.begins, 1);
  engine.failCommit = null;
  assertEquals(await submit("c"), "c");
  assertEquals(engine.committed, [["c"]]);
  await commits.close();
});

Deno.test("safety R24: GroupCommit waits for a busy store without losing the order", async () => {
  const { engine, commits, submit } = group();
  engine.failBegin = new StoreError("busy", "locked");
  const names = Array.from({ length: 1500 }, (_, i) => `${i}`);
  const calls = names.map(submit);
  while (engine.begins < 2) await turn();
  calls.push(submit("last"));
  engine.failBegin = null;
  await Promise.all(calls);
  assertEquals(engine.committed.flat(), [...names, "last"]);
  await commits.close();
});

Deno.test("safety R24: GroupCommit rejects calls that waited longer than its patience", async () => {
  const { engine, commits, submit } = group(60);
  engine.failBegin = new StoreError("busy", "locked");
  const start = performance.now();
  const first = submit("a");
  await assertRejects(() => first, StoreError, "locked");
  assert(performance.now() - start >= 60);
  assert(engine.begins > 1, "it did not try again");
  engine.failBegin = null;
  assertEquals(await submit("b"), "b");
  await commits.close();
});

Deno.test("GroupCommit does not let ten thousand calls block the loop in one piece", async () => {
  const { engine, commits, submit } = group();
  const calls = Array.from({ length: 2500 }, (_, i) => submit(`${i}`));
  await Promise.all(calls);
  assertEquals(engine.committed.map((names) => names.length), [
    1000,
    1000,
    500,
  ]);
  const names = engine.committed.flat();
  assertEquals(names, Array.from({ length: 2500 }, (_, i) => `${i}`));
  await commits.close();
});

Deno.test("GroupCommit closes after what waits, even if it waits for a lock", async () => {
  const { engine, commits, submit } = group(40);
  engine.failBegin = new StoreError("busy", "locked");
  let settled = false;
  submit("a").catch(() => settled = true);
  await commits.close();
  assert(settled);
  await assertRejects(() => submit("b"), StoreError, "closed");
});
