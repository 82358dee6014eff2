/** How much of an arrived text is shown, and when. */
import { assert, assertEquals } from "@std/assert";
import { createTypewriter, LAG_MS } from "../../lib/ui/typewriter.ts";
import { FakePage } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";

function desk() {
  const page = new FakePage(new FakeServer());
  return { page, typewriter: createTypewriter(page) };
}

Deno.test("a typewriter shows every character at most 300 ms after it arrived, at any pace", () => {
  for (const [lump, everyMs] of [[4, 16], [1, 200], [80, 25], [4_000, 400]]) {
    const { page, typewriter } = desk();
    const typed = typewriter.type("");
    const arrivals: { at: number; length: number }[] = [];
    let text = "";
    let next = 0;
    for (let frame = 0; frame < 300; frame++) {
      while (page.time >= next && arrivals.length < 12) {
        text += "x".repeat(lump!);
        typed.arrive(text, true);
        arrivals.push({ at: page.time, length: text.length });
        next += everyMs!;
      }
      page.frameNow();
      for (const { at, length } of arrivals) {
        if (page.time - at > 300) {
          assert(typed.shown.value >= length, `${length} late at ${page.time}`);
        }
      }
    }
    assertEquals(typed.shown.value, text.length);
    assertEquals(page.waitingFrames, 0, "no frames are asked for when idle");
  }
});

Deno.test("a lump is typed out over several frames, never backwards", () => {
  const { page, typewriter } = desk();
  const typed = typewriter.type("");
  typed.arrive("a".repeat(60), true);
  const steps: number[] = [typed.shown.value];
  while (typed.shown.value < 60) {
    page.frameNow();
    steps.push(typed.shown.value);
  }
  assert(steps.length > 8, "typed, not dumped");
  assert(page.time <= LAG_MS + 16);
  const sizes = steps.slice(1).map((at, i) => at - steps[i]!);
  assert(sizes.every((size) => size >= 0 && size <= 10), sizes.join(" "));
});

Deno.test("frames that come late do not make the text late", () => {
  const { page, typewriter } = desk();
  const typed = typewriter.type("");
  typed.arrive("a".repeat(1_000), true);
  for (let i = 0; i < 3; i++) page.frameNow(100);
  assertEquals(typed.shown.value, 1_000);
});

Deno.test("replayed text is there at once and is not typed again", () => {
  const { page, typewriter } = desk();
  const typed = typewriter.type("shown by the server");
  assertEquals(typed.shown.value, 19);
  typed.arrive("shown by the server, and replayed", false);
  assertEquals(typed.shown.value, 33);
  assertEquals(page.waitingFrames, 0);
  typed.arrive("shown by the server", false);
  assertEquals(typed.shown.value, 19, "a shorter text cannot show more");
  typed.arrive("shown by the server, and replayed", true);
  assertEquals(typed.shown.value, 33, "what was shown is never typed again");
});

Deno.test("a surrogate pair is never cut", () => {
  const { page, typewriter } = desk();
  const typed = typewriter.type("");
  const text = "👍".repeat(40);
  typed.arrive(text, true);
  while (typed.shown.value < text.length) {
    page.frameNow();
    assert(text.slice(0, typed.shown.value).isWellFormed());
  }
});

Deno.test("flush() and stillness show everything", () => {
  const { page, typewriter } = desk();
  const one = typewriter.type("");
  const two = typewriter.type("");
  one.arrive("a".repeat(100), true);
  two.arrive("b".repeat(100), true);
  typewriter.flush();
  assertEquals([one.shown.value, two.shown.value], [100, 100]);
  assertEquals(page.waitingFrames, 0);
  one.arrive("a".repeat(200), true);
  page.isStill = true;
  page.frameNow();
  assertEquals(one.shown.value, 200);
  one.arrive("a".repeat(300), true);
  assertEquals(one.shown.value, 300, "with reduced motion nothing is typed");
});
