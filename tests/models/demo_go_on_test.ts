/** The demo model goes on with an answer that broke off, wherever it did. */
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import { startApp } from "../helpers/app.ts";
import { started } from "../helpers/run_client.ts";
import { withDemo } from "./demo_helpers.ts";

const GO_ON = {
  role: "user",
  content: "Your answer above broke off. Go on exactly where it ends.",
};

Deno.test("the demo model goes on in either language after every word it said, and after words it never said", async () => {
  await withDemo(async ({ chat }) => {
    for (const question of ["What can you do?", "你能做什么？"]) {
      const asked = { role: "user", content: question };
      const { content: whole } = await chat(question);
      for (let at = 1; at < whole.length; at += 7) {
        const said = { role: "assistant", content: whole.slice(0, at) };
        const { content } = await chat(GO_ON.content, [asked, said]);
        assertEquals(content, whole.slice(at));
      }
      const strange = { role: "assistant", content: "Once upon a time" };
      const { content } = await chat(GO_ON.content, [asked, strange]);
      assertEquals(content, whole);
    }
  });
});

Deno.test("safety R07: an answer of the demo model that was cut is whole after Continue, without a key", async () => {
  await using app = await startApp();
  const { run_id, chat_id } = await started(app, { text: "/demo cut" });
  await app.over(run_id);
  const { owner } = (await app.services.store.run(run_id))!;
  const cut = (await app.services.runs.view(owner, run_id))!.answer;
  const next = await app.services.runs.start({
    owner,
    chat: chat_id,
    continues: run_id,
  });
  assert(next.kind === "started");
  await app.over(next.run);
  const whole = (await app.services.runs.view(owner, next.run))!.answer;
  assertEquals(whole.status, "complete");
  assert(answerText(whole).startsWith(answerText(cut)));
  assert(answerText(whole).length > answerText(cut).length);
});
