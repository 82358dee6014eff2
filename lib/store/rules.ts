/**
 * What every engine decides the same way: whether a call makes sense at all, and
 * what an append means for the run it finds.
 *
 * @module
 */
import type {
  AppendOutcome,
  Draft,
  NewRun,
  RunStatus,
  Seal,
  StoredEntry,
} from "./contract.ts";

/** How long an idempotency key stands for its run (N10). */
export const KEY_LIFE_MS = 24 * 60 * 60 * 1000;

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

/** Refuses ids, owner and key that would not be the same after storing them. */
export function checkNames(input: NewRun): void {
  checkText("run id", input.run);
  checkText("chat id", input.chat);
  checkText("owner", input.owner);
  checkText("lease owner", input.leaseOwner);
  if (input.idempotencyKey !== null) {
    checkText("idempotency key", input.idempotencyKey);
  }
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

/** What an append finds. */
export interface Head {
  status: RunStatus;
  epoch: number;
  lastSeq: number;
  message: string | null;
}

/**
 * What an append means for the run as it is. `stored` gives the entries already
 * at the same place and is asked only when they decide.
 *
 * @throws {RangeError} if the owner itself left a gap, or appends other bytes at
 * a place that is taken: a mistake in the caller, never a race.
 */
export function judgeAppend(
  run: string,
  head: Head,
  epoch: number,
  entries: Draft[],
  seal: Seal | undefined,
  stored: () => StoredEntry[],
): AppendOutcome {
  if (head.epoch !== epoch) return "fenced";
  const first = entries[0]!.seq;
  const last = first + entries.length - 1;
  const running = head.status === "running";
  if (running && first === head.lastSeq + 1) return "ok";
  const sealed = seal === undefined ||
    (seal.status === head.status && seal.message === head.message);
  if (last <= head.lastSeq && sealed && same(stored(), epoch, entries)) {
    return "duplicate";
  }
  if (!running) return "fenced";
  throw new RangeError(
    `Cannot append entries ${first} to ${last} to run "${run}": ` +
      `its last entry is ${head.lastSeq}`,
  );
}

function same(stored: StoredEntry[], epoch: number, entries: Draft[]): boolean {
  return stored.length === entries.length &&
    stored.every((entry, index) =>
      entry.epoch === epoch && entry.seq === entries[index]!.seq &&
      entry.json === entries[index]!.json
    );
}
