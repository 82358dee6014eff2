/**
 * What the server of a page under test keeps of chats: turns with their versions,
 * and messages that wait.
 *
 * @module
 */
import { emptyAnswer } from "../../lib/chat/answer.ts";
import type { LogEntry } from "../../lib/chat/events.ts";
import { fold } from "../../lib/chat/fold.ts";
import type { ChatView, QueuedMessage } from "../../lib/chat/views.ts";

interface Place {
  text: string;
  run: string;
  versions: string[];
}

interface Chat {
  turns: Place[];
  queue: QueuedMessage[];
}

/** What `POST /api/runs` says about the place of a run. */
export interface Asked {
  text?: string;
  replaces?: string;
  continues?: string;
}

export class FakeChats {
  readonly #chats = new Map<string, Chat>();
  /** Keys of messages that were taken back. */
  readonly withdrawn = new Set<string>();
  #ids = 0;

  has = (id: string) => this.#chats.has(id);

  /** The messages that wait. */
  queue(id: string): QueuedMessage[] {
    return this.#of(id).queue;
  }

  begin(id: string, run: string, { text, replaces, continues }: Asked): void {
    const { turns } = this.#of(id);
    const at = turns.findIndex((place) =>
      place.run === (replaces ?? continues)
    );
    const before = turns[at];
    if (before === undefined) {
      turns.push({ text: text ?? "", run, versions: [run] });
    } else if (continues !== undefined) {
      before.versions[before.versions.indexOf(before.run)] = run;
      before.run = run;
    } else {
      const versions = [...before.versions, run];
      turns.splice(at);
      turns.push({ text: text ?? before.text, run, versions });
    }
  }

  enqueue(id: string, text: string, key: string | null): QueuedMessage {
    const { queue } = this.#of(id);
    const known = queue.find((message) => message.key === key);
    if (known !== undefined) return known;
    const message = {
      id: `m_${String(++this.#ids).padStart(26, "0")}`,
      text,
      images: 0,
      key,
      now: false,
    };
    queue.push(message);
    return message;
  }

  withdraw(id: string, message: string): QueuedMessage | null {
    const { queue } = this.#of(id);
    const at = queue.findIndex((each) => each.id === message);
    if (at < 0) return null;
    const [taken] = queue.splice(at, 1);
    if (taken!.key !== null) this.withdrawn.add(taken!.key);
    return taken!;
  }

  reorder(id: string, order: string[]): boolean {
    const { queue } = this.#of(id);
    const known = queue.map((message) => message.id);
    if ([...known].sort().join() !== [...order].sort().join()) return false;
    queue.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
    return true;
  }

  hurry(id: string, message: string): boolean {
    const { queue } = this.#of(id);
    const found = queue.find((each) => each.id === message);
    if (found === undefined) return false;
    queue.splice(queue.indexOf(found), 1);
    queue.unshift({ ...found, now: true });
    return true;
  }

  view(id: string, logs: Map<string, LogEntry[]>): ChatView {
    const { turns, queue } = this.#of(id);
    const told = turns.map(({ text, run, versions }) => {
      const answer = emptyAnswer(run);
      for (const entry of logs.get(run) ?? []) fold(answer, entry);
      return {
        text,
        createdAt: "2026-11-22T08:00:00.000Z",
        answer,
        ...(versions.length > 1 ? { versions } : {}),
      };
    });
    const last = told.at(-1)?.answer;
    return {
      id,
      title: turns[0]?.text ?? "",
      activeRun: last?.status === "running" ? last.run : null,
      settings: {},
      turns: told,
      queue,
    };
  }

  #of(id: string): Chat {
    const chat = this.#chats.get(id) ?? { turns: [], queue: [] };
    this.#chats.set(id, chat);
    return chat;
  }
}
