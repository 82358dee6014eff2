/**
 * `deno task faults`, and `deno task faults:full` with the sizes of a release: the
 * tests that kill, stop and starve servers, then their figures in one table.
 * Arguments go to `deno test`.
 *
 * @module
 */
import { buildFresh, chooseHost, configFlags, run } from "./launch.ts";

/** One line of what the tests report (`tests/faults/harness/fault_test.ts`). */
interface Figure {
  goal: string;
  figures: string;
  /** From the beginning of its test. */
  seconds: number;
}

const [first, ...others] = Deno.args;
const full = first === "--full";
const args = full ? others : Deno.args;
const file = await Deno.makeTempFile({ prefix: "tickertape-faults-" });
const host = await chooseHost();
if (host === "fresh") await buildFresh();
const named = args.some((arg) => arg.startsWith("tests/"));
const code = await run(
  [
    "test",
    "-A",
    ...configFlags(host),
    ...named ? [] : ["tests/faults"],
    ...args,
  ],
  {
    TICKERTAPE_SERVE_WITH: host,
    TICKERTAPE_FAULTS: full ? "full" : "ci",
    TICKERTAPE_FAULTS_OUT: file,
  },
);
table(await readFigures());
await Deno.remove(file);
Deno.exit(code);

async function readFigures(): Promise<Figure[]> {
  const text = await Deno.readTextFile(file);
  return text.split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

function table(figures: Figure[]): void {
  if (figures.length === 0) return;
  const widest = Math.max(...figures.map(({ goal }) => goal.length));
  console.log(`\nFigures (${full ? "full" : "CI"} sizes)\n`);
  for (const { goal, figures: text, seconds } of figures) {
    console.log(`${goal.padEnd(widest)}  ${text} [${seconds} s]`);
  }
}
