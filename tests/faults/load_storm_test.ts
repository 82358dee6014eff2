/** Many readers of one run, and many readers back at once. */
import { assert, assertEquals } from "@std/assert";
import { faultTest } from "./harness/fault_test.ts";
import { asking, following, openStage } from "./load/stage.ts";
import { assertIntact, assertWhole, beside } from "./load/words.ts";

const RATE = 10;

const pause = (ms: number) => new Promise((go) => setTimeout(go, ms));

faultTest(
  "G7 D03: thousands of readers cut off at once come back at once and miss nothing",
  {
    needs: ["linux"],
    sizes: {
      ci: { readers: 2_000, runs: 100, storms: 3 },
      full: { readers: 2_000, runs: 200, storms: 20 },
    },
  },
  async ({ readers, runs: count, storms }, say) => {
    await using stage = await openStage();
    const { crowd, server } = stage;
    // They talk until they are stopped, however long the storms take.
    const script = { tokens: 100_000, rate: RATE };
    const order = asking(server.url, "askers", count, script);
    const { runs } = await crowd.tell("open", order);
    const { statuses } = await crowd.tell(
      "open",
      following(server.url, "crowd", readers, runs, 2_000),
    );
    assertEquals(statuses, { 200: readers });

    const slowest: number[] = [];
    for (let storm = 0; storm < storms; storm++) {
      await pause(1_000);
      await crowd.tell("drop", { group: "crowd" });
      await pause(500);
      const { statuses, back } = await crowd.tell("resume", {
        group: "crowd",
        rampMs: 0,
      });
      assertEquals(statuses, { 200: readers });
      assertEquals(back.count, readers);
      slowest.push(back.max);
      assertIntact(
        await crowd.tell("report", { group: "crowd", reset: false }),
      );
    }
    await Promise.all(runs.map(async (run) => {
      const stop = `${server.url}/api/runs/${run}/stop`;
      await (await fetch(stop, { method: "POST" })).body?.cancel();
    }));
    const told = await crowd.tell("over", { group: "crowd" });
    const { doubled, lost, ended, texts, refused } = told;
    assertEquals([doubled, lost, ended], [0, 0, readers]);
    assertEquals(texts, count, "texts: one a run, whoever read it");
    const worst = Math.max(...slowest) / 1_000;
    say(
      "G7",
      `${storms} storms of ${readers} readers, 0 lost, 0 doubled, ` +
        beside("all back after", worst, 3, "s") +
        `, ${refused} connections dropped by the system and tried again`,
    );
    assert(worst <= 15, `${worst} s`);
  },
);

faultTest(
  "D03: a server that goes down asks its readers to come back at different moments",
  {
    needs: ["linux"],
    sizes: { ci: { readers: 1_000 }, full: { readers: 2_000 } },
  },
  async ({ readers }, say) => {
    await using stage = await openStage();
    const { crowd, server } = stage;
    const script = { tokens: 1, waitMs: 50_000 };
    const order = asking(server.url, "asker", 1, script, 0);
    const { runs } = await crowd.tell("open", order);
    await crowd.tell(
      "open",
      following(server.url, "crowd", readers, runs, 500),
    );
    await crowd.tell("report", { group: "crowd", reset: true });
    server.kill("SIGTERM");
    const { retries, cuts } = await crowd.tell("over", { group: "crowd" });
    assertEquals(cuts, readers);
    assertEquals(retries.length, readers, "delays asked for");
    // However narrow the spread may be, a tenth of a second must not hold them all.
    const busiest = Math.max(
      ...retries.map((from) =>
        retries.filter((ms) => ms >= from && ms < from + 100).length
      ),
    );
    say(
      "D03",
      `${readers} readers asked to come back after ${
        Math.min(...retries)
      } to ` +
        `${Math.max(...retries)} ms, at most ${busiest} within 100 ms`,
    );
    assert(busiest <= readers / 4, `${busiest} of ${readers} within 100 ms`);
  },
);

faultTest(
  "streaming R18: a thousand readers of one run read the same text, and the model is asked once",
  {
    needs: ["linux"],
    sizes: {
      ci: { readers: 1_000, seconds: 5 },
      full: { readers: 1_000, seconds: 20 },
    },
  },
  async ({ readers, seconds }, say) => {
    await using stage = await openStage();
    const { crowd, server } = stage;
    const rate = 20;
    const script = { tokens: seconds * rate, rate, waitMs: 3_500 };
    const order = asking(server.url, "asker", 1, script, 0);
    const { runs } = await crowd.tell("open", order);
    await crowd.tell(
      "open",
      following(server.url, "crowd", readers, runs, 2_000),
    );
    const told = await crowd.tell("over", { group: "crowd" });
    assertWhole(told);
    assertEquals(told.texts, 1);
    assertEquals(await stage.calls(), 1);
    say(
      "R18",
      `${readers} readers, 1 text, 1 call, p50 ${told.lag.p50} ms, ` +
        beside("p99", told.lag.p99, 250, "ms"),
    );
    assert(told.lag.p99 < 5_000, `${told.lag.p99} ms`);
  },
);
