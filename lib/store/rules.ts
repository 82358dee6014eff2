/**
 * What every engine decides the same way: whether a call makes sense at all, and
 * what an append means for the run it finds.
 *
 * @module
 */
import type {
  AppendOutcome,
  Draft,
  NewMessage,
  NewRun,
  ParkOutcome,
  QueuedRow,
  RunRow,
  Seal,
  StoredEntry,
} from "./contract.ts";

/**
 * How long an idempotency key stands for its run, or for the message that was
 * taken back (N10); for one that waits it stands as long as that waits.
 */
export const KEY_LIFE_MS = 24 * 60 * 60 * 1000;

/** What a known key means for whoever comes with it again. */
export type Judged =
  | { kind: "existing"; run: RunRow }
  | { kind: "waiting"; message: QueuedRow }
  | { kind: "withdrawn" };

/**
 * Refuses text that not every engine gives back as it got it: SQLite cuts text
 * at a NUL and, like Postgres, has no lone surrogates (X08). Text made by
 * `JSON.stringify` has neither, it escapes both.
 *
 * @throws {TypeError} naming `what`.
 */
export function checkText(what: string, text: string): void {
  if (typeof text === "string" && text.isWellFormed() && !text.includes("\0")) {
    return;
  }
  throw new TypeError(
    `Cannot store ${what} ${JSON.stringify(text)?.slice(0, 80)}: ` +
      "it is not text without NUL and lone surrogates",
  );
}

/** Refuses what would not be the same after storing it, before any is stored. */
export function checkNewRun(input: NewRun): void {
  checkText("run id", input.run);
  checkText("chat id", input.chat);
  checkText("owner", input.owner);
  checkText("lease owner", input.leaseOwner);
  if (input.idempotencyKey !== null) {
    checkText("idempotency key", input.idempotencyKey);
  }
  checkText("options", input.options);
  checkText("settings", input.newChatSettings);
  for (const { name } of input.keep) checkText("name", name);
  if (input.queued !== null) checkText("message id", input.queued);
  if (input.begin.length === 0) {
    throw new RangeError(
      `Cannot create run "${input.run}": its log has no first entry`,
    );
  }
}

/** Refuses what would not be the same after storing it. */
export function checkNewMessage(input: NewMessage): void {
  checkText("message id", input.id);
  checkText("chat id", input.chat);
  checkText("owner", input.owner);
  if (input.idempotencyKey !== null) {
    checkText("idempotency key", input.idempotencyKey);
  }
  checkText("options", input.options);
  for (const { name } of input.keep) checkText("name", name);
}

/** Whether `ids` name every message that waits, each once. */
export function isOrderOf(waiting: QueuedRow[], ids: string[]): boolean {
  const named = new Set(ids);
  return ids.length === waiting.length &&
    waiting.every(({ id }) => named.has(id));
}

/** Refuses a note that would not be found again under its name. */
export function checkNote(shelf: string, key: string, json: string): void {
  checkText("shelf", shelf);
  checkText("key", key);
  checkText("note", json);
}

/** The error for a run that answers after one that its chat does not have. */
export function noParent(input: NewRun): RangeError {
  return new RangeError(
    `Cannot create run "${input.run}" after run "${input.parent}": ` +
      `chat "${input.chat}" has no such run`,
  );
}

/**
 * Refuses an append that could never be right, whatever the run looks like.
 *
 * @throws {RangeError} if the entries are none or not consecutive.
 * @throws {TypeError} if one is not JSON text as `JSON.stringify` writes it.
 */
export function checkDrafts(run: string, entries: Draft[], seal?: Seal): void {
  const first = entries[0]?.seq ?? 0;
  entries.forEach(({ seq, json }, index) => {
    if (seq !== first + index) {
      throw new RangeError(
        `Cannot append to run "${run}": entry ${seq} follows entry ${
          first + index - 1
        }`,
      );
    }
    checkText("entry", json);
  });
  if (!Number.isSafeInteger(first) || first < 1) {
    throw new RangeError(
      `Cannot append to run "${run}": there is no entry with seq 1 or more`,
    );
  }
  if (seal !== undefined) checkText("message", seal.message);
}

/** Somebody writes its log, under its epoch. */
export function isDriven(run: RunRow): boolean {
  return run.status === "running" && run.leaseOwner !== null;
}

/** It is not over, but nobody drives it: it waits for people. */
export function isParked(run: RunRow): boolean {
  return run.status === "running" && run.leaseOwner === null;
}

/**
 * Refuses to wait for a question that cannot have an answer, or for no time.
 *
 * @throws {RangeError} if `until` is not a whole number of milliseconds.
 * @throws {TypeError} if a question is not text that could have been stored.
 */
export function checkPark(
  run: string,
  until: number,
  questions: string[],
): void {
  if (!Number.isSafeInteger(until)) {
    throw new RangeError(
      `Cannot park run "${run}" until "${until}": that is no time in ms`,
    );
  }
  for (const question of questions) checkText("question", question);
}

/**
 * What parking means for the run as it is. `answered` says whether one of its
 * questions has an answer, and is asked only when that decides.
 */
export function judgePark(
  run: RunRow | null,
  epoch: number,
  answered: () => boolean,
): ParkOutcome {
  if (!run || !isDriven(run) || run.epoch !== epoch) return "fenced";
  return run.stopRequested || answered() ? "called" : "parked";
}

/**
 * What an append means for the run as it is. `stored` gives the entries already
 * at the same place and is asked only when they decide.
 *
 * @throws {RangeError} if the owner itself left a gap, or appends other bytes at
 * a place that is taken: a mistake in the caller, never a race.
 */
export function judgeAppend(
  run: RunRow,
  epoch: number,
  entries: Draft[],
  seal: Seal | undefined,
  stored: () => StoredEntry[],
): AppendOutcome {
  if (run.epoch !== epoch) return "fenced";
  const first = entries[0]!.seq;
  const last = first + entries.length - 1;
  // Who parked a run let go of it: only who takes it writes on.
  const driven = isDriven(run);
  if (driven && first === run.lastSeq + 1) return "ok";
  const sealed = seal === undefined ||
    (seal.status === run.status && seal.message === run.message);
  if (last <= run.lastSeq && sealed && same(stored(), epoch, entries)) {
    return "duplicate";
  }
  if (!driven) return "fenced";
  throw new RangeError(
    `Cannot append entries ${first} to ${last} to run "${run.id}": ` +
      `its last entry is ${run.lastSeq}`,
  );
}

function same(stored: StoredEntry[], epoch: number, entries: Draft[]): boolean {
  return stored.length === entries.length &&
    stored.every((entry, index) =>
      entry.epoch === epoch && entry.seq === entries[index]!.seq &&
      entry.json === entries[index]!.json
    );
}
