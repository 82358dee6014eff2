/** Versions of a turn: edited, answered anew, and shown again. */
import { assert, assertEquals } from "@std/assert";
import type { StartRequest } from "../../lib/runs/mod.ts";
import { openStore } from "../../lib/store/mod.ts";
import { drain, open, stage } from "../helpers/run_stage.ts";

type Stage = ReturnType<typeof stage>;

/** Asks, answers with the words, and gives the run. */
async function turn(
  it: Stage,
  request: Omit<StartRequest, "owner">,
  words: string,
): Promise<string> {
  const outcome = await it.runs.start({ owner: "me", ...request });
  assert(outcome.kind === "started", outcome.kind);
  const puppet = await it.model.next();
  puppet.say(words).finish();
  await drain(await open(it.runs, outcome.run));
  return outcome.run;
}

async function shown(it: Stage, chat: string) {
  const view = (await it.runs.chat("me", chat))!;
  return view.turns.map(({ text, answer, versions }) => ({
    text,
    run: answer.run,
    versions: versions ?? [],
  }));
}

async function talk(it: Stage) {
  const first = await turn(it, { text: "one" }, "1");
  const chat = (await it.runs.view("me", first))!.chat_id;
  const second = await turn(it, { chat, text: "two" }, "2");
  const third = await turn(it, { chat, text: "three" }, "3");
  return { chat, first, second, third };
}

Deno.test("an answer given anew stands beside the old one, and the model is not told of that", async () => {
  await using it = stage();
  const { chat, third } = await talk(it);
  const outcome = await it.runs.start({ owner: "me", chat, replaces: third });
  assert(outcome.kind === "started");
  const puppet = await it.model.next();
  assertEquals(puppet.request.messages.slice(1).map(({ text }) => text), [
    "one",
    "1",
    "two",
    "2",
    "three",
  ]);
  puppet.say("3!").finish();
  await drain(await open(it.runs, outcome.run));
  assertEquals((await shown(it, chat)).at(-1), {
    text: "three",
    run: outcome.run,
    versions: [third, outcome.run],
  });
});

Deno.test("an edited question begins a branch; the old one is there as it was, and either can be shown and gone on with", async () => {
  await using it = stage();
  const { chat, first, second, third } = await talk(it);
  const edited = await turn(it, { chat, replaces: second, text: "zwei" }, "II");
  assertEquals(await shown(it, chat), [
    { text: "one", run: first, versions: [] },
    { text: "zwei", run: edited, versions: [second, edited] },
  ]);
  assertEquals(await it.runs.show("me", chat, second), true);
  assertEquals((await shown(it, chat)).map(({ run }) => run), [
    first,
    second,
    third,
  ]);
  // Asked on the branch that is shown.
  const fourth = await turn(it, { chat, text: "four" }, "4");
  assertEquals((await it.store.run(fourth))?.parent, third);
  assertEquals(await it.runs.show("me", chat, edited), true);
  assertEquals((await shown(it, chat)).map(({ text }) => text), [
    "one",
    "zwei",
  ]);
  assertEquals(await it.runs.show("me", chat, second), true);
  assertEquals((await shown(it, chat)).at(-1)?.run, fourth);
});

Deno.test("the first question can be edited too", async () => {
  await using it = stage();
  const { chat, first } = await talk(it);
  const edited = await turn(it, { chat, replaces: first, text: "eins" }, "I");
  assertEquals(await shown(it, chat), [
    { text: "eins", run: edited, versions: [first, edited] },
  ]);
});

Deno.test("what is replaced, continued or shown must be a run of this chat and this owner", async () => {
  await using it = stage();
  const { chat } = await talk(it);
  const other = await turn(it, { text: "elsewhere" }, "e");
  const start = (request: Omit<StartRequest, "owner">) =>
    it.runs.start({ owner: "me", chat, ...request });
  assertEquals(await start({ replaces: other }), { kind: "no-turn" });
  assertEquals(await start({ continues: other }), { kind: "no-turn" });
  assertEquals(await it.runs.show("me", chat, other), false);
  const theirs = await it.runs.start({ owner: "you", chat, replaces: other });
  assertEquals(theirs, { kind: "no-chat" });
  assertEquals(await it.runs.show("you", chat, other), false);
});

Deno.test("N12: which branch is shown outlives the process", async () => {
  const store = openStore({ kind: "memory" });
  const it = stage({ store });
  const { chat, second, third } = await talk(it);
  await turn(it, { chat, replaces: second, text: "zwei" }, "II");
  await it.runs.show("me", chat, second);
  await it.runs.close();
  await using next = stage({ store });
  assertEquals((await shown(next, chat)).at(-1)?.run, third);
});

Deno.test("safety P06: a chat that is deleted is gone with all its branches, and its run ends without a word", async () => {
  await using it = stage();
  const { chat, first } = await talk(it);
  const outcome = await it.runs.start({ owner: "me", chat, text: "more" });
  assert(outcome.kind === "started");
  const puppet = await it.model.next();
  const reader = await open(it.runs, outcome.run);
  assertEquals(await it.runs.remove("you", chat), false);
  assertEquals(await it.runs.remove("me", chat), true);
  await puppet.aborted;
  await drain(reader);
  assertEquals(await it.runs.chat("me", chat), null);
  assertEquals(await it.runs.view("me", first), null);
  assertEquals(await it.runs.remove("me", chat), false);
});

Deno.test("everything an owner asked can be taken along, with every branch and what was kept", async () => {
  const image = "data:image/png;base64,iVBORw0KGgo=";
  await using it = stage();
  const { chat, second } = await talk(it);
  const edited = await turn(it, {
    chat,
    replaces: second,
    text: "zwei",
    images: [image],
  }, "II");
  await turn(it, {
    text: "by a program",
    asked: { hidden: true, unattended: true, context: [] },
  }, "p");
  const chats = await Array.fromAsync(it.runs.export("me"));
  assertEquals(chats.map(({ hidden }) => hidden), [true, false]);
  assertEquals(chats[1]!.shown, edited);
  assertEquals(chats[1]!.runs.map(({ text }) => text), [
    "one",
    "two",
    "three",
    "zwei",
  ]);
  assertEquals(chats[1]!.runs.at(-1)?.kept, { "image-1": image });
  assertEquals(await Array.fromAsync(it.runs.export("you")), []);
});
