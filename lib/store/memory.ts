/**
 * The reference engine: the contract in plain objects. For tests and for
 * reading; nothing outlives the process.
 *
 * @module
 */
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
import { Chats } from "./memory_chats.ts";
import {
  compareText,
  copy,
  isRunning,
  type Run,
  Tables,
} from "./memory_rows.ts";
import {
  checkDrafts,
  checkNote,
  checkPark,
  checkText,
  isDriven,
  isParked,
  judgeAppend,
  judgePark,
} from "./rules.ts";

export interface MemoryOptions {
  /** The clock behind every timestamp and lease, ms since 1970. */
  now?: () => number;
}

/** A store that lives as long as the process. */
export function openMemory({ now = Date.now }: MemoryOptions = {}): Store {
  return new MemoryStore(now);
}

class MemoryStore implements Store {
  readonly kind = "memory";
  #now: () => number;
  #tables = new Tables();
  #runs = this.#tables.runs;
  #shelves = this.#tables.shelves;
  #chats: Chats;
  #closed = false;

  constructor(now: () => number) {
    this.#now = now;
    this.#chats = new Chats(this.#tables, now);
  }

  create(input: NewRun): Promise<CreateOutcome> {
    return this.#do(() => this.#chats.create(input));
  }

  append(
    id: string,
    epoch: number,
    entries: Draft[],
    seal?: Seal,
  ): Promise<AppendOutcome> {
    return this.#do(() => {
      checkDrafts(id, entries, seal);
      const run = this.#runs.get(id);
      if (run === undefined) return "fenced";
      const { row, log } = run;
      const from = entries[0]!.seq - 1;
      const stored = () => log.slice(from, from + entries.length);
      const outcome = judgeAppend(row, epoch, entries, seal, stored);
      if (outcome !== "ok") return outcome;
      for (const { seq, json } of entries) log.push({ epoch, seq, json });
      row.lastSeq = log.length;
      if (seal !== undefined) {
        row.status = seal.status;
        row.message = seal.message;
        row.endedAt = this.#now();
        row.leaseOwner = null;
        row.leaseUntil = 0;
      }
      return outcome;
    });
  }

  read(id: string, after: number, limit: number): Promise<StoredEntry[]> {
    return this.#do(() => {
      const log = this.#runs.get(id)?.log ?? [];
      // Entry n stands at index n - 1.
      return log.slice(after, Math.max(after, after + limit))
        .map((entry) => ({ ...entry }));
    });
  }

  run(id: string): Promise<RunRow | null> {
    return this.#do(() => copy(this.#runs.get(id)));
  }

  renew(id: string, epoch: number, leaseMs: number): Promise<boolean> {
    return this.#do(() => {
      const run = this.#runs.get(id);
      if (!run || !isDriven(run.row) || run.row.epoch !== epoch) return false;
      run.row.leaseUntil = this.#now() + leaseMs;
      return true;
    });
  }

  takeExpired(leaseOwner: string, leaseMs: number): Promise<RunRow[]> {
    return this.#do(() => {
      checkText("lease owner", leaseOwner);
      const now = this.#now();
      return [...this.#runs.values()]
        .filter((run) => isRunning(run) && run.row.leaseUntil <= now)
        .map(({ row }) => this.#give(row, leaseOwner, leaseMs));
    });
  }

  park(
    id: string,
    epoch: number,
    until: number,
    questions: string[],
  ): Promise<ParkOutcome> {
    return this.#do(() => {
      checkPark(id, until, questions);
      const run = this.#runs.get(id);
      const answered = () => questions.some((name) => run!.answers.has(name));
      const outcome = judgePark(run?.row ?? null, epoch, answered);
      if (outcome === "parked") {
        run!.row.leaseOwner = null;
        run!.row.leaseUntil = until;
      }
      return outcome;
    });
  }

  take(
    id: string,
    leaseOwner: string,
    leaseMs: number,
  ): Promise<RunRow | null> {
    return this.#do(() => {
      checkText("lease owner", leaseOwner);
      const run = this.#runs.get(id);
      if (run === undefined || !isParked(run.row)) return null;
      return this.#give(run.row, leaseOwner, leaseMs);
    });
  }

  answer(
    id: string,
    question: string,
    json: string,
  ): Promise<"recorded" | "taken"> {
    return this.#do(() => {
      checkText("question", question);
      checkText("answer", json);
      const run = this.#runs.get(id);
      if (!run || !isRunning(run) || run.answers.has(question)) return "taken";
      run.answers.set(question, json);
      this.#call(run);
      return "recorded";
    });
  }

  answers(id: string): Promise<AnswerRow[]> {
    return this.#do(() =>
      [...this.#runs.get(id)?.answers ?? []]
        .map(([question, json]) => ({ question, json }))
    );
  }

  keep(id: string, name: string, text: string): Promise<void> {
    return this.#do(() => {
      this.#runs.get(id)?.kept.set(name, text);
    });
  }

  kept(id: string, name: string): Promise<string | null> {
    return this.#do(() => this.#runs.get(id)?.kept.get(name) ?? null);
  }

  requestStop(id: string): Promise<RunRow | null> {
    return this.#do(() => {
      const run = this.#runs.get(id);
      if (run && isRunning(run)) {
        run.row.stopRequested = true;
        this.#call(run);
      }
      return copy(run);
    });
  }

  chat(owner: string, id: string): Promise<ChatRow | null> {
    return this.#do(() => this.#chats.chat(owner, id));
  }

  chats(
    owner: string,
    limit: number,
    which?: "listed" | "all",
  ): Promise<ChatRow[]> {
    return this.#do(() => this.#chats.list(owner, limit, which === "all"));
  }

  runs(chat: string): Promise<RunRow[]> {
    return this.#do(() =>
      (this.#tables.chats.get(chat)?.runs ?? []).map(({ row }) => ({ ...row }))
    );
  }

  setChat(owner: string, id: string, settings: string): Promise<boolean> {
    return this.#do(() => this.#chats.setSettings(owner, id, settings));
  }

  setLeaf(owner: string, chat: string, run: string): Promise<boolean> {
    return this.#do(() => this.#chats.setLeaf(owner, chat, run));
  }

  enqueue(input: NewMessage): Promise<EnqueueOutcome> {
    return this.#do(() => this.#chats.enqueue(input));
  }

  queue(owner: string, chat: string): Promise<QueuedRow[]> {
    return this.#do(() => this.#chats.queue(owner, chat));
  }

  withdraw(
    owner: string,
    chat: string,
    id: string,
  ): Promise<QueuedRow | null> {
    return this.#do(() => this.#chats.withdraw(owner, chat, id));
  }

  reorder(owner: string, chat: string, ids: string[]): Promise<boolean> {
    return this.#do(() => this.#chats.reorder(owner, chat, ids));
  }

  hurry(owner: string, chat: string, id: string): Promise<boolean> {
    return this.#do(() => this.#chats.hurry(owner, chat, id));
  }

  due(limit: number): Promise<QueuedRow[]> {
    return this.#do(() => this.#chats.due(limit));
  }

  remove(owner: string, chat: string): Promise<boolean> {
    return this.#do(() => this.#chats.remove(owner, chat));
  }

  removeOlder(before: number, limit: number): Promise<number> {
    return this.#do(() => this.#chats.removeOlder(before, limit));
  }

  /** Never rings: nobody else has this database. */
  listen(): () => void {
    return () => {};
  }

  putNote(shelf: string, key: string, json: string): Promise<void> {
    return this.#do(() => {
      checkNote(shelf, key, json);
      const notes = this.#shelves.get(shelf) ?? new Map<string, string>();
      this.#shelves.set(shelf, notes.set(key, json));
    });
  }

  note(shelf: string, key: string): Promise<string | null> {
    return this.#do(() => this.#shelves.get(shelf)?.get(key) ?? null);
  }

  notes(shelf: string): Promise<NoteRow[]> {
    return this.#do(() =>
      [...this.#shelves.get(shelf) ?? []]
        .map(([key, json]) => ({ key, json }))
        .sort((a, b) => compareText(a.key, b.key))
    );
  }

  dropNote(shelf: string, key: string): Promise<boolean> {
    return this.#do(() => this.#shelves.get(shelf)?.delete(key) ?? false);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  /** Whoever sweeps next takes it, should nobody do so at once. */
  #call({ row }: Run): void {
    if (row.leaseOwner !== null) return;
    row.leaseUntil = Math.min(row.leaseUntil, this.#now());
  }

  #give(row: RunRow, leaseOwner: string, leaseMs: number): RunRow {
    row.epoch++;
    row.leaseOwner = leaseOwner;
    row.leaseUntil = this.#now() + leaseMs;
    return { ...row };
  }

  /** Each call is done at once, so all of them are done in the order made. */
  #do<T>(call: () => T): Promise<T> {
    try {
      if (this.#closed) throw new StoreError("io", "The store is closed");
      return Promise.resolve(call());
    } catch (error) {
      return Promise.reject(error);
    }
  }
}
