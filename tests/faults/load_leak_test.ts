/** What stays behind after much has come and gone. */
import { assert, assertEquals } from "@std/assert";
import { faultTest } from "./harness/fault_test.ts";
import {
  asking,
  openStage,
  question,
  type Stage,
  withLimits,
} from "./load/stage.ts";
import {
  heldBy,
  memoryOf,
  openFiles,
  risePerMinute,
  until,
  watch,
} from "./load/watch.ts";
import { assertWhole, beside } from "./load/words.ts";

/** Together, so that a wave is over soon. */
const WAVE = 50;

faultTest(
  "safety R32: thousands of connections and runs come and go, and leave neither memory nor open files",
  {
    needs: ["linux"],
    sizes: {
      ci: { connects: 2_000, runs: 1_000 },
      full: { connects: 20_000, runs: 10_000 },
    },
  },
  async ({ connects, runs: count }, say) => {
    await using stage = await openStage(withLimits({}));
    const { crowd, server } = stage;
    const { runs } = await crowd.tell(
      "open",
      asking(server.url, "long", 1, { tokens: 10_000, rate: 5 }, 0),
    );
    const ask = async (times: number) => {
      for (let asked = 0; asked < times; asked += WAVE) {
        const wave = asking(server.url, "wave", WAVE, { tokens: 20 }, 0);
        await crowd.tell("open", wave);
        assertWhole(await crowd.tell("over", { group: "wave" }));
        await crowd.tell("forget", { group: "wave" });
      }
    };
    const connect = async (times: number) => {
      const order = { server: server.url, runs, count: times, atOnce: WAVE };
      assertEquals(await crowd.tell("churn", order), { bad: 0 });
    };
    // Code is compiled and caches are filled once.
    await ask(count / 2);
    await connect(connects / 2);
    await settle(stage);
    const memory = await heldBy(server);
    const files = openFiles(server.pid, stage.upstream);

    await ask(count);
    await connect(connects);
    await settle(stage);
    const after = await heldBy(server);
    const more = after.resident - memory.resident;
    const moreHeap = after.heap - memory.heap;
    const moreFiles = openFiles(server.pid, stage.upstream) - files;
    say(
      "R32",
      [
        `${connects} connections, ${count} runs`,
        beside("memory +", more, 20, "MB"),
        `of which the program holds ${moreHeap.toFixed(1)} MB`,
        `open files ${moreFiles >= 0 ? "+" : ""}${moreFiles} (goal ± 10)`,
      ].join(", "),
    );
    // What stays with the system's allocator varies by tens of MB.
    assert(more <= 150, `${more} MB more`);
    assert(moreHeap <= 5, `${moreHeap} MB of heap more`);
    assert(Math.abs(moreFiles) <= 10, `${moreFiles} more files`);
  },
);

faultTest(
  "G23: hours of typing keep memory, open files and waiting times where they were",
  {
    needs: ["linux"],
    sizes: {
      ci: { streams: 200, seconds: 25, warmSeconds: 6 },
      full: { streams: 200, seconds: 1_800, warmSeconds: 120 },
    },
  },
  async ({ streams, seconds, warmSeconds }, say) => {
    await using stage = await openStage();
    const { crowd, server } = stage;
    const soak = (forSeconds: number) =>
      crowd.tell("soak", {
        group: "soak",
        server: server.url,
        streams,
        forMs: forSeconds * 1_000,
        ask: question({ tokens: 50, rate: 10 }),
      });
    assertWhole(await soak(warmSeconds));
    await settle(stage);
    const files = openFiles(server.pid, stage.upstream);

    await using memory = watch(server, 100);
    const told = await soak(seconds);
    assertWhole(told);
    const samples = [...memory.samples];
    await settle(stage);
    const moreFiles = openFiles(server.pid, stage.upstream) - files;
    const rise = risePerMinute(samples);
    const waits = memory.probe();
    say(
      "G23",
      [
        `${streams} streams, ${seconds} s, ${told.ended} answers, ${told.tokens} tokens, 0 lost`,
        beside("memory", rise, 0.5, "MB/min"),
        `from ${samples[0]![1].toFixed(0)} to ${
          memoryOf(server.pid).toFixed(0)
        } MB`,
        `open files ${moreFiles >= 0 ? "+" : ""}${moreFiles} (goal ± 10)`,
        beside("wait of a small request p99", waits.p99, 50, "ms"),
      ].join(", "),
    );
    assert(Math.abs(moreFiles) <= 10, `${moreFiles} more files`);
    // A short soak measures V8's mood; a long one what leaks.
    if (seconds >= 600) assert(rise <= 5, `${rise} MB a minute`);
  },
);

/** Waits until the sockets of who has left are closed. */
async function settle({ server, upstream }: Stage): Promise<void> {
  let before = Infinity;
  await until(
    () => {
      const now = openFiles(server.pid, upstream);
      const still = now === before;
      before = now;
      return still;
    },
    15_000,
    "no more files are closed",
  );
}
