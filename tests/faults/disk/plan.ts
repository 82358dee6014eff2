/**
 * What the process on a failing disk does, made of a seed: the process and its
 * judge make the same plan.
 *
 * @module
 */
import type { Seal } from "../../../lib/store/mod.ts";
import { Random } from "./random.ts";

/** One call of the store. */
export type Step =
  | {
    do: "ask";
    run: string;
    chat: string;
    parent: string | null;
    key: string | null;
    /** The waiting message it is. */
    queued: string | null;
    /** How many entries it begins with, and whether something is kept for it. */
    begin: number;
    keep: boolean;
  }
  | {
    do: "append";
    run: string;
    from: number;
    count: number;
    /** Length of an entry's text. */
    length: number;
    seal: Seal["status"] | null;
  }
  | { do: "enqueue"; chat: string; id: string; key: string | null }
  | { do: "withdraw"; chat: string; id: string }
  | { do: "show"; chat: string; run: string }
  | { do: "answer" | "keep" | "stop"; run: string }
  | { do: "choose"; chat: string; n: number }
  | { do: "note"; key: string; n: number }
  | { do: "drop-note"; key: string }
  | { do: "remove"; chat: string };

/** Steps asked for at once, or something that is done to the files. */
export type Round =
  | Step[]
  | "reopen"
  | "checkpoint PASSIVE"
  | "checkpoint RESTART"
  | "checkpoint TRUNCATE";

export interface Shape {
  rounds: number;
  /** Entries so long that SQLite makes its checkpoints by itself. */
  long?: boolean;
}

interface Talk {
  chat: string;
  runs: string[];
  /** The running run. */
  active: string | null;
  lastSeq: number;
  queue: string[];
}

export function makePlan(seed: number, shape: Shape): Round[] {
  const random = new Random(seed);
  const talks: Talk[] = [];
  const serial = new Map<string, number>();
  const fresh = (kind: string) => {
    const n = (serial.get(kind) ?? 0) + 1;
    serial.set(kind, n);
    return `${kind}_${n}`;
  };
  const rounds: Round[] = [];
  while (rounds.length < shape.rounds) {
    if (rounds.length > 0 && random.chance(0.08)) {
      rounds.push(random.pick([
        "reopen",
        "checkpoint PASSIVE",
        "checkpoint PASSIVE",
        "checkpoint RESTART",
        "checkpoint TRUNCATE",
      ]));
      continue;
    }
    const steps: Step[] = [];
    const wanted = random.pick([1, 1, 2, 4, 8]);
    while (steps.length < wanted) {
      steps.push(...nextSteps(random, talks, fresh, shape.long ?? false));
    }
    rounds.push(steps);
  }
  return rounds;
}

function nextSteps(
  random: Random,
  talks: Talk[],
  fresh: (kind: string) => string,
  long: boolean,
): Step[] {
  const key = () => random.chance(0.5) ? fresh("key") : null;
  const talk = random.pick(talks);
  if (talk === undefined || random.chance(0.08)) {
    const chat = fresh("chat");
    const made = { chat, runs: [], active: null, lastSeq: 0, queue: [] };
    talks.push(made);
    return [ask(random, made, fresh("run"), key(), null)];
  }
  const { chat, active } = talk;
  const what = random.next();
  if (active === null) {
    if (what < 0.1) {
      talks.splice(talks.indexOf(talk), 1);
      return [{ do: "remove", chat }];
    }
    if (what < 0.2) {
      return [{ do: "show", chat, run: random.pick(talk.runs) }];
    }
    const queued = talk.queue.shift() ?? null;
    return [ask(random, talk, fresh("run"), key(), queued)];
  }
  if (what < 0.62) return [append(random, talk, long)];
  if (what < 0.72) {
    // As the driver does: several appends of a run on their way at once.
    const first = append(random, talk, long);
    return talk.active === null ? [first] : [first, append(random, talk, long)];
  }
  if (what < 0.79) {
    const id = fresh("message");
    talk.queue.push(id);
    return [{ do: "enqueue", chat, id, key: key() }];
  }
  if (what < 0.82 && talk.queue.length > 0) {
    return [{ do: "withdraw", chat, id: talk.queue.pop()! }];
  }
  if (what < 0.86) return [{ do: "answer", run: active }];
  if (what < 0.9) return [{ do: "keep", run: active }];
  if (what < 0.93) return [{ do: "choose", chat, n: random.below(1e6) }];
  if (what < 0.95) return [{ do: "stop", run: active }];
  const note = `note_${random.below(5)}`;
  return random.chance(0.3)
    ? [{ do: "drop-note", key: note }]
    : [{ do: "note", key: note, n: random.below(1e6) }];
}

function ask(
  random: Random,
  talk: Talk,
  run: string,
  key: string | null,
  queued: string | null,
): Step {
  const parent = talk.runs.length > 0 ? random.pick(talk.runs) : null;
  const begin = random.pick([1, 1, 1, 5]);
  talk.runs.push(run);
  talk.active = run;
  talk.lastSeq = begin;
  const keep = random.chance(0.2);
  return { do: "ask", run, chat: talk.chat, parent, key, queued, begin, keep };
}

function append(random: Random, talk: Talk, long: boolean): Step {
  const run = talk.active!;
  const from = talk.lastSeq + 1;
  const count = random.pick(long ? [1, 2, 5, 20] : [1, 1, 2, 5, 70]);
  const length = random.pick(long ? [10, 3_000, 60_000] : [10, 10, 40, 900]);
  talk.lastSeq += count;
  const ends = random.chance(0.2);
  if (ends) talk.active = null;
  const seal = ends
    ? random.pick(["complete", "stopped", "failed", "interrupted"] as const)
    : null;
  return { do: "append", run, from, count, length, seal };
}
