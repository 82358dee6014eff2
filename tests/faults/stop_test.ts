/**
 * G19: how long the model's connection outlives Stop.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Engine, POSTGRES, SQLITE } from "./harness/engines.ts";
import { faultTest, figure, percentile } from "./harness/fault_test.ts";
import { Lateness } from "./harness/lateness.ts";
import { question, type Script } from "./harness/script.ts";
import type { Stage } from "./harness/stage.ts";

const GOAL_MS = 250;
const AT_ONCE = 5;

/** What the model is doing when Stop is pressed. */
const DOING: Partial<Script>[] = [
  { wait: 60_000 },
  { words: 1_000, pace: 20 },
  { words: 1_000, hold: 3 },
];

/** Presses Stop so often; the time until the model's socket closed, each. */
async function stops(
  stage: Stage,
  count: number,
  name: string,
  through: string,
): Promise<number[]> {
  const client = stage.client();
  const pressing = stage.client(() => stage.server(through).url);
  const took: number[] = [];
  let begun = 0;
  async function press(): Promise<void> {
    while (begun < count) {
      const n = begun++;
      const script = DOING[n % DOING.length]!;
      const key = `${name}-${n}`;
      const asked = await client.ask(key, question({ ...script, key }));
      assert(asked.kind === "started");
      const call = await stage.upstream.said(key, script.words ? 2 : 0);
      const pressed = performance.now();
      await pressing.stop(asked.run);
      await stage.upstream.ended(call);
      assertEquals(call.end!.how, "aborted");
      took.push(call.end!.at - pressed);
      const { last } = await client.read(asked.run);
      assertEquals(last, { type: "abort", reason: "user" });
    }
  }
  await stage.later(Promise.all(Array.from({ length: AT_ONCE }, press)));
  return took;
}

function goal(engine: Engine, through: "its owner" | "another instance") {
  faultTest(
    `G19: Stop through ${through} on ${engine.name} closes the model's socket within ${GOAL_MS} ms (N7)`,
    { needs: engine.needs, sizes: { ci: 100, full: 1_000 } },
    async (size, say) => {
      using late = new Lateness();
      await using stage = await engine.stage();
      await stage.start("A");
      await stage.start("B");
      const name = through === "its owner" ? "A" : "B";
      const took = await stops(stage, size, "q", name);
      const p99 = percentile(took, 0.99);
      say(
        `G19 ${engine.name}, ${through}`,
        `${size} stops: model's socket closed after ` +
          `${percentile(took, 0.5).toFixed(1)} ms p50, ${
            figure(p99, GOAL_MS)
          } ` +
          `p99, ${percentile(took, 1).toFixed(0)} ms at most`,
      );
      assertEquals((await stage.check()).slice(0, 10), []);
      assert(p99 <= late.allows(GOAL_MS), `${p99} ms`);
    },
  );
}

goal(SQLITE, "its owner");
goal(POSTGRES, "its owner");
goal(POSTGRES, "another instance");
