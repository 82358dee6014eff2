/**
 * The embedded engine: one SQLite file, WAL, `synchronous=FULL`, group commit.
 *
 * Commits run on the main thread: one blocks it for about 1.5 ms per 500
 * entries plus the disk's own sync.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type {
  AnswerRow,
  AppendOutcome,
  ChatRow,
  CreateOutcome,
  Draft,
  EnqueueOutcome,
  NewMessage,
  NewRun,
  NoteRow,
  ParkOutcome,
  QueuedRow,
  RunRow,
  Seal,
  Store,
  StoredEntry,
} from "./contract.ts";
import { StoreError } from "./contract.ts";
import { GroupCommit } from "./group_commit.ts";
import { Chats } from "./sqlite_chats.ts";
import { storeError, troubleKind } from "./sqlite_error.ts";
import { Notes } from "./sqlite_notes.ts";
import { openDatabase } from "./sqlite_open.ts";
import { Queue } from "./sqlite_queue.ts";
import { Reads } from "./sqlite_reads.ts";
import { Removals, Sweep } from "./sqlite_remove.ts";
import { Writes } from "./sqlite_writes.ts";

export interface SqliteOptions {
  /** The clock behind every timestamp and lease, ms since 1970. */
  now?: () => number;
  /** How long a write waits for another process's lock, ms. Default: 5,000. */
  patienceMs?: number;
}

/**
 * Opens the database file at `path`, or makes it.
 *
 * @throws {StoreError} if it cannot be used as it is (N11, see `sqlite_open.ts`).
 */
export function openSqlite(path: string, options: SqliteOptions = {}): Store {
  const { now = Date.now, patienceMs = 5000 } = options;
  return new SqliteStore(openDatabase(path), path, now, patienceMs);
}

class SqliteStore implements Store {
  readonly kind = "sqlite";
  #db: DatabaseSync;
  #path: string;
  #reads: Reads;
  #queue: Queue;
  #chats: Chats;
  #writes: Writes;
  #notes: Notes;
  #removals: Removals;
  #group: GroupCommit;
  #sweep: Sweep;

  constructor(
    db: DatabaseSync,
    path: string,
    now: () => number,
    patienceMs: number,
  ) {
    this.#db = db;
    this.#path = path;
    this.#reads = new Reads(db);
    this.#queue = new Queue(db, this.#reads, now);
    this.#chats = new Chats(db, this.#reads, this.#queue, now);
    this.#writes = new Writes(db, this.#reads, now);
    this.#notes = new Notes(db);
    this.#removals = new Removals(db);
    this.#group = new GroupCommit({
      begin: () => this.#writes.begin(),
      commit: () => this.#writes.commit(),
      rollback: () => this.#writes.rollback(),
      trouble: (error) => this.#trouble("write to", error),
    }, patienceMs);
    this.#sweep = new Sweep(
      this.#removals,
      (write) => this.#group.submit(write),
    );
    // What a crash left half deleted.
    if (this.#removals.any()) this.#sweep.run();
  }

  create(input: NewRun): Promise<CreateOutcome> {
    return this.#group.submit(() => this.#chats.create(input));
  }

  append(
    run: string,
    epoch: number,
    entries: Draft[],
    seal?: Seal,
  ): Promise<AppendOutcome> {
    return this.#group.submit(() =>
      this.#writes.append(run, epoch, entries, seal)
    );
  }

  renew(run: string, epoch: number, leaseMs: number): Promise<boolean> {
    return this.#group.submit(() => this.#writes.renew(run, epoch, leaseMs));
  }

  async takeExpired(leaseOwner: string, leaseMs: number): Promise<RunRow[]> {
    const { taken, left } = await this.#group.submit(() => ({
      taken: this.#writes.takeExpired(leaseOwner, leaseMs),
      left: this.#removals.any(),
    }));
    // What a neighbour process was deleting when it died.
    if (left) this.#sweep.join();
    return taken;
  }

  park(
    run: string,
    epoch: number,
    until: number,
    questions: string[],
  ): Promise<ParkOutcome> {
    return this.#group.submit(() =>
      this.#writes.park(run, epoch, until, questions)
    );
  }

  take(
    run: string,
    leaseOwner: string,
    leaseMs: number,
  ): Promise<RunRow | null> {
    return this.#group.submit(() =>
      this.#writes.take(run, leaseOwner, leaseMs)
    );
  }

  answer(
    run: string,
    question: string,
    json: string,
  ): Promise<"recorded" | "taken"> {
    return this.#group.submit(() => this.#writes.answer(run, question, json));
  }

  answers(run: string): Promise<AnswerRow[]> {
    return this.#read(() => this.#reads.answers(run));
  }

  keep(run: string, name: string, text: string): Promise<void> {
    return this.#group.submit(() => this.#writes.keep(run, name, text));
  }

  kept(run: string, name: string): Promise<string | null> {
    return this.#read(() => this.#reads.kept(run, name));
  }

  requestStop(run: string): Promise<RunRow | null> {
    return this.#group.submit(() => this.#writes.requestStop(run));
  }

  read(run: string, after: number, limit: number): Promise<StoredEntry[]> {
    return this.#read(() => this.#reads.entries(run, after, limit));
  }

  run(id: string): Promise<RunRow | null> {
    return this.#read(() => this.#reads.run(id));
  }

  chat(owner: string, id: string): Promise<ChatRow | null> {
    return this.#read(() => this.#reads.chat(owner, id));
  }

  chats(
    owner: string,
    limit: number,
    which?: "listed" | "all",
  ): Promise<ChatRow[]> {
    return this.#read(() => this.#reads.chats(owner, limit, which === "all"));
  }

  runs(chat: string): Promise<RunRow[]> {
    return this.#read(() => this.#reads.runs(chat));
  }

  setChat(owner: string, id: string, settings: string): Promise<boolean> {
    return this.#group.submit(() => this.#chats.setChat(owner, id, settings));
  }

  setLeaf(owner: string, chat: string, run: string): Promise<boolean> {
    return this.#group.submit(() => this.#chats.setLeaf(owner, chat, run));
  }

  enqueue(input: NewMessage): Promise<EnqueueOutcome> {
    return this.#group.submit(() => this.#queue.enqueue(input));
  }

  queue(owner: string, chat: string): Promise<QueuedRow[]> {
    return this.#read(() => this.#reads.queue(owner, chat));
  }

  withdraw(
    owner: string,
    chat: string,
    id: string,
  ): Promise<QueuedRow | null> {
    return this.#group.submit(() => this.#queue.withdraw(owner, chat, id));
  }

  reorder(owner: string, chat: string, ids: string[]): Promise<boolean> {
    return this.#group.submit(() => this.#queue.reorder(owner, chat, ids));
  }

  hurry(owner: string, chat: string, id: string): Promise<boolean> {
    return this.#group.submit(() => this.#queue.hurry(owner, chat, id));
  }

  due(limit: number): Promise<QueuedRow[]> {
    return this.#read(() => this.#reads.due(limit));
  }

  async remove(owner: string, chat: string): Promise<boolean> {
    const removed = await this.#group.submit(() =>
      this.#removals.unlink(owner, chat)
    );
    if (removed) await this.#sweep.run();
    return removed;
  }

  async removeOlder(before: number, limit: number): Promise<number> {
    const removed = await this.#group.submit(() =>
      this.#removals.unlinkOlder(before, limit)
    );
    if (removed > 0) await this.#sweep.run();
    return removed;
  }

  /** Never rings: processes that share a file look into it. */
  listen(): () => void {
    return () => {};
  }

  putNote(shelf: string, key: string, json: string): Promise<void> {
    return this.#group.submit(() => this.#notes.put(shelf, key, json));
  }

  dropNote(shelf: string, key: string): Promise<boolean> {
    return this.#group.submit(() => this.#notes.drop(shelf, key));
  }

  note(shelf: string, key: string): Promise<string | null> {
    return this.#read(() => this.#notes.note(shelf, key));
  }

  notes(shelf: string): Promise<NoteRow[]> {
    return this.#read(() => this.#notes.notes(shelf));
  }

  async close(): Promise<void> {
    await this.#group.close();
    await this.#sweep.close();
    if (this.#db.isOpen) this.#db.close();
  }

  #read<T>(read: () => T): Promise<T> {
    try {
      return Promise.resolve(read());
    } catch (error) {
      return Promise.reject(this.#trouble("read", error) ?? error);
    }
  }

  #trouble(action: string, cause: unknown): StoreError | null {
    if (cause instanceof StoreError) return cause;
    const kind = troubleKind(cause);
    return kind && storeError(action, this.#path, kind, { cause });
  }
}
