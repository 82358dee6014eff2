/**
 * Two instances on one database, of which one dies or stands still: G18, R22,
 * X01.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Asked } from "./harness/client.ts";
import { type Engine, POSTGRES, SQLITE } from "./harness/engines.ts";
import { faultTest, figure, percentile } from "./harness/fault_test.ts";
import { Lateness } from "./harness/lateness.ts";
import { question, type Script } from "./harness/script.ts";
import { type Stage, TAKEN_MS } from "./harness/stage.ts";

const RUNS = 20;
/** More than a lease of 10 s. */
const LONG_MS = 11_000;

/** What the runs are doing when their owner goes. */
const DOING: Partial<Script>[] = [
  // Speaks, and would go on speaking.
  { words: 2_000, pace: 20 },
  // Has not said anything yet: another owner asks the model again.
  { words: 10, wait: 3_000 },
  // Has said something, and is silent.
  { words: 10, hold: 5 },
  // Has called a tool, and not spoken.
  { words: 10, wait: 1_500, tool: "current_time" },
];

interface Following {
  asked: Asked;
  key: string;
  /** Resolves when a reader on B has seen the run to its end. */
  end: Promise<unknown>;
}

/** Asks on A and reads on B; resolves once every run is well under way. */
async function begin(stage: Stage, round: number): Promise<Following[]> {
  const asking = stage.client();
  const reading = stage.client(() => stage.server("B").url);
  const runs = await Promise.all(
    Array.from({ length: RUNS }, async (_, n) => {
      const key = `q${round}-${n}`;
      const text = question({ ...DOING[n % DOING.length], key });
      const asked = await asking.ask(key, text);
      assert(asked.kind === "started");
      const end = stage.later(reading.read(asked.run));
      return { asked, key, end };
    }),
  );
  await Promise.all(
    runs.map(({ key }, n) =>
      stage.upstream.said(key, n % DOING.length % 2 === 0 ? 5 : 0)
    ),
  );
  return runs;
}

/**
 * B's own run, longer than a lease: nobody may take what its owner renews.
 *
 * @returns the run, once it is over.
 */
async function ownRun(stage: Stage, round: number): Promise<string> {
  const client = stage.client(() => stage.server("B").url);
  const script = { key: `own${round}`, words: LONG_MS / 50, pace: 50 };
  const asked = await client.ask(script.key, question(script));
  assert(asked.kind === "started");
  await client.read(asked.run);
  return asked.run;
}

/** Milliseconds until another owner has taken every run that was A's. */
async function takeover(stage: Stage, runs: Following[]): Promise<number[]> {
  const since = performance.now();
  const store = await stage.store();
  const open = new Set(runs.map(({ asked }) => asked.run));
  const took: number[] = [];
  while (open.size > 0) {
    for (const run of open) {
      const row = await store.run(run);
      if (row!.epoch === 1) continue;
      took.push(performance.now() - since);
      open.delete(run);
    }
    assert(
      performance.now() - since < 2 * TAKEN_MS,
      `nobody took ${[...open].join(", ")}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return took;
}

function goal(
  engine: Engine,
  ways: ("kill -9" | "SIGSTOP")[],
  sizes: { ci: number; full: number },
) {
  faultTest(
    `G18, safety R22, streaming X01: ${
      ways.join(" or ")
    } of an owner on ${engine.name}: the other instance takes its runs within lease + 2 s, and nobody writes for two owners (N3, N4)`,
    { needs: engine.needs, sizes },
    async (rounds, say) => {
      using late = new Lateness();
      await using stage = await engine.stage();
      await stage.start("A");
      await stage.start("B");
      const took: number[] = [];
      let stood = 0;
      for (let round = 0; round < rounds; round++) {
        const way = ways[round % ways.length];
        const own = stage.later(ownRun(stage, round));
        const runs = await begin(stage, round);
        if (way === "kill -9") {
          await stage.end("SIGKILL", "A");
          took.push(...await takeover(stage, runs));
          await stage.start("A");
        } else {
          stood++;
          stage.server("A").kill("SIGSTOP");
          took.push(...await takeover(stage, runs));
          // It wakes with everything the model said in the meantime.
          stage.server("A").kill("SIGCONT");
        }
        await Promise.all(runs.map(({ end }) => end));
        const { epoch, status } = await stage.row(await own);
        assertEquals([epoch, status], [1, "complete"], "a living owner's run");
      }
      await stage.quiet();
      const violations = await stage.check();
      const worst = percentile(took, 1);
      say(
        `G18 ${engine.name}`,
        `${rounds - stood} kills and ${stood} standstills of the owner of ` +
          `${RUNS} runs: taken over after ${
            figure(worst, TAKEN_MS)
          } at most, ` +
          `${percentile(took, 0.5).toFixed(0)} ms p50, ${violations.length} ` +
          "promises broken",
      );
      assertEquals(violations.slice(0, 10), []);
      assert(worst <= late.allows(TAKEN_MS), `${worst} ms`);
    },
  );
}

// A process that stands still with SQLite's lock holds up all others for as long:
// only a database server can take a lock away.
goal(SQLITE, ["kill -9"], { ci: 1, full: 10 });
goal(POSTGRES, ["kill -9", "SIGSTOP"], { ci: 3, full: 200 });
