/**
 * G17: two instances behind a load balancer, restarted one after the other.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Engine, POSTGRES, SQLITE } from "./harness/engines.ts";
import { faultTest, figure, percentile } from "./harness/fault_test.ts";
import { Lateness } from "./harness/lateness.ts";
import { startProxy } from "./harness/proxy.ts";
import { chance, newSeed } from "./harness/random.ts";
import { question } from "./harness/script.ts";
import type { Stage } from "./harness/stage.ts";

const STREAMS = 200;
const EXIT_MS = 4_000;
const BACK_MS = 2_000;

/** Reads one long answer after the other, and goes on with those that broke off. */
async function reader(
  stage: Stage,
  url: string,
  name: string,
  { between }: ReturnType<typeof chance>,
  closing: AbortSignal,
): Promise<void> {
  const client = stage.client(() => url);
  for (let n = 0; !closing.aborted; n++) {
    const key = `${name}.${n}`;
    const script = { key, words: between(10, 60), pace: between(50, 150) };
    let asked = await client.ask(key, question(script));
    for (let tries = 0; asked.kind === "started"; tries++) {
      const { last } = await client.read(asked.run);
      if (last?.type === "finish" || closing.aborted) break;
      asked = await client.goOn(`${key}.${tries}`, asked);
    }
  }
}

function goal(engine: Engine, sizes: { ci: number; full: number }) {
  faultTest(
    `G17, streaming X03: a rolling restart of two instances on ${engine.name} under ${STREAMS} streams loses and doubles nothing`,
    { needs: engine.needs, sizes },
    async (rounds, say) => {
      using late = new Lateness();
      const seed = newSeed();
      await using stage = await engine.stage();
      await using proxy = startProxy(() => stage.ports);
      await stage.start("A");
      await stage.start("B");
      const closing = new AbortController();
      const readers = stage.later(Promise.all(
        Array.from(
          { length: STREAMS },
          (_, n) =>
            reader(stage, proxy.url, `p${n}`, chance(seed + n), closing.signal),
        ),
      ));
      const exits: number[] = [];
      for (let round = 0; round < rounds; round++) {
        for (const name of ["A", "B"]) {
          await pause(1_000);
          const began = performance.now();
          const server = stage.server(name);
          const { code } = await stage.end("SIGTERM", name);
          exits.push(performance.now() - began);
          assertEquals(code, 0, server.output);
          await stage.start(name);
        }
      }
      closing.abort();
      await readers;
      await stage.quiet();
      const violations = await stage.check();
      const gaps = stage.history.gaps();
      const [exit, back] = [percentile(exits, 1), percentile(gaps, 0.99)];
      const { history } = stage;
      say(
        `G17 ${engine.name}`,
        `${rounds} rolling restarts under ${STREAMS} streams: exit after ` +
          `${figure(exit, EXIT_MS)} at most, reader back after ` +
          `${figure(back, BACK_MS)} p99 (${gaps.length} reconnects), ` +
          `${violations.length} promises broken; ` +
          `${history.of("acked").length} messages, ` +
          `${history.of("shown").length} frames, ` +
          `${history.of("continued").length} continued; timers ` +
          `${late.p99.toFixed(0)} ms late p99`,
      );
      assertEquals(violations.slice(0, 10), []);
      assert(exit <= late.allows(EXIT_MS), `${exit} ms`);
      assert(back <= late.allows(BACK_MS), `${back} ms`);
    },
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

goal(SQLITE, { ci: 1, full: 5 });
goal(POSTGRES, { ci: 3, full: 50 });
