/**
 * N11, R25: the files of a database are damaged, cut or torn, after a clean close
 * and after a kill. The store opens with everything, or refuses and leaves every
 * byte as it is. What SQLite cannot notice is counted, not hidden: it has no
 * checksums over its pages.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { openStore, type Store, StoreError } from "../../lib/store/mod.ts";
import { type Files, makePlace, put } from "./disk/place.ts";
import { makePlan, type Step } from "./disk/plan.ts";
import { Random } from "./disk/random.ts";
import { now, perform, shown } from "./disk/steps.ts";
import { faultTest } from "./harness/fault_test.ts";
import { newSeed } from "./harness/random.ts";

const NAME = "/tickertape.db";
const SECTOR = 512;
const PAGE = 4096;

/** What an opened store was like, or that it was not opened. */
type Finding =
  | { kind: "whole" | "a little short" | "refused" }
  /** Opened, but a read says that the file is damaged. */
  | { kind: "noticed" }
  /** Another text in the place of one. */
  | { kind: "silent" };

/** A database and what is in it. */
interface Sample {
  seed: number;
  files: Files;
  shown: string;
  /** The same before each of the last commits, of one frame each. */
  before: string[];
}

/**
 * How many changes one damaged page may cost: it may lie over the ends of two
 * frames, and nothing tells the one behind them from what a crash left.
 */
const MOST_LOST = 3;

const test = (
  sentence: string,
  sizes: { ci: number; full: number },
  body: (dir: string, random: Random, times: number) => Promise<string>,
) =>
  faultTest(sentence, { sizes }, async (times, say) => {
    const dir = await makePlace();
    try {
      say("N11", await body(dir, new Random(newSeed()), times));
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });

test(
  "safety R05, N11: a log damaged after a kill is refused, or nothing of it is missing",
  { ci: 300, full: 6_000 },
  async (dir, random, times) => {
    const { killed } = await samples(dir, random);
    const found = await repeat(times, dir, killed, (files) => {
      harm(random, files, "-wal");
    });
    assertOnly(found, "whole", "refused");
    return `log damaged after a kill: ${told(found)}`;
  },
);

test(
  "safety R05, N11: a log damaged after a power failure may cost its last three changes, never more",
  { ci: 300, full: 6_000 },
  async (dir, random, times) => {
    const { killed } = await samples(dir, random);
    // Memory that processes share: it does not outlive the power.
    killed.files.delete(`${NAME}-shm`);
    const found = await repeat(times, dir, killed, (files) => {
      // Not cut short: that is what a crash does to what was not synced.
      const wal = files.get(`${NAME}-wal`)!;
      random.chance(0.5) ? flip(random, wal) : overwrite(random, wal);
    });
    assertOnly(found, "whole", "refused", "a little short");
    return `log damaged after a power failure: ${told(found)}`;
  },
);

test(
  "safety R05: whatever is in -shm after a kill, nothing is missing",
  { ci: 100, full: 2_000 },
  async (dir, random, times) => {
    const { killed } = await samples(dir, random);
    const found = await repeat(times, dir, killed, (files) => {
      harm(random, files, "-shm");
    });
    assertOnly(found, "whole");
    return `-shm damaged after a kill: ${told(found)}`;
  },
);

test(
  "N11: a damaged database is refused, read, or says so when it is read; never replaced",
  { ci: 300, full: 6_000 },
  async (dir, random, times) => {
    const { clean } = await samples(dir, random);
    const found = await repeat(times, dir, clean, (files) => {
      harm(random, files, "");
    });
    assertEquals(found.get("a little short"), undefined);
    return `database damaged: ${told(found)}`;
  },
);

test(
  "safety R25, N11: a page that is no page any more is refused, and the log beside it is left alone",
  { ci: 150, full: 2_000 },
  async (dir, random, times) => {
    const { killed } = await samples(dir, random);
    const found = await repeat(times, dir, killed, (files) => {
      const bytes = files.get(NAME)!;
      const at = random.below(bytes.length / PAGE) * PAGE;
      bytes.fill(0xaa, at, at + SECTOR);
    });
    // A page the log has too is read from there.
    assertOnly(found, "refused", "whole");
    assert(found.has("refused"), told(found));
    return `page damaged after a kill: ${told(found)}`;
  },
);

test(
  "safety R25: a database cut short is refused, wherever it was cut",
  { ci: 60, full: 1_000 },
  async (dir, random, times) => {
    const { clean } = await samples(dir, random);
    const found = await repeat(
      times,
      dir,
      clean,
      (files) => cut(random, files),
    );
    assertOnly(found, "refused");
    return `database cut short: ${told(found)}`;
  },
);

/** The same database after a clean close, and as a kill leaves it. */
async function samples(
  dir: string,
  random: Random,
): Promise<{ clean: Sample; killed: Sample }> {
  const seed = random.below(2 ** 31);
  const path = dir + NAME;
  const store = openStore({ kind: "sqlite", path, now });
  const steps = makePlan(seed, { rounds: 60 })
    .filter((round) => typeof round !== "string");
  for (const round of steps) await doAll(store, round);
  // Whatever the plan did last, the log has some commits.
  const before: string[] = [];
  for (let n = 0; n < 10 + MOST_LOST; n++) {
    if (n >= 10) before.push(await shown(store));
    await doAll(store, [{ do: "note", key: `late_${n}`, n }]);
  }
  const sample = { seed, shown: await shown(store), before };
  const killed = filesIn(dir);
  await store.close();
  const clean = filesIn(dir);
  assertEquals([...clean.keys()], [NAME]);
  return {
    clean: { ...sample, files: clean },
    killed: { ...sample, files: killed },
  };
}

async function doAll(store: Store, steps: Step[]): Promise<void> {
  for (const step of steps) await perform(store, step);
}

function filesIn(dir: string): Files {
  const names = [...Deno.readDirSync(dir)].map(({ name }) => `/${name}`).sort();
  return new Map(
    names.map((name) => [name, Deno.readFileSync(dir + name)]),
  );
}

/** Damages copies of a sample and opens each; gives how often what was found. */
async function repeat(
  times: number,
  dir: string,
  sample: Sample,
  damage: (files: Files) => void,
): Promise<Map<Finding["kind"], number>> {
  const counts = new Map<Finding["kind"], number>();
  for (let time = 0; time < times; time++) {
    const files = new Map(
      [...sample.files].map(([name, bytes]) => [name, bytes.slice()]),
    );
    damage(files);
    const { kind } = await opened(dir, files, sample);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

async function opened(
  dir: string,
  files: Files,
  sample: Sample,
): Promise<Finding> {
  await put(dir, files);
  const path = dir + NAME;
  let store: Store;
  try {
    store = openStore({ kind: "sqlite", path, now });
  } catch (error) {
    assert(error instanceof StoreError, `plan ${sample.seed}: ${error}`);
    assertEquals(error.kind, "damaged", error.message);
    assertStringIncludes(error.message, path);
    const after = filesIn(dir);
    for (const end of ["", "-wal"]) {
      const [is, was] = [after, files].map((all) =>
        Buffer.from(all.get(NAME + end) ?? [])
      );
      assert(is!.equals(was!), `"${NAME}${end}" is not as it was`);
    }
    return { kind: "refused" };
  }
  try {
    const is = await shown(store);
    if (is === sample.shown) return { kind: "whole" };
    if (sample.before.includes(is)) return { kind: "a little short" };
    assert(is.includes('"leaf"'), "The chats are gone without a word");
    return { kind: "silent" };
  } catch (error) {
    assert(error instanceof StoreError, `plan ${sample.seed}: ${error}`);
    assertEquals(error.kind, "damaged", error.message);
    return { kind: "noticed" };
  } finally {
    await store.close();
  }
}

/** A bit is flipped, sectors are overwritten, or the end is cut off. */
function harm(random: Random, files: Files, end: string): void {
  const name = NAME + end;
  const bytes = files.get(name)!;
  const how = random.below(3);
  if (how === 0) flip(random, bytes);
  else if (how === 1) overwrite(random, bytes);
  // Cut down to its header a log is as good as gone, which nobody can see.
  else if (end !== "-wal") files.set(name, shorter(random, bytes, 0));
  else files.set(name, shorter(random, bytes, 32));
}

function flip(random: Random, bytes: Uint8Array): void {
  bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
}

function overwrite(random: Random, bytes: Uint8Array): void {
  const from = random.below(bytes.length / SECTOR) * SECTOR;
  const sectors = random.pick([1, 8]);
  bytes.fill(random.below(256), from, from + sectors * SECTOR);
}

function cut(random: Random, files: Files): void {
  files.set(NAME, shorter(random, files.get(NAME)!, 0));
}

function shorter(random: Random, bytes: Uint8Array, least: number) {
  return bytes.subarray(0, least + random.below(bytes.length - least));
}

function assertOnly(
  found: Map<Finding["kind"], number>,
  ...allowed: Finding["kind"][]
): void {
  for (const kind of found.keys()) {
    assert(allowed.includes(kind), `${kind}: ${told(found)}`);
  }
}

function told(found: Map<Finding["kind"], number>): string {
  return [...found].sort().map(([kind, times]) => `${times} ${kind}`).join(
    ", ",
  );
}
