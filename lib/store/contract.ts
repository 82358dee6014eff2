/**
 * What a storage engine must do. Engines (memory, SQLite, Postgres) share one
 * contract and one test suite; nothing above this line knows which one runs.
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
  /** What the run was asked with, as JSON; the store does not read it. */
  options: string;
  status: RunStatus;
  /** Grows when another process takes the run over; a stale one cannot append. */
  epoch: number;
  /**
   * Who drives it, and until when (ms since 1970, the store's clock). A running
   * run without an owner is parked: it waits for a person, at most until then.
   */
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
  /** What the person chose for this chat, as JSON; the store does not read it. */
  settings: string;
  /** Asked by a program: answers like any other, but is not in the list. */
  hidden: boolean;
  /**
   * The run at the end of the branch people see: the newest, unless somebody
   * chose another ({@linkcode Store.setLeaf}). Null only where an older version
   * asked last: then it is the newest.
   */
  leaf: string | null;
}

/** A message that waits until its chat's run is over. */
export interface QueuedRow {
  id: string;
  chat: string;
  owner: string;
  text: string;
  /** JSON; the store does not read it. */
  options: string;
  /** What {@linkcode NewRun.keep} will be. */
  keep: { name: string; text: string }[];
  idempotencyKey: string | null;
  /** Not to wait for a good end: sent as soon as the run is over in any way. */
  now: boolean;
  createdAt: number;
}

export type NewMessage = Omit<QueuedRow, "now" | "createdAt">;

export type EnqueueOutcome =
  | { kind: "queued"; message: QueuedRow }
  /** The idempotency key is a waiting message's: that one. */
  | { kind: "waiting"; message: QueuedRow }
  /** The idempotency key is a run's. */
  | { kind: "existing"; run: RunRow }
  /** The idempotency key's message was taken back. Nothing was written. */
  | { kind: "withdrawn" }
  /** The chat has no running run: ask at once. Nothing was written. */
  | { kind: "idle" }
  /** {@linkcode QUEUE_LIMIT} messages wait already. Nothing was written. */
  | { kind: "full" }
  | { kind: "no-chat" };

/** How many messages of a chat may wait. */
export const QUEUE_LIMIT = 20;

/** What another process did that somebody here may be waiting for. */
export interface News {
  /**
   * `log`: entries were committed, or the run was sealed or parked. `call`: Stop
   * was asked for, or a question answered.
   */
  kind: "log" | "call";
  runs: string[];
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
  /** JSON; comes back as it was. */
  options: string;
  /** Of a chat made by this call; an existing one stays as it is. */
  newChatSettings: string;
  newChatHidden: boolean;
  /** Readable by {@linkcode Store.kept} as soon as the run is there (images). */
  keep: { name: string; text: string }[];
  /** A run of the same chat; `create` rejects any other. */
  parent: string | null;
  /** Unique per owner for 24 h; the same key gives the same run (N10). */
  idempotencyKey: string | null;
  leaseOwner: string;
  leaseMs: number;
  /**
   * The first log entries (seq 1 and on, epoch 1): the run's `start`, and what
   * the answer it goes on with had shown.
   */
  begin: RunEvent[];
  /** The waiting message this is; it waits no more then. */
  queued: string | null;
}

export type CreateOutcome =
  | { kind: "created"; run: RunRow }
  /** The idempotency key was seen before: that run, whatever became of it. */
  | { kind: "existing"; run: RunRow }
  /** The idempotency key is a waiting message's. Nothing was written. */
  | { kind: "waiting"; message: QueuedRow }
  /** The idempotency key's message was taken back. Nothing was written. */
  | { kind: "withdrawn" }
  /** `queued` waits no more: sent by another process, or taken back. */
  | { kind: "gone" }
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
   * Another epoch owns the run, or it is parked, or it has its terminal, or it
   * is gone. Nothing was written.
   */
  | "fenced";

export type ParkOutcome =
  | "parked"
  /** One of the questions has its answer, or Stop was asked for: go on. */
  | "called"
  /** Another epoch owns the run, or it is parked already, or it is over. */
  | "fenced";

/** A person's answer to a question of a run, as it was given. */
export interface AnswerRow {
  question: string;
  /** JSON; the store does not read it. */
  json: string;
}

/** A small record that is no part of any chat: a token, a pin. */
export interface NoteRow {
  key: string;
  json: string;
}

/** A committed entry as stored: `json` is the event exactly as appended. */
export interface StoredEntry {
  epoch: number;
  seq: number;
  json: string;
}

/**
 * The store cannot commit: disk full, locked, gone. Nothing of the call was
 * written, unless the process dies before its next commit: the disk may then have
 * what it said it had not. The store stays usable, and works again by itself once
 * the cause is gone.
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

  /** Renews the lease; false if the epoch is stale, or the run parked or over. */
  renew(run: string, epoch: number, leaseMs: number): Promise<boolean>;

  /**
   * Takes every running run whose lease is over (epoch + 1, new owner), a parked
   * one too, by the same rule. Their log is untouched; the caller decides what
   * becomes of them.
   */
  takeExpired(leaseOwner: string, leaseMs: number): Promise<RunRow[]>;

  /**
   * Lets go of the lease until `until` (ms since 1970) or until
   * {@linkcode take}: the run waits for people, nobody drives it, and it survives
   * a restart. In the same transaction it is looked whether one of `questions`
   * has its answer already, or Stop was asked for; then nothing changes.
   */
  park(
    run: string,
    epoch: number,
    until: number,
    questions: string[],
  ): Promise<ParkOutcome>;

  /**
   * Takes a parked run (epoch + 1, new owner), even one whose `until` is over.
   * Of any number of callers one gets it; null if it is not parked.
   */
  take(
    run: string,
    leaseOwner: string,
    leaseMs: number,
  ): Promise<RunRow | null>;

  /**
   * Records a person's answer, unless there is one already (case T04), or the
   * run is over, or there is no such run. `taken`: nothing was written. Whether
   * the question was asked, or its time is up, is for the caller to know. A
   * parked run's time is over then, so that a sweep finds it if no caller does.
   */
  answer(
    run: string,
    question: string,
    json: string,
  ): Promise<"recorded" | "taken">;

  /** Every recorded answer of a run, in the order they came. */
  answers(run: string): Promise<AnswerRow[]>;

  /** Keeps the whole of an answer too long for the log, under a name of its own. */
  keep(run: string, name: string, text: string): Promise<void>;

  /** What {@linkcode keep} kept, or null. */
  kept(run: string, name: string): Promise<string | null>;

  /**
   * Records the wish to stop, unless the run is over. Returns the run as it now
   * is, or null if there is none. A parked run's time is
   * over then: the caller takes it, or a sweep does.
   */
  requestStop(run: string): Promise<RunRow | null>;

  /** The chat if it is this owner's, else null. */
  chat(owner: string, id: string): Promise<ChatRow | null>;

  /**
   * Chooses the branch people see by its last run; false if chat and run are not
   * this owner's, or do not belong together. Asking chooses anew.
   */
  setLeaf(owner: string, chat: string, run: string): Promise<boolean>;

  /**
   * Lets a message wait behind the chat's running run and those that wait
   * already. Its key is judged as by {@linkcode create}.
   */
  enqueue(input: NewMessage): Promise<EnqueueOutcome>;

  /** The waiting messages of this owner's chat, the next one first. */
  queue(owner: string, chat: string): Promise<QueuedRow[]>;

  /** Takes a waiting message back; null if it waits no more. */
  withdraw(
    owner: string,
    chat: string,
    id: string,
  ): Promise<QueuedRow | null>;

  /**
   * Puts the waiting messages into another order; false, and nothing happened,
   * if `ids` are not exactly those that wait.
   */
  reorder(owner: string, chat: string, ids: string[]): Promise<boolean>;

  /** Makes a waiting message the next one, and `now`; false if it is gone. */
  hurry(owner: string, chat: string, id: string): Promise<boolean>;

  /**
   * Messages whose turn it is: the first of each chat that has no running run,
   * if the run that ended last there is complete or the message is `now`. At
   * most `limit`, oldest first.
   */
  due(limit: number): Promise<QueuedRow[]>;

  /**
   * Deletes the chat with all its runs, logs, answers, what was kept for it and
   * what waits in it; false if it is not this owner's. A run in progress is gone
   * too: its driver's next append is fenced. Nothing of it is in any file once
   * this has resolved, as far as the engine can see to that (case P06).
   */
  remove(owner: string, chat: string): Promise<boolean>;

  /**
   * Does the same to chats, whoever's, last asked before `before` (ms since
   * 1970), that have no running run and no waiting message; at most `limit`.
   * Returns how many.
   */
  removeOlder(before: number, limit: number): Promise<number>;

  /**
   * Tells what other processes on the same database did, where the engine hears
   * of it; a net of slow looks is the caller's all the same. Ended by the
   * function it returns.
   */
  listen(hear: (news: News) => void): () => void;

  /** What the person chose for a chat; false if it is not this owner's. */
  setChat(owner: string, id: string, settings: string): Promise<boolean>;

  /** Puts a note on a shelf, in the place of one with the same key. */
  putNote(shelf: string, key: string, json: string): Promise<void>;

  /** The note, or null. */
  note(shelf: string, key: string): Promise<string | null>;

  /** All notes of a shelf, by key. */
  notes(shelf: string): Promise<NoteRow[]>;

  /** Takes a note away; false if there was none. */
  dropNote(shelf: string, key: string): Promise<boolean>;

  /**
   * This owner's chats that are not hidden (or `all`), the one asked last first,
   * whatever the clock said.
   */
  chats(
    owner: string,
    limit: number,
    which?: "listed" | "all",
  ): Promise<ChatRow[]>;

  /** A chat's runs in the order they were asked. */
  runs(chat: string): Promise<RunRow[]>;

  /**
   * Waits for pending commits, then lets go of files and connections. Calls made
   * afterwards reject.
   */
  close(): Promise<void>;
}
