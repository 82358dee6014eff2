/**
 * R13: a server that is asked to go while many read.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { faultTest, percentile } from "./harness/fault_test.ts";
import { Lateness } from "./harness/lateness.ts";
import { question, type Script } from "./harness/script.ts";
import { Stage } from "./harness/stage.ts";

const STREAMS = 200;
const EXIT_MS = 4_000;

/** What the answers are doing when the signal comes. */
const DOING: Partial<Script>[] = [
  // Speaks for far longer than anybody waits.
  { words: 400, pace: 50 },
  // Ends within the grace time.
  { words: 20, pace: 50, hold: 0 },
  // Has not said anything yet, so another process may begin again.
  { words: 10, wait: 6_000 },
  // Has said something, and is silent.
  { words: 10, hold: 5 },
];

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  faultTest(
    `safety R13: ${signal} under ${STREAMS} streams sends every reader away with a time to come back, and the process ends in order within ${EXIT_MS} ms`,
    { sizes: { ci: 1, full: 10 } },
    async (rounds, say) => {
      using late = new Lateness();
      await using stage = new Stage();
      const exits: number[] = [];
      let sent = 0;
      let back: number[] = [];
      for (let round = 0; round < rounds; round++) {
        await stage.start();
        const client = stage.client();
        const readings = await Promise.all(
          Array.from({ length: STREAMS }, async (_, n) => {
            const key = `q${round}-${n}`;
            const text = question({ ...DOING[n % DOING.length], key });
            const asked = await client.ask(key, text);
            assert(asked.kind === "started");
            return client.open(asked.run);
          }),
        );
        const opened = readings.map(() => Promise.withResolvers<void>());
        const connections = readings.map((reading, n) =>
          stage.later(client.connect(reading, () => opened[n]!.resolve()))
        );
        await Promise.all(opened.map(({ promise }) => promise));
        await Promise.all(
          Array.from(
            { length: STREAMS / DOING.length },
            (_, n) => stage.upstream.said(`q${round}-${n * DOING.length}`, 5),
          ),
        );
        const asked = performance.now();
        const server = stage.server();
        const { code } = await stage.end(signal);
        exits.push(performance.now() - asked);
        assertEquals(code, 0, server.output);
        const outcomes = await Promise.all(connections);
        for (const [n, reading] of readings.entries()) {
          if (outcomes[n] !== "broken") continue;
          sent++;
          // The first thing a stream says is 1000; this is said at the end.
          const { retry } = reading;
          assert(retry >= 250 && retry < 1_000, `retry: ${retry}`);
        }
        await stage.start();
        stage.upstream.release();
        await Promise.all(readings.map((reading) => client.finish(reading)));
        back = stage.history.gaps();
        await stage.quiet();
        await stage.end("SIGKILL");
      }
      const violations = await stage.check();
      say(
        `safety R13 ${signal}`,
        `${rounds} times ${STREAMS} streams: exit after at most ` +
          `${
            percentile(exits, 1).toFixed(0)
          } ms (goal ${EXIT_MS} ms), ${sent} ` +
          `readers told when to come back, back after ` +
          `${percentile(back, 0.99).toFixed(0)} ms p99, ` +
          `${violations.length} promises broken`,
      );
      assertEquals(violations.slice(0, 10), []);
      assert(percentile(exits, 1) <= late.allows(EXIT_MS), `${exits}`);
      assert(sent >= rounds * STREAMS / 2, `only ${sent} readers were there`);
    },
  );
}
