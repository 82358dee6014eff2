/**
 * The engine for several instances: one Postgres database, group commit, one
 * notification per flush. Needs Postgres 13 or later.
 *
 * Connections: one writes, up to three read, one listens and rings.
 *
 * @module
 */
// Not the global timers: a test that stops time must not stop the network.
import { setTimeout } from "node:timers";
import {
  type AnswerRow,
  type AppendOutcome,
  type ChatRow,
  type CreateOutcome,
  type Draft,
  type EnqueueOutcome,
  type NewMessage,
  type NewRun,
  type News,
  type NoteRow,
  type ParkOutcome,
  type QueuedRow,
  type RunRow,
  type Seal,
  type Store,
  type StoredEntry,
  StoreError,
} from "./contract.ts";
import { Bell } from "./postgres_bell.ts";
import { Chats, setChat, setLeaf } from "./postgres_chats.ts";
import { postgresError, type Trouble, troubleOf } from "./postgres_error.ts";
import { PostgresGroup } from "./postgres_group.ts";
import { Line, type Query } from "./postgres_link.ts";
import { dropNote, putNote } from "./postgres_notes.ts";
import { openDatabase } from "./postgres_open.ts";
import { enqueue, hurry, reorder, withdraw } from "./postgres_queue.ts";
import * as reads from "./postgres_reads.ts";
import { findOlder, unlink, unlinkOlder, wipe } from "./postgres_removals.ts";
import {
  answer,
  keep,
  park,
  requestStop,
  take,
  takeExpired,
} from "./postgres_runs.ts";
import { readTarget, type Target } from "./postgres_target.ts";
import type { Tx } from "./postgres_transaction.ts";
import {
  checkDrafts,
  checkNewMessage,
  checkNewRun,
  checkNote,
  checkPark,
  checkText,
} from "./rules.ts";

export interface PostgresOptions {
  /** Instead of the database's clock, ms since 1970: for tests. */
  now?: () => number;
  /** How long a call waits for the server, ms. Default: 5,000. */
  patienceMs?: number;
}

const READERS = 3;
/** A server that gives no answer for so long has fallen silent. */
const SILENCE_MS = 5000;
/** Between two tries to read while the server cannot be reached. */
const RETRY_MS = 100;

/**
 * Opens the database at `url` (`postgres://user:password@host:port/database`)
 * and makes or updates our tables there.
 *
 * @throws {StoreError} if it cannot be used as it is (see `postgres_open.ts`).
 */
export async function openPostgres(
  url: string,
  options: PostgresOptions = {},
): Promise<Store> {
  const target = readTarget(url);
  const { patienceMs = 5000 } = options;
  await openDatabase(target, patienceMs);
  const store = new PostgresStore(target, patienceMs, options.now);
  await store.ready();
  return store;
}

class PostgresStore implements Store {
  readonly kind = "postgres";
  #target: Target;
  #patienceMs: number;
  #writer: Line;
  #readers: Line;
  #bell: Bell;
  #group: PostgresGroup;
  #chats = new Chats();
  #closed = false;
  #wiping: Promise<void> = Promise.resolve();

  constructor(target: Target, patienceMs: number, now?: () => number) {
    this.#target = target;
    this.#patienceMs = patienceMs;
    this.#writer = new Line(target, { max: 1, silenceMs: SILENCE_MS });
    this.#readers = new Line(target, { max: READERS, silenceMs: SILENCE_MS });
    this.#bell = new Bell(target);
    this.#group = new PostgresGroup({
      line: this.#writer,
      now,
      patienceMs,
      onCommitted: (rings) => this.#bell.ring(rings),
      explain: (trouble, cause) => this.#explain("write to", trouble, cause),
    });
  }

  /** Listens to others, and goes on with what a crash left to be deleted. */
  async ready(): Promise<void> {
    await this.#bell.ready;
    this.#wipe().catch(() => {});
  }

  async create(input: NewRun): Promise<CreateOutcome> {
    checkNewRun(input);
    return await this.#write((tx) => this.#chats.create(tx, input));
  }

  async append(
    run: string,
    epoch: number,
    entries: Draft[],
    seal?: Seal,
  ): Promise<AppendOutcome> {
    checkDrafts(run, entries, seal);
    return await this.#group.submit({
      kind: "append",
      run,
      epoch,
      entries,
      seal,
    });
  }

  async renew(run: string, epoch: number, leaseMs: number): Promise<boolean> {
    return await this.#group.submit({ kind: "renew", run, epoch, leaseMs });
  }

  async takeExpired(leaseOwner: string, leaseMs: number): Promise<RunRow[]> {
    checkText("lease owner", leaseOwner);
    return await this.#write((tx) => takeExpired(tx, leaseOwner, leaseMs));
  }

  async park(
    run: string,
    epoch: number,
    until: number,
    questions: string[],
  ): Promise<ParkOutcome> {
    checkPark(run, until, questions);
    return await this.#write((tx) => park(tx, run, epoch, until, questions));
  }

  async take(
    run: string,
    leaseOwner: string,
    leaseMs: number,
  ): Promise<RunRow | null> {
    checkText("lease owner", leaseOwner);
    return await this.#write((tx) => take(tx, run, leaseOwner, leaseMs));
  }

  async answer(
    run: string,
    question: string,
    json: string,
  ): Promise<"recorded" | "taken"> {
    checkText("question", question);
    checkText("answer", json);
    return await this.#write((tx) => answer(tx, run, question, json));
  }

  answers(run: string): Promise<AnswerRow[]> {
    return this.#read((query) => reads.answersOf(query, run));
  }

  async keep(run: string, name: string, text: string): Promise<void> {
    checkText("name", name);
    await this.#write((tx) => keep(tx, run, name, text));
  }

  kept(run: string, name: string): Promise<string | null> {
    return this.#read((query) => reads.keptOf(query, run, name));
  }

  requestStop(run: string): Promise<RunRow | null> {
    return this.#write((tx) => requestStop(tx, run));
  }

  read(run: string, after: number, limit: number): Promise<StoredEntry[]> {
    return this.#read((query) => reads.entries(query, run, after, limit));
  }

  run(id: string): Promise<RunRow | null> {
    return this.#read((query) => reads.findRun(query, id));
  }

  runs(chat: string): Promise<RunRow[]> {
    return this.#read((query) => reads.runsOf(query, chat));
  }

  chat(owner: string, id: string): Promise<ChatRow | null> {
    return this.#read((query) => reads.findChat(query, owner, id));
  }

  chats(
    owner: string,
    limit: number,
    which?: "listed" | "all",
  ): Promise<ChatRow[]> {
    const all = which === "all";
    return this.#read((query) => reads.chatsOf(query, owner, limit, all));
  }

  async setChat(owner: string, id: string, settings: string): Promise<boolean> {
    checkText("settings", settings);
    return await this.#write((tx) => setChat(tx, owner, id, settings));
  }

  setLeaf(owner: string, chat: string, run: string): Promise<boolean> {
    return this.#write((tx) => setLeaf(tx, owner, chat, run));
  }

  async enqueue(input: NewMessage): Promise<EnqueueOutcome> {
    checkNewMessage(input);
    return await this.#write((tx) => enqueue(tx, input));
  }

  queue(owner: string, chat: string): Promise<QueuedRow[]> {
    return this.#read((query) => reads.queueOf(query, owner, chat));
  }

  withdraw(owner: string, chat: string, id: string): Promise<QueuedRow | null> {
    return this.#write((tx) => withdraw(tx, owner, chat, id));
  }

  reorder(owner: string, chat: string, ids: string[]): Promise<boolean> {
    return this.#write((tx) => reorder(tx, owner, chat, ids));
  }

  hurry(owner: string, chat: string, id: string): Promise<boolean> {
    return this.#write((tx) => hurry(tx, owner, chat, id));
  }

  due(limit: number): Promise<QueuedRow[]> {
    return this.#read((query) => reads.dueMessages(query, limit));
  }

  async remove(owner: string, chat: string): Promise<boolean> {
    const removed = await this.#write((tx) => unlink(tx, owner, chat));
    if (removed) await this.#wipe();
    return removed;
  }

  async removeOlder(before: number, limit: number): Promise<number> {
    const chats = await this.#write((tx) => findOlder(tx, before, limit));
    let removed = 0;
    // One by one, so that others write in between.
    for (const chat of chats) {
      if (await this.#write((tx) => unlinkOlder(tx, chat, before))) removed++;
    }
    if (removed > 0) await this.#wipe();
    return removed;
  }

  listen(hear: (news: News) => void): () => void {
    return this.#bell.hear(hear);
  }

  async putNote(shelf: string, key: string, json: string): Promise<void> {
    checkNote(shelf, key, json);
    await this.#write((tx) => putNote(tx, shelf, key, json));
  }

  dropNote(shelf: string, key: string): Promise<boolean> {
    return this.#write((tx) => dropNote(tx, shelf, key));
  }

  note(shelf: string, key: string): Promise<string | null> {
    return this.#read((query) => reads.noteOf(query, shelf, key));
  }

  notes(shelf: string): Promise<NoteRow[]> {
    return this.#read((query) => reads.notesOf(query, shelf));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#group.close();
    await this.#bell.close();
    await this.#wiping;
    await Promise.all([this.#writer.close(), this.#readers.close()]);
  }

  #write<T>(write: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#group.submit({ kind: "other", write });
  }

  /** A read changes nothing, so a lost connection only means to read again. */
  async #read<T>(read: (query: Query) => Promise<T>): Promise<T> {
    const until = performance.now() + this.#patienceMs;
    while (true) {
      try {
        return await read(this.#readers.query);
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble === null) throw error;
        if (!trouble.lost || this.#closed || performance.now() > until) {
          throw this.#explain("read", trouble, error);
        }
        await pause(RETRY_MS);
      }
    }
  }

  /** One at a time; stops where it is when the store is closed. */
  #wipe(): Promise<void> {
    const run = this.#wiping.then(() =>
      wipe((text, values) =>
        this.#closed
          ? Promise.reject(new StoreError("io", "The store is closed"))
          : this.#readers.query(text, values)
      )
    ).catch((error) => {
      // It is unlinked, and taken out the next time.
      if (troubleOf(error) === null && !(error instanceof StoreError)) {
        throw error;
      }
    });
    this.#wiping = run.catch(() => {});
    return run;
  }

  #explain(action: string, trouble: Trouble, cause: unknown) {
    return postgresError(action, this.#target.name, trouble, cause);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
