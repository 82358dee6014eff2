/** Many who are connected and hear nothing, or say nothing. */
import { assert, assertEquals } from "@std/assert";
import { faultTest } from "./harness/fault_test.ts";
import { asking, following, openStage, withLimits } from "./load/stage.ts";
import { memoryOf, openFiles, until, watch } from "./load/watch.ts";
import { assertWhole, beside } from "./load/words.ts";

/** Silence before a heartbeat (protocol 2.5), ms. */
const BEAT_MS = 15_000;

faultTest(
  "G6: thousands of streams whose model is silent stay open, and every heartbeat comes",
  {
    needs: ["linux"],
    sizes: {
      ci: { streams: 2_000, rampMs: 4_000, silentMs: 34_000, beats: 2 },
      // The model's own watchdog ends a silence of a minute.
      full: { streams: 8_000, rampMs: 10_000, silentMs: 57_000, beats: 3 },
    },
  },
  async ({ streams, rampMs, silentMs, beats }, say) => {
    await using stage = await openStage();
    const { crowd, server } = stage;
    const before = memoryOf(server.pid);
    await using memory = watch(server, 500);

    const script = { tokens: 1, waitMs: silentMs };
    const order = asking(server.url, "idle", streams, script, rampMs);
    const { statuses } = await crowd.tell("open", order);
    assertEquals(statuses, { 200: streams });
    const open = await crowd.tell("report", { group: "idle", reset: false });
    assertEquals(open.connected, streams);

    const told = await crowd.tell("over", { group: "idle" });
    assertWhole(told);
    const { silences } = told;
    assert(
      silences.count >= streams * beats,
      `${silences.count} heartbeats for ${streams} streams`,
    );
    assert(
      silences.max < 2 * BEAT_MS,
      `${silences.max} ms without a heartbeat`,
    );
    const late = (ms: number) => (ms - BEAT_MS) / 1_000;
    say(
      "G6",
      [
        `${streams} idle streams, ${silences.count} heartbeats`,
        beside("memory", memory.peak, 750, "MB"),
        `${Math.round((memory.peak - before) * 1_024 / streams)} KB a stream`,
        beside("heartbeat late at most", late(silences.max), 1, "s"),
        `p50 ${late(silences.p50).toFixed(1)} s, p99 ${
          late(silences.p99).toFixed(1)
        } s`,
      ].join(", "),
    );
  },
);
/** A visitor's cookie, by number. */
const visitor = (number: number) =>
  `tt_visitor=${number.toString(16).padStart(32, "0")}`;

faultTest(
  "D01: one visitor who opens a hundred streams gets twenty, and nobody else notices",
  {
    needs: ["linux"],
    sizes: { ci: { others: 200 }, full: { others: 5_000 } },
  },
  async ({ others }, say) => {
    const limited = withLimits({
      // All come within a minute; the limit of one visitor is the real one.
      allQuestionsPerMinute: "Infinity",
    });
    await using stage = await openStage({
      ...limited,
      env: { ...limited.env, TICKERTAPE_ACCESS: "public" },
    });
    const { crowd, server } = stage;
    const script = { tokens: 100, rate: 5, waitMs: 1_000 };
    const greedy = asking(server.url, "greedy", 1, script, 0);
    const cookies = [visitor(1)];
    const { runs } = await crowd.tell("open", { ...greedy, cookies });

    const open = await crowd.tell("open", {
      ...following(server.url, "hundred", 100, runs),
      cookies,
    });
    assertEquals(open.statuses, { 200: 19, 429: 81 });
    assertEquals(open.retryAfter.filter((value) => value === null), []);

    const everyone = asking(server.url, "everyone", others, {
      tokens: 10,
      rate: 10,
    }, others);
    const { statuses } = await crowd.tell("open", {
      ...everyone,
      cookies: Array.from({ length: others }, (_, i) => visitor(i + 2)),
    });
    assertEquals(statuses, { 200: others });
    const told = await crowd.tell("over", { group: "everyone" });
    assertWhole(told);
    say(
      "D01",
      `20 of 101 streams of one visitor open, 81 answered 429 with Retry-After; ` +
        `${others} other visitors: 0 refused, p99 ${told.lag.p99} ms`,
    );
  },
);

faultTest("D09: thousands of sockets with unfinished heads slow nobody down", {
  needs: ["linux"],
  sizes: {
    ci: { sockets: 2_000, measureMs: 2_000 },
    full: { sockets: 5_000, measureMs: 20_000 },
  },
}, async ({ sockets, measureMs }, say) => {
  await using stage = await openStage();
  const { crowd, server } = stage;
  const probe = async () => {
    await using waits = watch(server, 20);
    await new Promise((resolve) => setTimeout(resolve, measureMs));
    return waits.probe();
  };
  const alone = await probe();
  const before = memoryOf(server.pid);
  await crowd.tell("hold", {
    group: "half",
    server: server.url,
    count: sockets,
    bytes: "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-never: ",
  });
  await until(
    () => openFiles(server.pid) > sockets,
    10_000,
    "the server has taken the sockets",
  );
  const crowded = await probe();
  const held = memoryOf(server.pid) - before;
  const started = asking(server.url, "asker", 20, { tokens: 20, rate: 20 }, 0);
  await crowd.tell("open", started);
  assertWhole(await crowd.tell("over", { group: "asker" }));
  await crowd.tell("letGo", { group: "half" });
  say(
    "D09",
    [
      `${sockets} unfinished heads`,
      beside("other requests' p99", crowded.p99, 50, "ms"),
      `${alone.p99} ms without`,
      beside("memory +", held, 100, "MB"),
    ].join(", "),
  );
  assert(
    crowded.p99 <= alone.p99 * 5 + 50,
    `p99 ${alone.p99} ms without, ${crowded.p99} ms with`,
  );
  assert(held <= 100, `${held} MB`);
});
