// The process on a failing disk: does the plan of a seed to a SQLite store and
// says on its standard output, before and after, what it asked for and what it
// was told: `try 17`, `ack 17`, `not 17 io`. Whatever is refused is tried again;
// nothing of it may be seen until then.
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../../lib/store/mod.ts";
import { makePlan, type Round, type Step } from "./plan.ts";
import { now, perform, shown, troubleOf } from "./steps.ts";

const [path, seed, shape] = Deno.args as [string, string, string];
/** More than a fault lasts. */
const TRIES = 60;

const encoder = new TextEncoder();
const say = (line: string) =>
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));

/** Again, as the person in front of it would; never after anything else. */
async function again<T>(what: string, call: () => T | Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await call();
    } catch (error) {
      const kind = troubleOf(error);
      say(`trouble ${what} ${kind}`);
      if (kind === null || tries === TRIES) throw error;
    }
  }
}

const open = () =>
  again("open", () => openStore({ kind: "sqlite", path, now }));

let store = await open();
// What should be there, kept by the simplest engine.
const should = openStore({ kind: "memory", now });

async function checkNothingWritten(): Promise<void> {
  const [is, was] = [await shown(store), await shown(should)];
  if (is !== was) throw new Error("What was refused is there all the same");
}

async function doSteps(steps: Step[], first: number): Promise<void> {
  let left = steps.map((step, index) => ({ step, n: first + index }));
  for (let tries = 1; left.length > 0; tries++) {
    if (tries > TRIES) throw new Error("The store does not recover");
    const refused: typeof left = [];
    await Promise.all(left.map(async (one) => {
      say(`try ${one.n}`);
      try {
        await perform(store, one.step);
        say(`ack ${one.n}`);
      } catch (error) {
        const kind = troubleOf(error);
        if (kind === null) throw error;
        say(`not ${one.n} ${kind}`);
        refused.push(one);
      }
    }));
    for (const one of left) {
      if (!refused.includes(one)) await perform(should, one.step);
    }
    if (refused.length > 0) await checkNothingWritten();
    left = refused;
  }
}

async function doToFiles(round: Exclude<Round, Step[]>): Promise<void> {
  if (round === "reopen") {
    await store.close();
    store = await open();
    return;
  }
  // As another process on the file would, or SQLite itself after 1,000 pages.
  const db = new DatabaseSync(path);
  try {
    db.prepare(`PRAGMA wal_${round.replace(" ", "(")})`).get();
  } catch (error) {
    say(`trouble ${round} ${error}`);
  } finally {
    db.close();
  }
}

let n = 0;
for (const round of makePlan(Number(seed), JSON.parse(shape))) {
  if (typeof round === "string") {
    await doToFiles(round);
  } else {
    await doSteps(round, n);
    n += round.length;
  }
}
await checkNothingWritten();
await store.close();
say("done");
