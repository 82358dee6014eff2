/**
 * Chats of the memory engine: asking, waiting, finding, choosing and deleting.
 *
 * @module
 */
import type {
  ChatRow,
  CreateOutcome,
  EnqueueOutcome,
  NewMessage,
  NewRun,
  QueuedRow,
} from "./contract.ts";
import { QUEUE_LIMIT } from "./contract.ts";
import {
  type Chat,
  copyMessage,
  isRunning,
  newChat,
  newMessage,
  newRun,
  type Tables,
  view,
} from "./memory_rows.ts";
import {
  checkNewMessage,
  checkNewRun,
  checkText,
  isOrderOf,
  noParent,
} from "./rules.ts";

export class Chats {
  #tables: Tables;
  #now: () => number;

  constructor(tables: Tables, now: () => number) {
    this.#tables = tables;
    this.#now = now;
  }

  create(input: NewRun): CreateOutcome {
    checkNewRun(input);
    const now = this.#now();
    const { owner, queued } = input;
    const message = queued === null
      ? null
      : this.#tables.message(owner, input.chat, queued);
    if (message === undefined) return { kind: "gone" };
    const key = message?.idempotencyKey ?? input.idempotencyKey;
    const seen = this.#tables.judge(owner, key, now);
    const itself = seen?.kind === "waiting" && seen.message.id === queued;
    if (seen && !itself) return seen;

    const chat = this.#tables.chats.get(input.chat) ??
      (input.newChatTitle === null ? undefined : newChat(input, now));
    if (chat?.row.owner !== owner) return { kind: "no-chat" };
    const active = chat.runs.find(isRunning);
    if (active) return { kind: "active", run: { ...active.row } };

    const after = chat.runs.some(({ row }) => row.id === input.parent);
    if (input.parent !== null && !after) throw noParent(input);
    if (this.#tables.runs.has(input.run)) {
      throw new RangeError(`Cannot create run "${input.run}": it exists`);
    }
    const run = newRun(input, now);
    this.#tables.addRun(chat, run);
    if (message !== null) this.#tables.takeMessage(message);
    this.#tables.setKey(owner, key, { at: now, chat: input.chat, run });
    return { kind: "created", run: { ...run.row } };
  }

  enqueue(input: NewMessage): EnqueueOutcome {
    checkNewMessage(input);
    const now = this.#now();
    const seen = this.#tables.judge(input.owner, input.idempotencyKey, now);
    if (seen) return seen;
    const chat = this.#tables.chat(input.owner, input.chat);
    if (chat === undefined) return { kind: "no-chat" };
    if (!chat.runs.some(isRunning)) return { kind: "idle" };
    if (chat.waiting.length >= QUEUE_LIMIT) return { kind: "full" };
    if (this.#tables.waiting.has(input.id)) {
      throw new RangeError(`Cannot enqueue message "${input.id}": it exists`);
    }
    const message = newMessage(input, now);
    this.#tables.waiting.set(message.id, message);
    chat.waiting.push(message);
    return { kind: "queued", message: copyMessage(message) };
  }

  queue(owner: string, id: string): QueuedRow[] {
    return (this.#tables.chat(owner, id)?.waiting ?? []).map(copyMessage);
  }

  withdraw(owner: string, chat: string, id: string): QueuedRow | null {
    const message = this.#tables.message(owner, chat, id);
    if (message === undefined) return null;
    this.#tables.takeMessage(message);
    const at = this.#now();
    this.#tables.setKey(owner, message.idempotencyKey, { at, chat, run: null });
    return copyMessage(message);
  }

  reorder(owner: string, id: string, ids: string[]): boolean {
    const chat = this.#tables.chat(owner, id);
    if (!chat || !isOrderOf(chat.waiting, ids)) return false;
    chat.waiting = ids.map((id) => this.#tables.waiting.get(id)!);
    return true;
  }

  hurry(owner: string, id: string, first: string): boolean {
    const message = this.#tables.message(owner, id, first);
    if (message === undefined) return false;
    message.now = true;
    const chat = this.#tables.chats.get(id)!;
    const rest = chat.waiting.filter((other) => other !== message);
    chat.waiting = [message, ...rest];
    return true;
  }

  due(limit: number): QueuedRow[] {
    return [...this.#tables.waiting.values()]
      .filter((message) => {
        const { waiting, runs } = this.#tables.chats.get(message.chat)!;
        if (waiting[0] !== message || runs.some(isRunning)) return false;
        // One run at a time: the last one asked is the last one to have ended.
        return message.now || runs.at(-1)?.row.status === "complete";
      })
      .slice(0, Math.max(0, limit))
      .map(copyMessage);
  }

  chat(owner: string, id: string): ChatRow | null {
    const chat = this.#tables.chat(owner, id);
    return chat === undefined ? null : view(chat);
  }

  list(owner: string, limit: number, all: boolean): ChatRow[] {
    return [...this.#tables.chats.values()]
      .filter(({ row }) => row.owner === owner && (all || !row.hidden))
      .sort((a, b) => b.newest - a.newest)
      .slice(0, Math.max(0, limit))
      .map(view);
  }

  setSettings(owner: string, id: string, settings: string): boolean {
    checkText("settings", settings);
    const chat = this.#tables.chat(owner, id);
    if (chat !== undefined) chat.row.settings = settings;
    return chat !== undefined;
  }

  setLeaf(owner: string, id: string, run: string): boolean {
    const chat = this.#tables.chat(owner, id);
    if (!chat?.runs.some(({ row }) => row.id === run)) return false;
    chat.row.leaf = run;
    return true;
  }

  remove(owner: string, id: string): boolean {
    const chat = this.#tables.chat(owner, id);
    if (chat !== undefined) this.#tables.removeChat(chat);
    return chat !== undefined;
  }

  removeOlder(before: number, limit: number): number {
    const idle = ({ runs, waiting }: Chat) =>
      waiting.length === 0 && !runs.some(isRunning);
    const old = [...this.#tables.chats.values()]
      .filter((chat) => chat.row.updatedAt < before && idle(chat))
      .slice(0, Math.max(0, limit));
    for (const chat of old) this.#tables.removeChat(chat);
    return old.length;
  }
}
