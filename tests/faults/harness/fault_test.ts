/**
 * How a fault test is declared: in two sizes, with what it needs of the machine,
 * and with figures to report. Without `TICKERTAPE_FAULTS=ci` or `=full` it is
 * skipped, because it takes long; so it is where the machine lacks something,
 * unless `TICKERTAPE_E2E=require` makes that an error.
 *
 * @module
 */
import { lacks, type Need } from "./needs.ts";

/**
 * Reports a figure of a goal, as in `say("G2", "100 kills, 0 lost")`. With
 * `TICKERTAPE_FAULTS_OUT` it is also added to that file, one JSON per line.
 */
export type Say = (goal: string, figures: string) => void;

export interface FaultTestOptions<Size> {
  needs?: Need[];
  /** How much of it is done: for every submission, and before a release. */
  sizes: { ci: Size; full: Size };
}

/** Which size was asked for; null: none, the tests are skipped. */
export const SIZE = readSize();

const REQUIRED = Deno.env.get("TICKERTAPE_E2E") === "require";

/** What was printed about this file already: each reason once. */
const told = new Set<string>();

/** Declares a test in the size that was asked for. */
export function faultTest<Size>(
  name: string,
  { needs = [], sizes }: FaultTestOptions<Size>,
  body: (size: Size, say: Say) => Promise<void>,
): void {
  const missing = needs.map(lacks).filter((why) => why !== null);
  if (SIZE === null) {
    tell("Fault tests are skipped: run them with deno task faults");
  } else if (missing.length > 0 && !REQUIRED) {
    tell(`Skipped "${name}": ${missing.join(", ")}`);
  }
  const ignore = SIZE === null || missing.length > 0 && !REQUIRED;
  Deno.test({
    name,
    ignore,
    async fn() {
      if (missing.length > 0) {
        throw new Error(`Cannot run "${name}": ${missing.join(", ")}`);
      }
      const began = performance.now();
      await body(sizes[SIZE!], (goal, figures) => report(goal, figures, began));
    },
  });
}

/** A measured time beside its goal: `figure(41.3, 100)` → `41 ms (goal 100 ms)`. */
export function figure(ms: number, goal: number): string {
  const digits = ms < 10 ? 1 : 0;
  return `${ms.toFixed(digits)} ms (goal ${goal} ms)`;
}

/** The value below which `share` (0 to 1) of the values lie; 0 of none. */
export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? sorted[0] ?? 0;
}

function report(goal: string, figures: string, began: number): void {
  console.log(`${goal}: ${figures}`);
  const file = Deno.env.get("TICKERTAPE_FAULTS_OUT");
  if (file === undefined || file === "") return;
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const line = JSON.stringify({ goal, size: SIZE, figures, seconds });
  Deno.writeTextFileSync(file, `${line}\n`, { append: true });
}

function tell(line: string): void {
  if (told.has(line)) return;
  told.add(line);
  console.log(line);
}

function readSize(): "ci" | "full" | null {
  const wish = Deno.env.get("TICKERTAPE_FAULTS") ?? "";
  if (wish === "ci" || wish === "full") return wish;
  if (wish === "") return null;
  throw new Error(`Cannot use TICKERTAPE_FAULTS="${wish}": it is ci or full`);
}
