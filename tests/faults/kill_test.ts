/**
 * G2: a server that is killed over and over while people use it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { faultTest, percentile } from "./harness/fault_test.ts";
import { person } from "./harness/people.ts";
import { chance, newSeed } from "./harness/random.ts";
import { Stage, TAKEN_MS } from "./harness/stage.ts";

const PEOPLE = 20;

faultTest(
  "G2, safety R02: kill -9 under load loses nothing that was acknowledged or shown, and doubles nothing",
  { sizes: { ci: 100, full: 1_000 } },
  async (kills, say) => {
    const { next, between, seed } = chance(newSeed());
    await using stage = new Stage({ again: 50 });
    await stage.start();
    const closing = new AbortController();
    const people = Array.from({ length: PEOPLE }, (_, n) =>
      person({
        name: `p${n}`,
        client: stage.client(),
        chance: chance(seed + n + 1),
        closing: closing.signal,
        patience: TAKEN_MS,
      }));
    const day = stage.later(Promise.all(people));
    const cycles: number[] = [];
    for (let n = 0; n < kills; n++) {
      const began = performance.now();
      // Mostly while everybody comes back, sometimes in calmer water.
      await pause(next() < 0.9 ? between(0, 150) : between(150, 1_000));
      await stage.end("SIGKILL");
      await stage.start();
      cycles.push(performance.now() - began);
    }
    const died = stage.diedAt;
    closing.abort();
    await day;
    await stage.quiet();
    const quietAfter = performance.now() - died;
    const violations = await stage.check();
    const { history, upstream } = stage;
    say(
      "G2",
      `${kills} kills of -9, ${violations.length} promises broken, ` +
        `${history.of("acked").length} messages acknowledged, ` +
        `${history.of("shown").length} frames shown, ` +
        `${history.of("continued").length} answers continued, ` +
        `${history.of("queued").length} queued, ` +
        `${upstream.calls.length} model calls; a cycle takes ` +
        `${percentile(cycles, 0.5).toFixed(0)} ms, all is over ` +
        `${(quietAfter / 1000).toFixed(1)} s after the last`,
    );
    assertEquals(violations.slice(0, 20), []);
    assertEquals(stage.integrity(), "ok");
  },
);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
