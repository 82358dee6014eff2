/** How long a word takes from the model to the reader, under load. */
import { assert, assertEquals } from "@std/assert";
import { faultTest } from "./harness/fault_test.ts";
import { asking, openStage, question } from "./load/stage.ts";
import { watch } from "./load/watch.ts";
import { assertWhole, beside } from "./load/words.ts";

/** Tokens a second and stream. */
const RATE = 10;

faultTest(
  "G5: many typing streams lose and double nothing, and words arrive in time",
  {
    needs: ["linux"],
    sizes: {
      ci: {
        streams: 500,
        seconds: 15,
        relaySeconds: 4,
        // What a store, an agent and a log in between may add to the relay's delay
        // on a machine that does other things as well, ms.
        room: { p50: 150, p99: 1_500 },
      },
      full: {
        streams: 2_000,
        seconds: 60,
        relaySeconds: 20,
        room: { p50: 1_000, p99: 6_000 },
      },
    },
  },
  async ({ streams, seconds, relaySeconds, room }, say) => {
    await using stage = await openStage();
    const { crowd, server } = stage;

    const relay = await stage.startRelay();
    await crowd.tell("open", {
      group: "raw",
      server: relay,
      count: streams,
      rampMs: 1_000,
      door: "raw",
      ask: question({ tokens: relaySeconds * RATE, rate: RATE }),
    });
    const raw = await crowd.tell("over", { group: "raw" });
    assertWhole(raw);

    await using memory = watch(server);
    const script = { tokens: seconds * RATE, rate: RATE };
    const order = asking(server.url, "ours", streams, script);
    const { statuses } = await crowd.tell("open", order);
    assertEquals(statuses, { 200: streams });
    const ours = await crowd.tell("over", { group: "ours" });
    assertWhole(ours);
    assertEquals(ours.tokens, streams * seconds * RATE);
    assertEquals(
      ours.texts,
      streams,
      "texts with the moments of their own words",
    );

    say(
      "G5",
      [
        `${streams} streams x ${RATE} tokens/s, ${seconds} s: ` +
        `${ours.tokens} tokens, 0 lost, 0 doubled`,
        beside("p50", ours.lag.p50, 35, "ms"),
        beside("p99", ours.lag.p99, 100, "ms"),
        beside("memory", memory.peak, 350, "MB"),
        `raw relay p50 ${raw.lag.p50} ms, p99 ${raw.lag.p99} ms`,
        `${
          Math.round((memory.peak - memory.samples[0]![1]) * 1024 / streams)
        } KB a stream`,
      ].join(", "),
    );
    // The relay's slowest tell how busy the machine was in this very run.
    assert(
      ours.lag.p50 <= raw.lag.p99 * 10 + room.p50,
      `p50 ${ours.lag.p50} ms, raw p99 ${raw.lag.p99} ms`,
    );
    assert(
      ours.lag.p99 <= raw.lag.p99 * 50 + room.p99,
      `p99 ${ours.lag.p99} ms, raw p99 ${raw.lag.p99} ms`,
    );
  },
);
