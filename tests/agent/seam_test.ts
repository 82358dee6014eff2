/** Where a model goes on with a text, whatever of it the model says again. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Seam } from "../../lib/agent/seam.ts";

/** What is shown behind `shown` when the model says `words`, piece by piece. */
function behind(shown: string, ...words: string[]): string {
  const seam = new Seam(shown);
  return words.map((piece) => seam.hear(piece)).join("") + seam.rest();
}

const SHOWN = "The first bus leaves at six. The second bus lea";

for (
  const [what, words, expected] of [
    ["goes on in the middle of a word", "ves at seven.", "ves at seven."],
    ["begins the broken word again", "leaves at seven.", "ves at seven."],
    ["says the last words again", "second bus leaves at 7.", "ves at 7."],
    ["says all of it again", `${SHOWN}ves at seven.`, "ves at seven."],
    ["says nothing", "", ""],
    ["says the last words only", "The second bus lea", ""],
    ["begins from the top and breaks off again", "The first bus leaves", ""],
    ["uses words that were there before", "The end.", "The end."],
    ["says something else", "\n\nThat is all.", "\n\nThat is all."],
  ] as const
) {
  Deno.test(`N5: a model that ${what} is shown without a repeat`, () => {
    assertEquals(behind(SHOWN, words), expected);
    assertEquals(behind(SHOWN, ...words), expected);
  });
}

Deno.test("N5: Chinese text is gone on with, and a sentence said again is not shown twice", () => {
  const shown = "第一班车六点开。第二班车";
  assertEquals(behind(shown, "七点开。"), "七点开。");
  assertEquals(behind(shown, "第一班车六点开。第二班车七点开。"), "七点开。");
});

Deno.test("N5: a short word that ends a text and begins the next one is no repeat", () => {
  assertEquals(behind("He said that ", "that is so"), "that is so");
  assertEquals(behind("1, 2, ", "2, 3"), "2, 3");
});

Deno.test("N5: what is shown does not depend on how the words were cut, and only beginnings are ever left out", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "长", "\n") });
  fc.assert(fc.property(text, fc.array(text), (shown, words) => {
    const all = words.join("");
    const whole = behind(shown, all);
    assertEquals(behind(shown, ...words), whole);
    assertEquals(all.endsWith(whole), true);
  }));
});

Deno.test("N5: a text of one line over and over, cut at its greatest length, is gone on with in no time", () => {
  for (const line of ["-", "no ", "\n"]) {
    const shown = line.repeat(60_000 / line.length);
    const words = Array.from({ length: 15_010 }, () => line.repeat(4));
    const began = performance.now();
    const rest = behind(shown, ...words);
    const ms = performance.now() - began;
    assertEquals(rest.length, words.join("").length - shown.length);
    // Word by word against every place it took a minute.
    assertEquals(ms < 3_000, true, `${ms} ms`);
  }
});
