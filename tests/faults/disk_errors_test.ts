/**
 * R05: one call of a store's files fails, each of them once, with the disk
 * broken (EIO) or full (ENOSPC). What the store then says must be true: what it
 * refused is not there, what it promised is, and the next try works.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Judge } from "./disk/judge.ts";
import { makePlan, type Shape } from "./disk/plan.ts";
import { Random } from "./disk/random.ts";
import { type Fault, record } from "./disk/trace.ts";
import { faultTest } from "./harness/fault_test.ts";
import { newSeed } from "./harness/random.ts";

const SHAPE: Shape = { rounds: 8 };

const FAULTS: Omit<Fault, "when">[] = [
  { calls: "pwrite64", error: "EIO", more: 0 },
  { calls: "pwrite64", error: "ENOSPC", more: 0 },
  // A disk that is full for a while.
  { calls: "pwrite64", error: "ENOSPC", more: 30 },
  { calls: "fsync", error: "EIO", more: 0 },
  { calls: "fsync", error: "EIO", more: 10 },
  { calls: "fsync", error: "ENOSPC", more: 0 },
  { calls: "ftruncate", error: "EIO", more: 0 },
];

/** What the store may say; that a sync met a full disk SQLite does not tell. */
const KINDS_OF = { EIO: ["io"], ENOSPC: ["full", "io"] };

faultTest(
  "safety R05, N9: whichever write or sync fails, the store tells the truth and goes on",
  {
    needs: ["linux", "strace"],
    // Of every how many calls one fails.
    sizes: { ci: { writes: 60, syncs: 9 }, full: { writes: 1, syncs: 1 } },
  },
  async ({ writes, syncs }, say) => {
    const seed = newSeed();
    const random = new Random(seed);
    let faults = 0;
    const heard = new Map<string, number>();
    for (const kind of FAULTS) {
      const step = kind.calls === "pwrite64" ? writes : syncs;
      for (let when = 1 + random.below(step);; when += step) {
        const fault = { ...kind, when };
        const said = await playedWith(seed, fault);
        if (said === null) break;
        faults++;
        const word = `${kind.calls} ${kind.error}, ${kind.more} more: ${said}`;
        heard.set(word, (heard.get(word) ?? 0) + 1);
      }
    }
    assert(faults > 20, `only ${faults} faults came to pass`);
    for (const [word, times] of heard) console.log(`${times} × ${word}`);
    say("R05", `${faults} failed calls: 0 untrue answers, 0 processes lost`);
  },
);

/**
 * Has the worker play with one call failing; null if it made fewer calls, else
 * what the store said about it.
 */
async function playedWith(seed: number, fault: Fault): Promise<string | null> {
  const root = await Deno.makeTempDir({ prefix: "tickertape-disk-" });
  const told = `seed ${seed}, fault ${JSON.stringify(fault)}`;
  try {
    const path = `${root}/data/tickertape.db`;
    const args = [path, `${seed}`, JSON.stringify(SHAPE)];
    const made = await record("worker.ts", args, root, fault);
    assertEquals(made.code, 0, `${told}: ${made.complaint}`);
    if (!made.struck) return null;
    const judge = new Judge(makePlan(seed, SHAPE), made.events);
    const promised = judge.promisedBefore(made.events.length);
    const wrong = await judge.verdict(path, promised);
    assert(wrong === null, `${told}: ${wrong}`);
    const heard = new Set<string>();
    for (const event of made.events) {
      const [, what, kind] = event.kind === "said"
        ? /^(not|trouble open).* (\w+)$/.exec(event.line) ?? []
        : [];
      if (what === undefined || kind === undefined) continue;
      assert(KINDS_OF[fault.error].includes(kind), `${told}: ${kind}`);
      heard.add(`${what === "not" ? "write" : "open"} ${kind}`);
    }
    return [...heard].join(", ") || "nothing";
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
