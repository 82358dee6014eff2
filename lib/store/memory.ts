/**
 * The reference engine: the contract in plain objects. For tests and for
 * reading; nothing outlives the process, and nothing is ever let go of.
 *
 * @module
 */
import type {
  AppendOutcome,
  ChatRow,
  CreateOutcome,
  Draft,
  NewRun,
  RunRow,
  Seal,
  Store,
  StoredEntry,
} from "./contract.ts";
import { StoreError } from "./contract.ts";
import {
  checkDrafts,
  checkNames,
  judgeAppend,
  KEY_LIFE_MS,
  noParent,
} from "./rules.ts";

export interface MemoryOptions {
  /** The clock behind every timestamp and lease, ms since 1970. */
  now?: () => number;
}

/** A store that lives as long as the process. */
export function openMemory({ now = Date.now }: MemoryOptions = {}): Store {
  return new MemoryStore(now);
}

interface Run {
  row: RunRow;
  log: StoredEntry[];
}

interface Chat {
  row: Omit<ChatRow, "activeRun">;
  runs: Run[];
  /** Grows with every question asked anywhere: the order of chats (N12). */
  newest: number;
}

class MemoryStore implements Store {
  readonly kind = "memory";
  #now: () => number;
  #chats = new Map<string, Chat>();
  #runs = new Map<string, Run>();
  #kept = new Map<string, string>();
  #keys = new Map<string, { run: Run; createdAt: number }>();
  #closed = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  create(input: NewRun): Promise<CreateOutcome> {
    return this.#do((): CreateOutcome => {
      checkNames(input);
      const now = this.#now();
      const { owner, idempotencyKey } = input;
      const key = JSON.stringify([owner, idempotencyKey]);
      const seen = idempotencyKey === null ? undefined : this.#keys.get(key);
      if (seen !== undefined && seen.createdAt > now - KEY_LIFE_MS) {
        return { kind: "existing", run: { ...seen.run.row } };
      }
      const chat = this.#chats.get(input.chat) ??
        (input.newChatTitle === null ? undefined : newChat(input, now));
      if (chat?.row.owner !== owner) return { kind: "no-chat" };
      const active = chat.runs.find(isRunning);
      if (active) return { kind: "active", run: { ...active.row } };

      const after = chat.runs.some(({ row }) => row.id === input.parent);
      if (input.parent !== null && !after) throw noParent(input);
      if (this.#runs.has(input.run)) {
        throw new RangeError(`Cannot create run "${input.run}": it exists`);
      }
      const run = newRun(input, now);
      this.#runs.set(input.run, run);
      this.#chats.set(input.chat, chat);
      chat.runs.push(run);
      chat.row.updatedAt = now;
      chat.newest = this.#runs.size;
      if (idempotencyKey !== null) this.#keys.set(key, { run, createdAt: now });
      return { kind: "created", run: { ...run.row } };
    });
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
      const outcome = judgeAppend(id, row, epoch, entries, seal, stored);
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
      if (!run || !isRunning(run) || run.row.epoch !== epoch) return false;
      run.row.leaseUntil = this.#now() + leaseMs;
      return true;
    });
  }

  takeExpired(leaseOwner: string, leaseMs: number): Promise<RunRow[]> {
    return this.#do(() => {
      const now = this.#now();
      const taken = [...this.#runs.values()].filter((run) =>
        isRunning(run) && run.row.leaseUntil <= now
      );
      return taken.map(({ row }) => {
        row.epoch++;
        row.leaseOwner = leaseOwner;
        row.leaseUntil = now + leaseMs;
        return { ...row };
      });
    });
  }

  keep(id: string, name: string, text: string): Promise<void> {
    return this.#do(() => {
      if (this.#runs.has(id)) this.#kept.set(`${id} ${name}`, text);
    });
  }

  kept(id: string, name: string): Promise<string | null> {
    return this.#do(() => this.#kept.get(`${id} ${name}`) ?? null);
  }

  requestStop(id: string): Promise<RunRow | null> {
    return this.#do(() => {
      const run = this.#runs.get(id);
      if (run && isRunning(run)) run.row.stopRequested = true;
      return copy(run);
    });
  }

  chat(owner: string, id: string): Promise<ChatRow | null> {
    return this.#do(() => {
      const chat = this.#chats.get(id);
      return chat?.row.owner === owner ? view(chat) : null;
    });
  }

  chats(owner: string, limit: number): Promise<ChatRow[]> {
    return this.#do(() =>
      [...this.#chats.values()]
        .filter(({ row }) => row.owner === owner)
        .sort((a, b) => b.newest - a.newest)
        .slice(0, Math.max(0, limit))
        .map(view)
    );
  }

  runs(chat: string): Promise<RunRow[]> {
    return this.#do(() =>
      (this.#chats.get(chat)?.runs ?? []).map(({ row }) => ({ ...row }))
    );
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
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

function newChat({ chat, owner, newChatTitle }: NewRun, now: number): Chat {
  return {
    row: {
      id: chat,
      owner,
      title: newChatTitle!,
      createdAt: now,
      updatedAt: now,
    },
    runs: [],
    newest: 0,
  };
}

function newRun(input: NewRun, now: number): Run {
  const { run: id, chat, owner, parent, text, leaseOwner, leaseMs } = input;
  return {
    row: {
      id,
      chat,
      owner,
      parent,
      text,
      status: "running",
      epoch: 1,
      leaseOwner,
      leaseUntil: now + leaseMs,
      stopRequested: false,
      lastSeq: 1,
      message: null,
      createdAt: now,
      endedAt: null,
    },
    log: [{ epoch: 1, seq: 1, json: JSON.stringify(input.start) }],
  };
}

function isRunning({ row }: Run): boolean {
  return row.status === "running";
}

function copy(run: Run | undefined): RunRow | null {
  return run === undefined ? null : { ...run.row };
}

function view({ row, runs }: Chat): ChatRow {
  return { ...row, activeRun: runs.find(isRunning)?.row.id ?? null };
}
