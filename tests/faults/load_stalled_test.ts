/** Readers that take nothing: what they cost, and how they come back. */
import { assert, assertEquals } from "@std/assert";
import { faultTest } from "./harness/fault_test.ts";
import { asking, following, openStage, withLimits } from "./load/stage.ts";
import { heldBy, openFiles, until, watch } from "./load/watch.ts";
import { assertIntact, assertWhole, beside } from "./load/words.ts";

/** More than the kernel takes for one connection on loopback, in tokens. */
const MUCH = 450_000;
const RATE = 10;

faultTest(
  "G8, safety D02, streaming R19: readers that never read cost little, slow nobody, are let go and come back exactly",
  {
    needs: ["linux"],
    sizes: {
      ci: { stalled: 100, others: 50, measureMs: 4_000, stallMs: 10_000 },
      full: { stalled: 500, others: 50, measureMs: 20_000, stallMs: 60_000 },
    },
  },
  async ({ stalled, others, measureMs, stallMs }, say) => {
    // As many as there are, and the one who reads the fast run on.
    const maxStreams = others + stalled + 1;
    await using stage = await openStage(withLimits({ stallMs, maxStreams }));
    const { crowd, server } = stage;
    await using memory = watch(server);

    const talk = { tokens: 10_000, rate: RATE };
    await crowd.tell("open", asking(server.url, "others", others, talk));
    // What a long run leaves behind in the heap belongs to neither figure.
    const warm = asking(server.url, "warm", 1, { tokens: MUCH }, 0);
    const { runs: [finished] } = await crowd.tell("open", warm);
    assertWhole(await crowd.tell("over", { group: "warm" }));
    const measure = async () => {
      await crowd.tell("report", { group: "others", reset: true });
      await new Promise((resolve) => setTimeout(resolve, measureMs));
      return await crowd.tell("report", { group: "others", reset: true });
    };
    const alone = await measure();
    const before = await heldBy(server);

    const fast = asking(server.url, "fast", 1, { tokens: MUCH }, 0);
    const { runs } = await crowd.tell("open", fast);
    // Half of them behind a run in progress, half behind one that is over.
    const both = [runs[0]!, finished!];
    const deaf = following(server.url, "deaf", stalled, both);
    await crowd.tell("open", { ...deaf, reading: false });
    assertWhole(await crowd.tell("over", { group: "fast" }));
    const stuck = performance.now();
    // Who is let go counts no more: their places are free again.
    const latecomers = async () => {
      const late = following(server.url, "late", 10, runs);
      const { statuses } = await crowd.tell("open", late);
      await crowd.tell("forget", { group: "late" });
      return statuses;
    };
    assertEquals(await latecomers(), { 200: 1, 429: 9 });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const deafened = await measure();
    const now = await heldBy(server);
    const heap = now.heap - before.heap;
    assertIntact(deafened);

    await until(
      async () => (await latecomers())[200] === 10,
      stallMs + 30_000,
      "the stalled readers are let go",
    );
    const gone = (performance.now() - stuck) / 1_000;
    const sockets = openFiles(server.pid);

    // They read on: what the kernel had kept, and the rest behind their cursors.
    await crowd.tell("listen", { group: "deaf" });
    const cut = await crowd.tell("report", { group: "deaf", reset: false });
    // For some the system may have taken the whole run in: nothing stalled there.
    assertEquals(
      cut.cuts + cut.ended,
      stalled,
      "all were let go, or had it all",
    );
    assert(cut.cuts > 0, "none was let go");
    const { statuses } = await crowd.tell("resume", {
      group: "deaf",
      rampMs: 0,
    });
    assertEquals(statuses, { 200: cut.cuts });
    assertWhole(await crowd.tell("over", { group: "deaf" }));

    say(
      "G8",
      [
        `${stalled} stalled readers, all let go and back exactly`,
        beside("memory +", now.resident - before.resident, 20, "MB"),
        `of which the program holds ${heap.toFixed(0)} MB`,
        `gone after ${gone.toFixed(0)} s (limit ${stallMs / 1_000} s)`,
        `others' p99 ${alone.lag.p99} ms without, ${deafened.lag.p99} ms with`,
        beside("ratio", deafened.lag.p99 / alone.lag.p99, 1.2, "x"),
        // Deno looks at a body that broke off only when it can write again.
        `${sockets} files open while nobody had read on`,
        `with garbage ${memory.peak.toFixed(0)} MB at most`,
      ].join(", "),
    );
    assert(
      deafened.lag.p99 <= alone.lag.p99 * 2.5 + 50,
      `p99 ${alone.lag.p99} ms without, ${deafened.lag.p99} ms with`,
    );
    // A megabyte each: what one page of a log of long entries comes to.
    assert(heap <= 20 + stalled, `${heap} MB more`);
  },
);
