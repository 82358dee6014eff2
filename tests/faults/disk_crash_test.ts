/**
 * G3: the power fails at any moment, with everything the disk had not been told
 * to keep written, lost, reordered or torn; also after a write or a sync that
 * failed. A worker process does a plan to a store under strace, once; what its
 * files could be after a crash is made of that, thousands of times.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Disk } from "./disk/disk.ts";
import { Judge } from "./disk/judge.ts";
import { makePlace, put } from "./disk/place.ts";
import { makePlan, type Shape } from "./disk/plan.ts";
import { Random } from "./disk/random.ts";
import { type Fault, record, type Recording } from "./disk/trace.ts";
import { faultTest } from "./harness/fault_test.ts";
import { newSeed } from "./harness/random.ts";

/** Where the worker's disk is in the image: the directory is made by openStore. */
const PATH = "/data/tickertape.db";

const PLAIN: Shape = { rounds: 60 };
const LONG: Shape = { rounds: 12, long: true };

faultTest(
  "G3, safety R05: after a power failure at any moment the store opens with all that was promised",
  {
    needs: ["linux", "strace"],
    sizes: {
      ci: { seeds: 1, plain: 240, long: 40, faults: 4, perFault: 55 },
      full: { seeds: 5, plain: 1_000, long: 200, faults: 8, perFault: 100 },
    },
  },
  async ({ seeds, plain, long, faults, perFault }, say) => {
    const first = newSeed();
    let images = 0, events = 0, acked = 0;
    for (let seed = first; seed < first + seeds; seed++) {
      const random = new Random(seed);
      // One after the other: a recording holds every byte that was written.
      const crashed = async (what: Play, count: number) => {
        const played = await play(what);
        acked += await crash(played, count);
        events += played.recording.events.length;
        images += count;
        return played.recording;
      };
      await crashed({ seed, shape: LONG }, long);
      const counts = countCalls(await crashed({ seed, shape: PLAIN }, plain));
      for (let n = 0; n < faults; n++) {
        const fault = anyFault(random, counts);
        await crashed({ seed, shape: PLAIN, fault }, perFault);
      }
    }
    say(
      "G3",
      `${images} crash images of ${events} recorded events, ` +
        `${acked} promises: 0 lost, 0 half`,
    );
  },
);

/** What a worker is to do. */
interface Play {
  seed: number;
  shape: Shape;
  fault?: Fault;
}

interface Played extends Play {
  recording: Recording;
}

/** Lets a worker play on a disk of its own. */
async function play(what: Play): Promise<Played> {
  const { seed, shape, fault } = what;
  const root = await Deno.makeTempDir({ prefix: "tickertape-disk-" });
  try {
    const args = [root + PATH, `${seed}`, JSON.stringify(shape)];
    const recording = await record("worker.ts", args, root, fault);
    const { code, complaint } = recording;
    assertEquals(code, 0, `${JSON.stringify(what)}: ${complaint}`);
    return { ...what, recording };
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

type Counts = Record<"fsync" | "pwrite64", number>;

function countCalls({ events }: Recording): Counts {
  const count = (what: string) =>
    events.filter((event) =>
      event.kind === "change" && event.change.do === what
    ).length;
  return { fsync: count("sync"), pwrite64: count("write") };
}

/** One of so many calls, failing. */
function anyFault(random: Random, counts: Counts): Fault {
  const calls = random.pick(["fsync", "pwrite64"] as const);
  const error = random.pick(["EIO", "ENOSPC"] as const);
  const more = random.pick([0, 0, 20]);
  return { calls, error, when: 1 + random.below(counts[calls]), more };
}

/** Makes the images and looks at each; gives how many promises were made. */
async function crash(
  { recording: { events }, ...what }: Played,
  count: number,
): Promise<number> {
  const { seed, shape, fault } = what;
  const judge = new Judge(makePlan(seed, shape), events);
  const moments = Array.from(
    { length: count },
    (_, n) => ({ at: new Random(seed + n).below(events.length + 1), n }),
  ).sort((a, b) => a.at - b.at);
  const disk = new Disk();
  let done = 0;
  const place = await makePlace();
  try {
    for (const { at, n } of moments) {
      for (; done < at; done++) {
        const event = events[done]!;
        if (event.kind === "change") disk.apply(event.change);
      }
      await put(place, disk.image(new Random(seed ^ (n * 2654435761))));
      const promised = judge.promisedBefore(at);
      const wrong = await judge.verdict(place + PATH, promised) ??
        // A deletion that met a fault is gone on with later.
        (fault ? null : judge.foundIn(place + PATH, judge.deletedBefore(at)));
      const told = `image ${n} of ${JSON.stringify(what)}, ` +
        `power lost after ${at} of ${events.length} events`;
      assert(wrong === null, `${told}: ${wrong}`);
    }
  } finally {
    await Deno.remove(place, { recursive: true });
  }
  return judge.acked;
}
