/** The agent asks, the person answers: what the screen knows of it. */
import { assertEquals } from "@std/assert";
import { answered, callThatAsks, runAsks, toolDone } from "./asking_script.ts";
import { settle } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";
import { CHAT, load, RUN, turn, view } from "./loaded_page.ts";
import { FINISH, runId, startOf, text } from "./scripts.ts";

const ASKS = callThatAsks({ to: "a@b.example" });

/** A page on which the agent has just asked. */
async function asked() {
  const page = await load();
  page.model.send("Write a mail");
  await settle();
  page.server.append(RUN, ...ASKS);
  await settle();
  return page;
}

Deno.test("T01: an open question is counted until the tape brings the decision", async () => {
  const { server, model, close } = await asked();
  assertEquals([model.phase.value, model.asking.value], ["running", 1]);
  await model.questions.say(RUN, "a_1", "once");
  assertEquals(server.to(/approvals/).map(({ path, body }) => [path, body]), [
    [`/api/runs/${RUN}/approvals/a_1`, { decision: "once" }],
  ]);
  const saying = model.questions.saying("a_1");
  assertEquals(saying.value, { kind: "sending", say: "once" });
  assertEquals(model.asking.value, 1, "not before it is on the tape");
  server.append(RUN, answered("once"));
  await settle();
  assertEquals(model.asking.value, 0);
  server.append(RUN, toolDone, ...text("t", "Done."), FINISH);
  await settle();
  assertEquals(model.phase.value, "idle");
  close();
});

Deno.test("T04: pressed twice, one answer goes out", async () => {
  const { server, model, close } = await asked();
  model.questions.say(RUN, "a_1", "once");
  model.questions.say(RUN, "a_1", "denied");
  await settle();
  assertEquals(server.to(/approvals/).length, 1);
  close();
});

for (
  const [status, code, why] of [
    [409, "already_answered", "already_answered"],
    [409, "run_over", "run_over"],
    [409, "expired", "expired"],
    [409, "from_the_future", "failed"],
    [404, "not_found", "gone"],
    [401, "", "signIn"],
    [503, "engine_unavailable", "failed"],
    [0, "", "failed"],
  ] as const
) {
  Deno.test(`T05: an answer refused with ${status} ${code} says why: ${why}`, async () => {
    const { server, model, close } = await asked();
    server.replies.push({
      path: /approvals/,
      reply: status === 0
        ? "network error"
        : Response.json({ code }, { status }),
    });
    await model.questions.say(RUN, "a_1", "chat");
    assertEquals(model.questions.saying("a_1").value, { kind: "late", why });
    await model.questions.say(RUN, "a_1", "chat");
    assertEquals(server.to(/approvals/).length, 2, "it can be tried again");
    close();
  });
}

Deno.test("a reload in the middle shows the question, and a run that is over asks nobody", async () => {
  const server = new FakeServer();
  server.append(RUN, startOf(RUN), ...ASKS);
  const chat = view(CHAT, turn("q", RUN, startOf(RUN), ...ASKS));
  const { model, close } = await load({ server, chat });
  assertEquals(model.asking.value, 1);
  server.append(
    RUN,
    {
      type: "tool-output-error",
      toolCallId: "c1",
      errorText: "aborted",
      ms: 0,
      dynamic: true,
      providerExecuted: true,
    },
    { type: "abort", reason: "user" },
  );
  await settle();
  assertEquals([model.phase.value, model.asking.value], ["idle", 0]);
  close();
});

Deno.test("T13: a question about the run itself is counted too, and stop() still ends it", async () => {
  const { server, model, close } = await load();
  model.send("Do it all");
  await settle();
  server.append(RUN, runAsks("steps"));
  await settle();
  assertEquals(model.asking.value, 1);
  model.stop();
  assertEquals(model.asking.value, 0, "who stops has answered");
  await settle();
  assertEquals(server.to(/stop$/).length, 1);
  close();
});

Deno.test("a question of an older answer is nobody's business", async () => {
  const chat = view(
    CHAT,
    turn("old", runId("z"), startOf(runId("z")), ...ASKS),
    turn("new", RUN, startOf(RUN), FINISH),
  );
  const { model, close } = await load({ chat });
  assertEquals(model.asking.value, 0);
  close();
});
