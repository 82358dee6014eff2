/**
 * Going on with an answer that broke off (decision 8): a new run whose log begins
 * with what was shown, so that nothing is taken back and a crash leaves one of two
 * whole states.
 */
import { assert, assertEquals } from "@std/assert";
import * as z from "zod";
import type { Tool } from "../../lib/agent/contracts.ts";
import { type Answer, answerText } from "../../lib/chat/answer.ts";
import { ModelError } from "../../lib/agent/contracts.ts";
import { openStore } from "../../lib/store/mod.ts";
import { drain, folded, open, stage } from "../helpers/run_stage.ts";

type Stage = ReturnType<typeof stage>;

async function told(it: Stage, run: string): Promise<Answer> {
  return folded(await drain(await open(it.runs, run)));
}

async function goOn(it: Stage, chat: string, continues: string, key?: string) {
  const outcome = await it.runs.start({
    owner: "me",
    chat,
    continues,
    idempotencyKey: key,
  });
  assert(outcome.kind === "started", outcome.kind);
  return outcome.run;
}

const reset = new ModelError("upstream_reset", "Gone", { retryable: true });

/** An answer that has shown these words and then broke off. */
async function broken(it: Stage, ...words: string[]) {
  const { run, chat } = await it.start("Question?");
  const puppet = await it.model.next();
  puppet.say(...words);
  puppet.fail(reset);
  return { run, chat, answer: await told(it, run) };
}

const look: Tool = {
  name: "look",
  description: "Looks",
  input: z.object({}),
  effect: "read",
  run: () => ({ text: "seen" }),
};

Deno.test("safety R07 N5: an answer that broke off is gone on with in the very part it ended in", async () => {
  await using it = stage();
  const { run, chat, answer } = await broken(it, "The bus lea");
  assertEquals(answer.status, "failed");
  const next = await goOn(it, chat, run);
  const asked = await it.model.next();
  assertEquals(asked.request.messages.map(({ role }) => role), [
    "system",
    "user",
    "assistant",
    "user",
  ]);
  assertEquals(asked.request.messages[2]!.text, "The bus lea");
  asked.say("leaves ", "at six.").finish();
  const whole = await told(it, next);
  assertEquals(answerText(whole), "The bus leaves at six.");
  assertEquals(whole.status, "complete");
  assertEquals(whole.parts.map(({ kind }) => kind), ["step", "text"]);
});

Deno.test("N5: a model that thinks before it goes on adds to the same text", async () => {
  await using it = stage();
  const { run, chat } = await broken(it, "One, ");
  const next = await goOn(it, chat, run);
  const asked = await it.model.next();
  asked.emit({ type: "reasoning", delta: "Where was I?" });
  asked.say("two.").finish();
  const whole = await told(it, next);
  assertEquals(answerText(whole), "One, two.");
  assertEquals(whole.parts.map(({ kind }) => kind), [
    "step",
    "text",
    "reasoning",
  ]);
});

Deno.test("N5, safety R02: tools of a broken-off answer are facts, and a call made while going on stands behind all of the text", async () => {
  await using it = stage({ tools: [look] });
  const { run, chat } = await it.start();
  (await it.model.next()).call("look", {}, "c1");
  const second = await it.model.next();
  second.say("I have ");
  second.fail(reset);
  await told(it, run);
  const next = await goOn(it, chat, run);
  const asked = await it.model.next();
  assertEquals(asked.request.messages.map(({ role }) => role), [
    "system",
    "user",
    "assistant",
    "tool",
    "assistant",
    "user",
  ]);
  asked.say("looked, and look again.").call("look", {}, "c1");
  const last = await it.model.next();
  assertEquals(last.request.messages.slice(4), [
    {
      role: "assistant",
      text: "I have looked, and look again.",
      toolCalls: [{ id: "c1-2", name: "look", arguments: "{}" }],
    },
    { role: "tool", toolCallId: "c1-2", text: "seen" },
  ]);
  last.say("Done.").finish();
  const whole = await told(it, next);
  assertEquals(
    answerText(whole),
    "I have looked, and look again.\n\nDone.",
  );
  assertEquals(whole.status, "complete");
});

Deno.test("N5: an answer that broke off inside a tool is gone on with by another step", async () => {
  const hang: Tool = { ...look, run: () => new Promise<never>(() => {}) };
  await using it = stage({ tools: [hang] });
  const { run, chat } = await it.start();
  const first = await it.model.next();
  first.say("Let me look.").call("look", {}, "c1");
  while (
    !(await it.runs.view("me", run))!.answer.parts.some((part) =>
      part.kind === "tool" && part.state === "running"
    )
  ) await new Promise((resolve) => setTimeout(resolve, 1));
  await it.runs.stop("me", run);
  assertEquals((await told(it, run)).status, "stopped");
  const next = await goOn(it, chat, run);
  const asked = await it.model.next();
  assertEquals(asked.request.messages.at(-1), {
    role: "tool",
    toolCallId: "c1",
    text: "aborted",
  });
  asked.say("I could not look.").finish();
  assertEquals(
    answerText(await told(it, next)),
    "Let me look.\n\nI could not look.",
  );
});

Deno.test("N5: an answer cut at its greatest length is gone on with; a whole one, or one that said nothing, is not", async () => {
  await using it = stage();
  const { run, chat } = await it.start();
  (await it.model.next()).say("as long as ").finish({ finishReason: "length" });
  await told(it, run);
  const next = await goOn(it, chat, run);
  (await it.model.next()).say("it takes").finish();
  assertEquals(answerText(await told(it, next)), "as long as it takes");
  const again = await it.runs.start({ owner: "me", chat, continues: next });
  assertEquals(again.kind, "not-broken-off");

  const { run: silent, chat: other } = await it.start();
  (await it.model.next()).fail(reset);
  await told(it, silent);
  const none = await it.runs.start({
    owner: "me",
    chat: other,
    continues: silent,
  });
  assertEquals(none.kind, "not-broken-off");
});

Deno.test("safety R07: the answer that was gone on with stands in the place of the one that broke off, for people and for the model", async () => {
  await using it = stage();
  const { run, chat } = await broken(it, "half ");
  const next = await goOn(it, chat, run);
  (await it.model.next()).say("and half").finish();
  await told(it, next);
  const view = (await it.runs.chat("me", chat))!;
  assertEquals(
    view.turns.map(({ answer, versions }) => [answer.run, versions]),
    [[next, undefined]],
  );
  await it.runs.start({ owner: "me", chat, text: "And then?" });
  const asked = await it.model.next();
  assertEquals(asked.request.messages.slice(1).map(({ text }) => text), [
    "Question?",
    "half and half",
    "And then?",
  ]);
  asked.finish();
});

Deno.test("safety R07 N5: an answer may break off at every word, and be gone on with each time", async () => {
  await using it = stage();
  const words = "Nobody waits for the whole of it, 谁都不用等。".match(
    /.{1,4}/gu,
  )!;
  let { run, chat, answer } = await broken(it, words[0]!);
  for (const [i, word] of words.entries()) {
    if (i === 0) continue;
    const before = answerText(answer);
    run = await goOn(it, chat, run);
    const asked = await it.model.next();
    asked.say(word);
    if (i === words.length - 1) asked.finish();
    else asked.fail(reset);
    answer = await told(it, run);
    assert(answerText(answer).startsWith(before));
  }
  assertEquals(answerText(answer), words.join(""));
  assertEquals((await it.runs.chat("me", chat))!.turns.length, 1);
});

Deno.test("N4 N5: a crash while an answer is gone on with leaves all that was shown, and it is gone on with again", async () => {
  const store = openStore({ kind: "memory" });
  await using first = stage({ store });
  await using second = stage({ store });
  const { run, chat } = await broken(first, "one ");
  const next = await goOn(first, chat, run);
  await first.model.next();
  await store.renew(next, 1, -1);
  await second.runs.sweep();
  const answer = await told(second, next);
  assertEquals([answer.status, answerText(answer)], ["interrupted", "one "]);
  const last = await goOn(second, chat, next);
  (await second.model.next()).say("two").finish();
  assertEquals(answerText(await told(second, last)), "one two");
});

Deno.test("N10: going on is asked for once, however often the request comes", async () => {
  await using it = stage({ limits: { questionsPerMinute: Infinity } });
  const { run, chat } = await broken(it, "one ");
  const runs = await Promise.all(
    Array.from({ length: 20 }, () => goOn(it, chat, run, "key-1")),
  );
  assertEquals(new Set(runs).size, 1);
  (await it.model.next()).say("two").finish();
  await told(it, runs[0]!);
  assertEquals(it.model.count, 2);
});

Deno.test("T05: what nobody had allowed before an answer broke off is asked anew, not remembered", async () => {
  const save: Tool = { ...look, name: "save", effect: "write" };
  await using it = stage({ tools: [save] });
  const { run, chat } = await it.start();
  (await it.model.next()).say("I will save.").call("save", {}, "c1");
  while ((await it.store.run(run))!.leaseOwner !== null) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await it.runs.stop("me", run);
  await told(it, run);
  const next = await goOn(it, chat, run);
  const asked = await it.model.next();
  assertEquals(asked.request.messages.at(-1)?.role, "tool");
  asked.call("save", {}, "c2");
  while ((await it.store.run(next))!.leaseOwner !== null) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { answer } = (await it.runs.view("me", next))!;
  assertEquals(
    answer.parts.flatMap((part) => part.kind === "tool" ? [part.state] : []),
    ["failed", "waiting"],
  );
});
