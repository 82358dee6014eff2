/**
 * How figures are told: each beside its goal, met or not, without judging. What
 * a shared machine must hold is asserted as a ratio in the tests.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Report } from "./tally.ts";

/** As in `p99 41 ms (goal 100 ms: met)`. */
export function beside(
  name: string,
  value: number,
  goal: number,
  unit: string,
): string {
  const digits = Math.abs(value) < 10 ? 1 : 0;
  const verdict = value <= goal ? "met" : "NOT met";
  return `${name} ${
    value.toFixed(digits)
  } ${unit} (goal ${goal} ${unit}: ${verdict})`;
}

/** Nothing lost, nothing twice, every text the model's own. */
export function assertIntact(report: Report): void {
  const { broken, doubled, lost, reason } = report;
  assertEquals({ broken, doubled, lost, reason }, {
    broken: 0,
    doubled: 0,
    lost: 0,
    reason: null,
  });
}

/** The same, and everybody has read to the end. */
export function assertWhole(report: Report): void {
  assertIntact(report);
  assertEquals(report.ended, report.readers, "readers with the end of the run");
}
