/**
 * What the memory engine keeps, and how it shows it.
 *
 * @module
 */
import type {
  ChatRow,
  NewMessage,
  NewRun,
  QueuedRow,
  RunRow,
  StoredEntry,
} from "./contract.ts";
import { type Judged, KEY_LIFE_MS } from "./rules.ts";

export interface Run {
  row: RunRow;
  log: StoredEntry[];
  /** By question, in the order they came. */
  answers: Map<string, string>;
  kept: Map<string, string>;
}

export interface Chat {
  row: Omit<ChatRow, "activeRun">;
  runs: Run[];
  /** The next one first. */
  waiting: QueuedRow[];
  /** Grows with every question asked anywhere: the order of chats (N12). */
  newest: number;
}

/** What an idempotency key stands for, from `at` on for 24 h. */
interface Key {
  at: number;
  chat: string;
  /** Null: its message was taken back. */
  run: Run | null;
}

/** Everything there is. */
export class Tables {
  readonly chats = new Map<string, Chat>();
  readonly runs = new Map<string, Run>();
  /** All that wait, in the order they came (N12). */
  readonly waiting = new Map<string, QueuedRow>();
  readonly shelves = new Map<string, Map<string, string>>();
  #keys = new Map<string, Key>();
  #asked = 0;

  /** The chat if it is this owner's. */
  chat(owner: string, id: string): Chat | undefined {
    const chat = this.chats.get(id);
    return chat?.row.owner === owner ? chat : undefined;
  }

  /** The waiting message if it waits in this owner's chat. */
  message(owner: string, chat: string, id: string): QueuedRow | undefined {
    const message = this.waiting.get(id);
    const found = message?.owner === owner && message.chat === chat;
    return found ? message : undefined;
  }

  /** What the key stands for; null if it is free. */
  judge(owner: string, key: string | null, now: number): Judged | null {
    if (key === null) return null;
    for (const message of this.waiting.values()) {
      if (message.owner === owner && message.idempotencyKey === key) {
        return { kind: "waiting", message: copyMessage(message) };
      }
    }
    const seen = this.#keys.get(JSON.stringify([owner, key]));
    if (seen === undefined || seen.at <= now - KEY_LIFE_MS) return null;
    return seen.run === null
      ? { kind: "withdrawn" }
      : { kind: "existing", run: { ...seen.run.row } };
  }

  setKey(owner: string, key: string | null, value: Key): void {
    if (key !== null) this.#keys.set(JSON.stringify([owner, key]), value);
  }

  addRun(chat: Chat, run: Run): void {
    this.chats.set(chat.row.id, chat);
    this.runs.set(run.row.id, run);
    chat.runs.push(run);
    chat.row.updatedAt = run.row.createdAt;
    chat.row.leaf = run.row.id;
    chat.newest = ++this.#asked;
  }

  takeMessage(message: QueuedRow): void {
    this.waiting.delete(message.id);
    const { waiting } = this.chats.get(message.chat)!;
    waiting.splice(waiting.indexOf(message), 1);
  }

  removeChat({ row, runs, waiting }: Chat): void {
    this.chats.delete(row.id);
    for (const run of runs) this.runs.delete(run.row.id);
    for (const message of waiting) this.waiting.delete(message.id);
    for (const [key, { chat }] of this.#keys) {
      if (chat === row.id) this.#keys.delete(key);
    }
  }
}

export function newChat(input: NewRun, now: number): Chat {
  return {
    row: {
      id: input.chat,
      owner: input.owner,
      title: input.newChatTitle!,
      createdAt: now,
      updatedAt: now,
      settings: input.newChatSettings,
      hidden: input.newChatHidden,
      leaf: null,
    },
    runs: [],
    waiting: [],
    newest: 0,
  };
}

export function newRun(input: NewRun, now: number): Run {
  const { run: id, chat, owner, parent, text, options } = input;
  const { leaseOwner, leaseMs, begin } = input;
  return {
    row: {
      id,
      chat,
      owner,
      parent,
      text,
      options,
      status: "running",
      epoch: 1,
      leaseOwner,
      leaseUntil: now + leaseMs,
      stopRequested: false,
      lastSeq: begin.length,
      message: null,
      createdAt: now,
      endedAt: null,
    },
    log: begin.map((event, index) => (
      { epoch: 1, seq: index + 1, json: JSON.stringify(event) }
    )),
    answers: new Map(),
    kept: new Map(input.keep.map(({ name, text }) => [name, text])),
  };
}

export function newMessage(input: NewMessage, now: number): QueuedRow {
  const { id, chat, owner, text, options, keep, idempotencyKey } = input;
  return {
    id,
    chat,
    owner,
    text,
    options,
    keep: keep.map(({ name, text }) => ({ name, text })),
    idempotencyKey,
    now: false,
    createdAt: now,
  };
}

export function isRunning({ row }: Run): boolean {
  return row.status === "running";
}

export function copy(run: Run | undefined): RunRow | null {
  return run === undefined ? null : { ...run.row };
}

export function copyMessage(message: QueuedRow): QueuedRow {
  return structuredClone(message);
}

export function view({ row, runs }: Chat): ChatRow {
  return { ...row, activeRun: runs.find(isRunning)?.row.id ?? null };
}

/** By code point, as engines that store UTF-8 compare. */
export function compareText(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((char, index) => char !== right[index]);
  if (at === -1) return left.length - right.length;
  return left[at]!.codePointAt(0)! - (right[at]?.codePointAt(0) ?? -1);
}
