/**
 * SQLite's troubles, told to people.
 *
 * @module
 */
import { StoreError } from "./contract.ts";
import { newestBackup } from "./sqlite_backups.ts";

// Result codes: https://sqlite.org/rescode.html
const KINDS: Record<number, StoreError["kind"]> = {
  5: "busy", // SQLITE_BUSY
  6: "busy", // SQLITE_LOCKED
  7: "io", // SQLITE_NOMEM
  8: "readonly", // SQLITE_READONLY
  10: "io", // SQLITE_IOERR
  11: "damaged", // SQLITE_CORRUPT
  13: "full", // SQLITE_FULL
  14: "io", // SQLITE_CANTOPEN
  15: "io", // SQLITE_PROTOCOL
  26: "damaged", // SQLITE_NOTADB
  522: "damaged", // SQLITE_IOERR_SHORT_READ
};

/** What is the matter, and the way out. */
const WORDS: Record<StoreError["kind"], [state: string, remedy: string]> = {
  full: ["the disk is full", "Free some space; no restart is needed"],
  busy: ["another program holds it locked", "Close that program, or wait"],
  readonly: [
    "the file or its directory cannot be written",
    "Give the server's user write permission, or choose another directory",
  ],
  damaged: [
    "the file is damaged",
    "It was left as it is. Put a backup in its place, or move it away together " +
    "with its -wal and -shm files to begin with an empty one",
  ],
  newer: [
    "it was written by a newer version of Tickertape",
    "It was left as it is. Start that version, " +
    "or put a backup from before the upgrade in its place",
  ],
  io: ["the disk or the file system failed", "Look at the disk"],
};

/**
 * A {@linkcode StoreError} in the words all of them share.
 *
 * @param state What exactly is the matter, if more is known than the kind.
 */
export function storeError(
  action: string,
  path: string,
  kind: StoreError["kind"],
  options: ErrorOptions & { state?: string } = {},
): StoreError {
  const [usual, remedy] = WORDS[kind];
  const state = options.state ?? usual;
  const lost = kind === "damaged" || kind === "newer";
  const backup = lost ? newestBackup(path) : null;
  const way = backup === null ? remedy : restoring(kind, backup);
  return new StoreError(
    kind,
    `Cannot ${action} database "${path}": ${state}. ${way}.`,
    { cause: options.cause },
  );
}

function restoring(kind: StoreError["kind"], backup: string): string {
  const first = kind === "newer" ? "Start that version, or put" : "Put";
  return `It was left as it is. ${first} the newest backup in its place: ` +
    `deno task restore "${backup}"`;
}

/** Something was read that cannot have been written so. */
export class DamageError extends Error {
  override name = "DamageError";
}

/**
 * What an error of `node:sqlite` says about the store; `null` if it says
 * something about the call instead (a constraint, a wrong type).
 */
export function troubleKind(error: unknown): StoreError["kind"] | null {
  // Whatever is parsed here was stored as JSON.
  if (error instanceof DamageError || error instanceof SyntaxError) {
    return "damaged";
  }
  const code = (error as { errcode?: unknown } | null)?.errcode;
  if (typeof code !== "number") return null;
  // Extended codes carry the primary one in their low byte.
  return KINDS[code] ?? KINDS[code & 0xff] ?? null;
}
