/** What comes along where a question stands in the place of another. */
import { assert, assertEquals } from "@std/assert";
import { ModelError } from "../../lib/agent/contracts.ts";
import { drain, open, stage } from "../helpers/run_stage.ts";

const reset = new ModelError("upstream_reset", "Gone", { retryable: true });

Deno.test("turns asked after an answer that broke off are there when that is gone on with later", async () => {
  await using it = stage();
  const { run, chat } = await it.start("one");
  const puppet = await it.model.next();
  puppet.say("half ").fail(reset);
  await drain(await open(it.runs, run));
  const later = await it.runs.start({ owner: "me", chat, text: "two" });
  assert(later.kind === "started");
  (await it.model.next()).say("2").finish();
  await drain(await open(it.runs, later.run));
  const on = await it.runs.start({ owner: "me", chat, continues: run });
  assert(on.kind === "started");
  (await it.model.next()).say("whole").finish();
  await drain(await open(it.runs, on.run));
  const [first] = (await it.runs.chat("me", chat))!.turns;
  assertEquals(first?.versions, [run, on.run]);
  assert(await it.runs.show("me", chat, first!.versions![0]!));
  assertEquals(
    (await it.runs.chat("me", chat))!.turns.map(({ answer }) => answer.run),
    [run, later.run],
  );
});

Deno.test("an edited question keeps its images, unless others come with it", async () => {
  const image = "data:image/png;base64,iVBORw0KGgo=";
  await using it = stage();
  const first = await it.runs.start({
    owner: "me",
    text: "What?",
    images: [image],
  });
  assert(first.kind === "started");
  const { run, chat } = first;
  (await it.model.next()).say("A cat").finish();
  await drain(await open(it.runs, run));
  await it.runs.start({
    owner: "me",
    chat,
    replaces: run,
    text: "What is it?",
  });
  const asked = await it.model.next();
  assertEquals(asked.request.messages.at(-1), {
    role: "user",
    text: "What is it?",
    images: [image],
  });
});

Deno.test("T03: what a program said was said before stands before an answer that is gone on with, or given anew", async () => {
  await using it = stage();
  const context = [
    { role: "user" as const, text: "I am Ann." },
    { role: "assistant" as const, text: "Hello Ann." },
  ];
  const first = await it.runs.start({
    owner: "me",
    text: "Who am I?",
    asked: { hidden: true, unattended: true, context },
  });
  assert(first.kind === "started");
  const { run, chat } = first;
  (await it.model.next()).say("You are ").fail(reset);
  await drain(await open(it.runs, run));
  for (const how of ["continues", "replaces"] as const) {
    const next = await it.runs.start({ owner: "me", chat, [how]: run });
    assert(next.kind === "started");
    const asked = await it.model.next();
    assertEquals(asked.request.messages.slice(1, 4).map(({ text }) => text), [
      "I am Ann.",
      "Hello Ann.",
      "Who am I?",
    ]);
    asked.say("Ann.").finish();
    await drain(await open(it.runs, next.run));
  }
});
