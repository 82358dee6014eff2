/**
 * What a storage engine must do. Engines (memory, SQLite, later Postgres) share
 * one contract and one test suite; nothing above this line knows which one runs.
 *
 * The run log is the only record: a run's `start` is committed together with the
 * person's message, every later event is appended under the owner's epoch, and
 * the terminal seals the run in the same transaction (N1-N4 of the contract).
 *
 * @module
 */
import type { RunEvent } from "../chat/events.ts";

export type RunStatus =
  | "running"
  | "complete"
  | "stopped"
  | "failed"
  | "interrupted";

/** A run: one question and the one answer it gets. */
export interface RunRow {
  id: string;
  chat: string;
  owner: string;
  /** The run this one answers after; runs of a chat form a tree. */
  parent: string | null;
  /** The person's message. */
  text: string;
  status: RunStatus;
  /** Grows when another process takes the run over; a stale one cannot append. */
  epoch: number;
  /** Who drives it, and until when (ms since 1970, the store's clock). */
  leaseOwner: string | null;
  leaseUntil: number;
  /** Set durably by {@linkcode Store.requestStop}. */
  stopRequested: boolean;
  /** Sequence of the last committed entry. */
  lastSeq: number;
  /** The folded answer as JSON once the run is sealed, else null. */
  message: string | null;
  createdAt: number;
  endedAt: number | null;
}

export interface ChatRow {
  id: string;
  owner: string;
  title: string;
  createdAt: number;
  /** When its last question was asked. */
  updatedAt: number;
  /** The chat's running run, if any. */
  activeRun: string | null;
}

/** Everything {@linkcode Store.create} commits at once. */
export interface NewRun {
  run: string;
  /** An existing chat of this owner, or the id of the chat to make. */
  chat: string;
  /** Title if the chat is made by this call. `null`: the chat must exist. */
  newChatTitle: string | null;
  owner: string;
  text: string;
  /** A run of the same chat; `create` rejects any other. */
  parent: string | null;
  /** Unique per owner for 24 h; the same key gives the same run (N10). */
  idempotencyKey: string | null;
  leaseOwner: string;
  leaseMs: number;
  /** The first log entry (seq 1, epoch 1): the run's `start`. */
  start: RunEvent;
}

export type CreateOutcome =
  | { kind: "created"; run: RunRow }
  /** The idempotency key was seen before: that run, whatever became of it. */
  | { kind: "existing"; run: RunRow }
  /** The chat has a running run. Nothing was written. */
  | { kind: "active"; run: RunRow }
  /** No such chat of this owner. Nothing was written. */
  | { kind: "no-chat" };

/**
 * One entry to append: the event as JSON text, made once and kept. It comes
 * back byte for byte, and must be text as `JSON.stringify` writes it: that
 * escapes NUL and lone surrogates, which engines cannot store.
 */
export interface Draft {
  seq: number;
  json: string;
}

/** Ends the run, and its lease, in the same transaction as its last entry. */
export interface Seal {
  status: Exclude<RunStatus, "running">;
  /** The folded answer as JSON. */
  message: string;
}

export type AppendOutcome =
  | "ok"
  /**
   * Exactly these entries, under this epoch and with this seal, are there
   * already: an ack was lost (X06).
   */
  | "duplicate"
  /**
   * Another epoch owns the run, or it has its terminal, or it is gone. Nothing
   * was written.
   */
  | "fenced";

/** A committed entry as stored: `json` is the event exactly as appended. */
export interface StoredEntry {
  epoch: number;
  seq: number;
  json: string;
}

/**
 * The store cannot commit: disk full, locked, gone. Nothing of the call was
 * written. The store stays usable, and works again by itself once the cause is
 * gone.
 *
 * The message is for the people who run the server and names the file; visitors
 * get a sentence of their own, by `kind`.
 */
export class StoreError extends Error {
  override name = "StoreError";
  constructor(
    readonly kind: "full" | "busy" | "readonly" | "damaged" | "newer" | "io",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * A storage engine. Calls take effect in the order they were made, and see what
 * those before them did. Several processes may share one database where the
 * engine allows it (SQLite: one machine): epochs and leases are judged inside
 * the transaction, so they hold between processes too.
 *
 * A call that is a mistake of the caller's (a gap in `seq`, a parent of another
 * chat, text that cannot be stored) rejects with a `RangeError` or `TypeError`
 * and touches no other call.
 */
export interface Store {
  readonly kind: "memory" | "sqlite" | "postgres";

  /** Commits chat, message, run and first entry, or nothing. */
  create(input: NewRun): Promise<CreateOutcome>;

  /**
   * Appends entries with consecutive `seq` after the run's last one. Resolves
   * only once they are durable. Calls for many runs made close together are
   * committed as one group (at most 25 ms later), so callers need no batching of
   * their own for the store's sake. `entries` must not change until then.
   */
  append(
    run: string,
    epoch: number,
    entries: Draft[],
    seal?: Seal,
  ): Promise<AppendOutcome>;

  /**
   * Entries with `seq > after`, ascending, at most `limit`; `after` 0 begins at
   * the beginning. Any place of a long log costs the same to read from.
   */
  read(run: string, after: number, limit: number): Promise<StoredEntry[]>;

  /** The run, whoever owns it; `null` if there is none. */
  run(id: string): Promise<RunRow | null>;

  /** Renews the lease; false if the epoch is stale or the run is over. */
  renew(run: string, epoch: number, leaseMs: number): Promise<boolean>;

  /**
   * Takes every running run whose lease is over (epoch + 1, new owner). Their
   * log is untouched; the caller decides what becomes of them.
   */
  takeExpired(leaseOwner: string, leaseMs: number): Promise<RunRow[]>;

  /** Keeps the whole of an answer too long for the log, under a name of its own. */
  keep(run: string, name: string, text: string): Promise<void>;

  /** What {@linkcode keep} kept, or null. */
  kept(run: string, name: string): Promise<string | null>;

  /**
   * Records the wish to stop, unless the run is over. Returns the run as it now
   * is, or null if there is none.
   */
  requestStop(run: string): Promise<RunRow | null>;

  /** The chat if it is this owner's, else null. */
  chat(owner: string, id: string): Promise<ChatRow | null>;

  /** This owner's chats, the one asked last first, whatever the clock said. */
  chats(owner: string, limit: number): Promise<ChatRow[]>;

  /** A chat's runs in the order they were asked. */
  runs(chat: string): Promise<RunRow[]>;

  /**
   * Waits for pending commits, then lets go of files and connections. Calls made
   * afterwards reject.
   */
  close(): Promise<void>;
}
