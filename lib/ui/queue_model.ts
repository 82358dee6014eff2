/**
 * Messages that wait until the answer before them is complete: as the server has
 * them, and those that are on their way to it.
 *
 * @module
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { QueuedMessage } from "../chat/views.ts";
import type { Result } from "./api.ts";
import type { Trouble } from "./notice.ts";
import type { Outgoing } from "./outbox.ts";
import { giveBack, type Stage } from "./stage.ts";

export interface QueueItem {
  /** Stable while it is listed. */
  readonly key: string;
  /** Null until the server has it. */
  readonly id: string | null;
  readonly text: string;
  /** How many images go with it. */
  readonly images: number;
  /** `leaving`: it is being taken back; `next`: it waits no more for anybody. */
  readonly state: "waiting" | "sending" | "unsent" | "leaving" | "next";
  /** Why the last try did not send it. */
  readonly trouble: Trouble | null;
}

/** What just happened in the queue, for people who cannot see it. */
export interface QueueNews {
  kind: "queued" | "moved" | "removed";
  /** From 1. */
  place: number;
  of: number;
}

/** What the screen may do with it. */
export interface QueueDoor {
  readonly items: ReadonlySignal<QueueItem[]>;
  /** The answer before them did not end well: they wait for a person. */
  readonly held: ReadonlySignal<boolean>;
  readonly news: ReadonlySignal<QueueNews | null>;
  /** Sends it at once; an answer under way is stopped. */
  sendNow(item: QueueItem): Promise<void>;
  /** Takes it back into the composer. */
  takeBack(item: QueueItem): Promise<void>;
  remove(item: QueueItem): Promise<void>;
  /** Up (-1) or down (1) by one place. */
  move(item: QueueItem, by: -1 | 1): Promise<void>;
}

export interface QueueModel extends QueueDoor {
  /** Another chat is shown, with what waits in it. */
  reset(told: QueuedMessage[]): void;
  /** What the server says waits; what it does not know yet stays behind it. */
  show(told: QueuedMessage[]): void;
  /** Lists a message on its way, or marks it as that again. */
  sending(message: Outgoing): void;
  /** The last try failed; `again` when another one follows by itself. */
  unsent(key: string, trouble: Trouble, again: boolean): void;
  /** The server has it. */
  confirmed(message: QueuedMessage): void;
  has(key: string): boolean;
  drop(key: string): void;
  /** The next one will be sent without anybody's doing. */
  goesOn(): boolean;
}

/** Two messages never share a key, nor do a key and another message's id. */
const keyOf = ({ key, id }: QueuedMessage) => key ?? id;

const waiting = (message: QueuedMessage): QueueItem => ({
  key: keyOf(message),
  id: message.id,
  text: message.text,
  images: message.images,
  state: message.now ? "next" : "waiting",
  trouble: null,
});

export function createQueue(
  start: QueuedMessage[],
  stage: Stage,
): QueueModel {
  const { api, chatId, notice, phase, turns } = stage;
  const items = signal(start.map(waiting));
  const news = signal<QueueNews | null>(null);
  /** Changes on their way to the server; its word counts when there are none. */
  let pending = 0;
  let ordering = false;

  const change = (key: string, to: Partial<QueueItem>) => {
    items.value = items.peek().map((item) =>
      item.key === key ? { ...item, ...to } : item
    );
  };
  const drop = (key: string) => {
    items.value = items.peek().filter((item) => item.key !== key);
  };
  const say = (kind: QueueNews["kind"], key: string) => {
    const at = items.peek().findIndex((item) => item.key === key);
    news.value = { kind, place: at + 1, of: items.peek().length };
  };

  const held = computed(() => {
    const first = items.value.find(({ id }) => id !== null);
    if (first === undefined || phase.value !== "idle") return false;
    const answer = turns.value.at(-1)?.answer.value;
    return first.state !== "next" && answer?.status.value !== "complete";
  });

  /** Does one thing to a waiting message, and then looks what came of it. */
  async function act<T>(call: (chat: string) => Promise<Result<T>>) {
    const chat = chatId.peek()!;
    pending++;
    stage.changed();
    const result = await call(chat);
    pending--;
    // Other messages wait by now (409): what is shown next says it all.
    const here = chat === chatId.peek();
    if (here && !result.ok && result.status !== 409) {
      const gone = result.status === 404;
      notice.value = { kind: gone ? "alreadySent" : "queueFailed" };
    }
    if (here) stage.tell();
    await stage.sync();
    return result;
  }

  /** Tells the server the order there is now, until it has the last one. */
  const tellOrder = () =>
    act(async (chat) => {
      ordering = true;
      for (;;) {
        const told = order();
        const result = await api.reorder(chat, told);
        if (result.ok && told.join() !== order().join()) continue;
        ordering = false;
        return result;
      }
    });
  const order = () => items.peek().flatMap(({ id }) => id === null ? [] : [id]);

  async function withdraw({ key, id }: QueueItem) {
    change(key, { state: "leaving" });
    const result = await act((chat) => api.withdraw(chat, id!));
    if (result.ok) drop(key);
    else change(key, { state: "waiting" });
    return result;
  }

  return {
    items,
    held,
    news,
    reset: (told) => items.value = told.map(waiting),
    show(told) {
      if (pending > 0) return;
      const known = new Set(told.map(keyOf));
      items.value = [
        ...told.map(waiting),
        ...items.peek().filter(({ id, key }) => id === null && !known.has(key)),
      ];
    },
    sending(message) {
      const { key, text } = message;
      if (items.peek().some((item) => item.key === key)) {
        return change(key, { state: "sending", trouble: null });
      }
      const state = "sending" as const;
      const item = { key, id: null, text, images: 0, state, trouble: null };
      items.value = [...items.peek(), item];
    },
    unsent(key, trouble, again) {
      const item = items.peek().find((item) => item.key === key);
      if (item?.id !== null) return;
      change(key, { state: again ? item.state : "unsent", trouble });
    },
    confirmed(message) {
      const key = keyOf(message);
      if (items.peek().some((item) => item.key === key)) {
        change(key, waiting(message));
      } else items.value = [...items.peek(), waiting(message)];
      say("queued", key);
    },
    has: (key) => items.peek().some((item) => item.key === key),
    drop,
    goesOn() {
      const first = items.peek().find(({ id }) => id !== null);
      return first !== undefined && phase.peek() === "idle" && !held.peek();
    },
    async sendNow({ key, id, state }) {
      if (id === null || state !== "waiting") return;
      // At the place it is going to have: the list must not jump later.
      const list = items.peek();
      const item = list.find((item) => item.key === key)!;
      items.value = [
        { ...item, state: "next" },
        ...list.filter((other) => other !== item),
      ];
      const result = await act((chat) => api.sendNow(chat, id));
      if (!result.ok) change(key, { state: "waiting" });
    },
    async takeBack(item) {
      const before = stage.draft.peek();
      // Before it is taken from the server: no moment in which nobody has it.
      giveBack(stage, item.text);
      const given = stage.draft.peek();
      const result = await withdraw(item);
      const gone = !result.ok && result.status === 404;
      if (gone && stage.draft.peek() === given) stage.draft.value = before;
    },
    async remove(item) {
      const result = await withdraw(item);
      if (result.ok) say("removed", item.key);
    },
    async move({ key, id }, by) {
      const list = [...items.peek()];
      const at = list.findIndex((item) => item.key === key);
      const other = list[at + by];
      if (id === null || other === undefined || other.id === null) return;
      [list[at], list[at + by]] = [other, list[at]!];
      items.value = list;
      say("moved", key);
      if (!ordering) await tellOrder();
    },
  };
}
