/** The store refuses one call, whichever: nothing is lost, doubled or left running. */
import { assert, assertEquals } from "@std/assert";
import { ModelError } from "../../lib/agent/contracts.ts";
import { answerText, emptyAnswer } from "../../lib/chat/answer.ts";
import { fold } from "../../lib/chat/fold.ts";
import { openStore, type Store, StoreError } from "../../lib/store/mod.ts";
import { drain, stage } from "../helpers/run_stage.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

/** Refuses calls `from` to `to`; `late`: after they took effect. */
function refusing(inner: Store, from: number, to: number, late: boolean) {
  const seen = { count: 0, names: [] as string[], on: true };
  const store = new Proxy(inner, {
    get(target, name) {
      // deno-lint-ignore no-explicit-any
      const value = (target as any)[name];
      if (
        typeof value !== "function" || name === "listen" || name === "close"
      ) return typeof value === "function" ? value.bind(target) : value;
      return async (...args: unknown[]) => {
        if (!seen.on) return await value.apply(target, args);
        const n = ++seen.count;
        const hit = n >= from && n <= to;
        if (hit) seen.names.push(String(name));
        if (hit && !late) throw new StoreError("io", "Refused");
        const result = await value.apply(target, args);
        if (hit) throw new StoreError("io", "Lost");
        return result;
      };
    },
  });
  return { store, seen };
}

async function scene(from: number, to: number, late: boolean): Promise<number> {
  const inner = openStore({ kind: "memory" });
  const { store, seen } = refusing(inner, from, to, late);
  const limits = {
    leaseMs: 40,
    questionsPerMinute: Infinity,
    allQuestionsPerMinute: Infinity,
  };
  await using it = stage({ store, limits });
  let over = false;
  let failed = false;
  const answering = (async () => {
    while (true) {
      const asked = await it.model.next();
      if (over) return asked.finish();
      const last = asked.request.messages.filter((m) => m.role === "user").at(
        -1,
      )!;
      asked.say("some ");
      await turn();
      asked.say("words.");
      await turn();
      if (last.text === "second" && !failed) {
        failed = true;
        asked.fail(new ModelError("upstream_reset", "x", { retryable: true }));
      } else asked.finish();
    }
  })();
  const say = () =>
    `calls ${from} to ${to} (${seen.names}) ${
      late ? "lost" : "refused"
    }: ${it.reports}`;
  const limit = performance.now() + 8_000;
  /** A person who tries until it is taken. */
  async function insist<T>(what: () => Promise<T>): Promise<T> {
    while (true) {
      if (performance.now() > limit) throw new Error(`In vain: ${say()}`);
      try {
        const outcome = await what();
        // deno-lint-ignore no-explicit-any
        const kind = (outcome as any)?.kind;
        if (kind !== "unsaved" && kind !== "active") return outcome;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
      }
      await turn();
    }
  }
  const first = await insist(() =>
    it.runs.start({ owner: "me", text: "first", idempotencyKey: "k1" })
  );
  assert(first.kind === "started", say());
  const { chat } = first;
  const outcome = await insist(() => it.runs.read("me", first.run, null));
  const reading = outcome.kind === "reader"
    ? drain(outcome.reader).catch(() => [])
    : null;
  const second = await insist(() =>
    it.runs.start({
      owner: "me",
      chat,
      text: "second",
      queue: true,
      idempotencyKey: "k2",
    })
  );
  assert(second.kind === "started" || second.kind === "queued", say());
  // Until all is answered.
  while (true) {
    if (performance.now() > limit) {
      throw new Error(
        `In vain: ${say()} ${JSON.stringify(await inner.runs(chat))}`,
      );
    }
    await it.runs.sweep();
    await turn();
    const rows = await inner.runs(chat);
    if (rows.some(({ status }) => status === "running")) continue;
    const waiting = await inner.queue("me", chat);
    const shown = await insist(() => it.runs.chat("me", chat));
    const leaf = shown!.turns.at(-1)!;
    if (waiting.length > 0) {
      if (leaf.answer.status === "complete") continue;
      // A person looks at it, and goes on with it or asks anew.
    } else if (leaf.answer.status === "complete") break;
    const { run } = leaf.answer;
    const key = `on-${run}`;
    const on = await insist(() =>
      it.runs.start({ owner: "me", chat, continues: run, idempotencyKey: key })
    );
    if (on.kind === "not-broken-off") {
      await insist(() =>
        it.runs.start({
          owner: "me",
          chat,
          replaces: run,
          idempotencyKey: `${key}-anew`,
        })
      );
    } else assertEquals(on.kind, "started", say());
  }
  seen.on = false;
  const shown = (await it.runs.chat("me", chat))!;
  assertEquals(shown.turns.map(({ text }) => text), ["first", "second"], say());
  for (const row of await inner.runs(chat)) {
    const answer = emptyAnswer(row.id);
    for (const { epoch, seq, json } of await inner.read(row.id, 0, 1e6)) {
      const change = fold(answer, { epoch, seq, event: JSON.parse(json) });
      assert(change.kind !== "gap", say());
    }
    assertEquals(
      JSON.parse(JSON.stringify(answer)),
      JSON.parse(row.message!),
      say(),
    );
    const { continues } = JSON.parse(row.options);
    if (continues !== undefined) {
      const before = await inner.run(continues);
      assert(
        answerText(answer).startsWith(answerText(JSON.parse(before!.message!))),
        say(),
      );
    }
  }
  await reading;
  assertEquals(it.runs.readers, 0);
  over = true;
  it.model.stream(
    { messages: [], tools: [], temperature: 0 },
    () => {},
    new AbortController().signal,
  );
  await answering;
  return seen.count;
}

for (const late of [false, true]) {
  Deno.test(`N9, streaming X06: whichever call of the store is ${late ? "lost" : "refused"}, once or for a while, each question is answered once`, async () => {
    const calls = await scene(0, 0, late);
    for (let n = 1; n <= calls; n++) {
      await scene(n, n, late);
      if (n % 3 === 0) await scene(n, n + 4, late);
    }
  });
}
