import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import fc from "fast-check";
import { typed } from "../../lib/models/demo/typed.ts";
import { createPace, pieces } from "../../lib/models/demo/typing.ts";

Deno.test("a demo answer is typed no further than it is read", async () => {
  let made = 0;
  const source = (function* () {
    for (;;) {
      made++;
      yield "x".repeat(1024);
    }
  })();
  const stream = typed(source, createPace(Infinity, 0));
  assertEquals(made, 0, "nothing before the first read");
  const reader = stream.getReader();
  await reader.read();
  const after = made;
  assert(after <= 17, `${after} frames for one read`);
  await reader.cancel();
  assertEquals(made, after, "nothing after the reader left");
});

Deno.test("a reader that leaves ends the typing in the middle of a wait", async () => {
  using time = new FakeTime();
  let made = 0;
  const source = (function* () {
    for (;;) yield `${made++}`;
  })();
  const reader = typed(source, createPace(10, 1000, () => Date.now()))
    .getReader();
  const first = reader.read();
  assertEquals(made, 0);
  await time.tickAsync(1000);
  await first;
  const second = reader.read();
  const before = made;
  await reader.cancel();
  assertEquals((await second).done, true);
  await time.tickAsync(60_000);
  assertEquals(made, before);
});

Deno.test("a reader that leaves before the first token leaves no timer", async () => {
  // An hour's wait: the sanitizers would see its timer.
  const pace = createPace(1, 3_600_000);
  const waiting = Promise.withResolvers<void>();
  const source = (function* () {
    yield "never";
  })();
  const reader = typed(source, {
    due(signal) {
      waiting.resolve();
      return pace.due(signal);
    },
  }).getReader();
  const first = reader.read();
  await waiting.promise;
  await reader.cancel();
  assertEquals((await first).done, true);
});

Deno.test("createPace() types at the asked speed", async () => {
  using time = new FakeTime();
  const pace = createPace(40, 250, () => Date.now());
  const { signal } = new AbortController();
  let count = 0;
  let typing = true;
  const done = (async () => {
    while (typing) count += await pace.due(signal);
  })();
  await time.tickAsync(249);
  assertEquals(count, 0, "the first token is not there yet");
  for (let ms = 0; ms < 2000; ms += 25) await time.tickAsync(25);
  typing = false;
  await time.tickAsync(100);
  await done;
  assert(count >= 70 && count <= 90, `${count} tokens in two seconds`);
});

// Everything the cutting looks at, and halves of a surrogate pair.
const UNIT = fc.constantFrom(
  ..."ab,. \n\r\t汉字，。）👩",
  "\u200d",
  "\ud83d",
  "\udc4d",
);

Deno.test("pieces() cuts like a model and loses nothing", () => {
  assertEquals(pieces("The next bus, please."), [
    "The",
    " next",
    " bus,",
    " please.",
  ]);
  assertEquals(pieces("下一班公交是几点？"), [
    "下一",
    "班公",
    "交是",
    "几点？",
  ]);
  assertEquals(pieces("a\n\n  b "), ["a", "\n\n ", " b", " "]);
  fc.assert(
    fc.property(fc.string({ unit: UNIT, maxLength: 200 }), (text) => {
      assertEquals(pieces(text).join(""), text);
    }),
  );
  for (const piece of pieces("a".repeat(100) + "汉".repeat(100))) {
    assert(piece.length <= 13, piece);
  }
});
