/**
 * The cases of reliability, by the numbers of two lists: safety R01 to R32 and
 * streaming R01 to R19. Each has a test that cites it in its name.
 *
 * Both lists use the same letters. In a name the list stands before the numbers
 * and holds for all that follow, to the next list or the colon:
 * `safety R08, streaming R01 R02: …`. Letters that only one list has need none.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ROOT, sources } from "./imports.ts";

type List = "safety" | "streaming";

const numbered = (list: List, last: number): string[] =>
  Array.from(
    { length: last },
    (_, n) => `${list} R${String(n + 1).padStart(2, "0")}`,
  );

const CASES = [...numbered("safety", 32), ...numbered("streaming", 19)];

/** Cases no test can prove yet, and why. */
const UNMET: Record<string, string> = {};

/** The first text after `test(`, `faultTest({ name:` and their like, or a key of a table of tests. */
const NAME =
  /(?:\b\w*[tT]est(?:InDir)?\(\s*(?:\{\s*name:\s*)?|^\s+(?=["`][^"`\n]*["`]:\s))(["`])((?:\\.|(?!\1)[^\\])*)\1/gm;
/** As in `safety R01 R02` and `streaming X02, N8`. */
const CITED = /\b(safety|streaming)((?:,? [A-Z]\d+)+)/g;
/** Where both lists have the letter. */
const EITHER = /\b[RX]\d\d\b/;

interface Name {
  file: string;
  text: string;
}

async function names(): Promise<Name[]> {
  const found: Name[] = [];
  for (const file of await sources("tests")) {
    const code = await Deno.readTextFile(new URL(encodeURI(file), ROOT));
    for (const [, , text] of code.matchAll(NAME)) {
      found.push({ file, text: text! });
    }
  }
  return found;
}

function casesIn(text: string): string[] {
  return [...text.matchAll(CITED)].flatMap(([, list, numbers]) =>
    numbers!.match(/[A-Z]\d+/g)!.map((number) => `${list} ${number}`)
  );
}

Deno.test("every case of reliability is cited by a test", async () => {
  const all = await names();
  assert(all.length > 1_000, `only ${all.length} names of tests were found`);
  const cited = new Set(all.flatMap(({ text }) => casesIn(text)));
  const missing = CASES.filter((one) => !cited.has(one) && !(one in UNMET));
  assertEquals(missing, []);
  const met = Object.keys(UNMET).filter((one) => cited.has(one));
  assertEquals(met, [], "these have a test now");
});

Deno.test("a case whose letter both lists have is cited with its list", async () => {
  const vague = (await names()).filter(({ text }) =>
    EITHER.test(text.replaceAll(CITED, ""))
  );
  assertEquals(vague.map(({ file, text }) => `${file}: ${text}`), []);
});

Deno.test("citations are read from names as they are written", () => {
  assertEquals(casesIn("safety R08, streaming R01 R02, N7: who comes back"), [
    "safety R08",
    "streaming R01",
    "streaming R02",
    "streaming N7",
  ]);
  assertEquals(casesIn("append() says duplicate (streaming X06)"), [
    "streaming X06",
  ]);
  const code = `
faultTest(
  "safety R01: one",
test({
  name: \`streaming R02: two \${x}\`,
const CASES = {
  "safety R03: three": {
`;
  assertEquals([...code.matchAll(NAME)].map(([, , text]) => casesIn(text!)), [
    ["safety R01"],
    ["streaming R02"],
    ["safety R03"],
  ]);
});
