/** One answer on the screen: what is rung, and when. */
import { assertEquals } from "@std/assert";
import { emptyAnswer } from "../../lib/chat/answer.ts";
import type { RunEvent } from "../../lib/chat/events.ts";
import { createAnswerModel } from "../../lib/ui/answer_model.ts";
import { createTypewriter } from "../../lib/ui/typewriter.ts";
import { FakePage } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";
import { FINISH, richRun, runId, startOf, text } from "./scripts.ts";

const RUN = runId("r");

function desk() {
  const page = new FakePage(new FakeServer());
  const model = createAnswerModel(
    emptyAnswer(RUN),
    createTypewriter(page),
    page.now,
  );
  let seq = 0;
  const say = (...events: RunEvent[]) =>
    events.map((event) => model.apply({ epoch: 1, seq: ++seq, event }, true));
  return { page, model, say };
}

Deno.test("a delta rings its own part and nothing else", () => {
  const { model, say } = desk();
  say(startOf(RUN), ...text("a", "done"), { type: "text-start", id: "b" });
  const rings = { parts: 0, meta: 0, a: 0, b: 0 };
  model.parts.subscribe(() => void rings.parts++);
  model.meta.subscribe(() => void rings.meta++);
  const [a, b] = model.parts.value;
  a!.version.subscribe(() => void rings.a++);
  b!.version.subscribe(() => void rings.b++);
  const before = { ...rings };
  say({ type: "text-delta", id: "b", off: 0, delta: "x" });
  assertEquals(rings, { ...before, b: before.b + 1 });
});

Deno.test("an answer that ends shows everything, whatever the typewriter was at", () => {
  const { model, say } = desk();
  say(startOf(RUN), ...text("a", "long ".repeat(50)));
  const typed = model.parts.value[0]!.typed!;
  assertEquals(typed.shown.value, 0);
  assertEquals(say(FINISH), ["over"]);
  assertEquals(typed.shown.value, 250);
  assertEquals(model.status.value, "complete");
});

Deno.test("a full replay keeps the models of the parts, and what they show", () => {
  const { model, say } = desk();
  const events = richRun(RUN);
  say(...events.slice(0, 14));
  const before = model.parts.value;
  model.restart();
  assertEquals(model.cursor(), null);
  events.slice(0, 14).forEach((event, at) => {
    assertEquals(model.parts.value, before, "nothing moves before it is over");
    model.apply({ epoch: 1, seq: at + 1, event }, false);
  });
  assertEquals(model.parts.value.map((p) => p.key), before.map((p) => p.key));
  assertEquals(model.parts.value[1], before[1]);
  const typed = model.parts.value.at(-1)!.typed!;
  assertEquals(typed.shown.value, 5);
});

Deno.test("an answer from a log of another epoch goes on under the new one", () => {
  const { model, say } = desk();
  say(startOf(RUN), { type: "text-start", id: "a" });
  assertEquals(
    model.apply({
      epoch: 2,
      seq: 3,
      event: { type: "text-delta", id: "a", off: 0, delta: "taken over" },
    }, true),
    "more",
  );
  assertEquals(
    model.apply({
      epoch: 1,
      seq: 9,
      event: { type: "text-delta", id: "a", off: 0, delta: "late writer" },
    }, true),
    "more",
  );
  assertEquals(model.answer.parts[0], {
    kind: "text",
    id: "a",
    text: "taken over",
    done: false,
  });
});

Deno.test("the moment of a failure is kept, for waits that are shown", () => {
  const { page, model, say } = desk();
  page.time = 5_000;
  say(startOf(RUN), {
    type: "error",
    errorText: "busy",
    code: "upstream_rate_limited",
    retryable: true,
    retryAfterMs: 9_000,
  });
  assertEquals(model.failedAt.value, 5_000);
  assertEquals(model.status.value, "failed");
});
