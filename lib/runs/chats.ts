/**
 * Chats and runs as people look at them: read from the log, never from the
 * memory of whoever writes it, except where that is ahead of the last look.
 *
 * @module
 */
import type { Answer } from "../chat/answer.ts";
import { frameId } from "../chat/ids.ts";
import type { ChatSettings } from "../chat/settings.ts";
import type {
  ChatSummary,
  ChatView,
  QueuedMessage,
  RunView,
  Turn,
} from "../chat/views.ts";
import type { QueuedRow, RunRow, Store } from "../store/contract.ts";
import { type AskedWith, askedWith, settingsOf } from "./asked.ts";
import { foldLog, sealedAnswer } from "./log.ts";
import { leafOf, leafUnder, shownPath, versions } from "./path.ts";

const CHATS_SHOWN = 200;

/** A chat as `GET /api/export` gives it: all branches, everything kept. */
export interface ExportedChat {
  id: string;
  title: string;
  createdAt: string;
  hidden: boolean;
  settings: ChatSettings;
  /** The last run of the branch people see. */
  shown: string | null;
  runs: ExportedRun[];
  queue: { text: string; kept: Record<string, string> }[];
}

export interface ExportedRun {
  id: string;
  parent: string | null;
  text: string;
  asked: AskedWith;
  createdAt: string;
  answer: Answer;
  /** Images and long outputs by the names that `asked` and `answer` give them. */
  kept: Record<string, string | null>;
}

/** A waiting message as people see it. */
export function queuedView(row: QueuedRow): QueuedMessage {
  return {
    id: row.id,
    text: row.text,
    images: row.keep.length,
    key: row.idempotencyKey,
    now: row.now,
  };
}

/** Names of the outputs an answer refers to, where they are kept with its run. */
function outputsOf({ run, parts }: Answer): string[] {
  const here = `/api/runs/${run}/outputs/`;
  return parts.flatMap((part) => {
    const ref = part.kind === "tool" ? part.output?.ref : undefined;
    return ref?.startsWith(here) ? [ref.slice(here.length)] : [];
  });
}

export class Chats {
  readonly #store: Store;
  readonly #live: (run: string) => Answer | undefined;

  /** @param live A run's committed answer, where this process drives it. */
  constructor(store: Store, live: (run: string) => Answer | undefined) {
    this.#store = store;
    this.#live = live;
  }

  /** The run, if it is this owner's: missing and not yours are one (case S02). */
  async own(owner: string, run: string): Promise<RunRow | null> {
    const row = await this.#store.run(run);
    return row === null || row.owner !== owner ? null : row;
  }

  /** The answer as far as it is committed. */
  async answer(row: RunRow): Promise<Answer> {
    const sealed = sealedAnswer(row);
    if (sealed !== null) return sealed;
    const live = this.#live(row.id);
    if (live !== undefined) return structuredClone(live);
    return await foldLog(this.#store, row.id);
  }

  /** One run; null if it is not this owner's. */
  async view(owner: string, run: string): Promise<RunView | null> {
    const row = await this.own(owner, run);
    if (row === null) return null;
    const answer = await this.answer(row);
    return {
      run_id: row.id,
      chat_id: row.chat,
      text: row.text,
      last_id: frameId(row.id, answer.cursor ?? { epoch: row.epoch, seq: 1 }),
      answer,
    };
  }

  /** What is kept with a run under a name; null if it is not this owner's. */
  async kept(owner: string, run: string, name: string): Promise<string | null> {
    const row = await this.own(owner, run);
    return row === null ? null : await this.#store.kept(run, name);
  }

  /** This owner's chats, newest first. */
  async list(owner: string): Promise<ChatSummary[]> {
    const rows = await this.#store.chats(owner, CHATS_SHOWN);
    return await Promise.all(rows.map(async (row): Promise<ChatSummary> => ({
      id: row.id,
      title: row.title,
      updatedAt: new Date(row.updatedAt).toISOString(),
      activeRun: row.activeRun,
      ...(await this.#waits(row.activeRun) ? { waiting: true } : {}),
    })));
  }

  async #waits(run: string | null): Promise<boolean> {
    const row = run === null ? null : await this.#store.run(run);
    return row?.status === "running" && row.leaseOwner === null;
  }

  /** A chat with all its turns; null if it is not this owner's. */
  async chat(owner: string, id: string): Promise<ChatView | null> {
    const now = await this.#look(owner, id);
    if (now === null) return null;
    const { row, rows, queue } = now;
    const places = versions(rows);
    const turns = await Promise.all(
      shownPath(row, rows).map(async (run): Promise<Turn> => {
        const { images } = askedWith(run.options);
        const versions = places.get(run.parent) ?? [];
        return {
          text: run.text,
          ...(images.length === 0 ? {} : {
            images: images.map((name) => `/api/runs/${run.id}/images/${name}`),
          }),
          createdAt: new Date(run.createdAt).toISOString(),
          answer: await this.answer(run),
          ...(versions.length < 2 ? {} : { versions }),
        };
      }),
    );
    return {
      id,
      title: row.title,
      activeRun: row.activeRun,
      settings: settingsOf(row.settings),
      turns,
      queue: queue.map(queuedView),
    };
  }

  /** All of it as it is at one moment: what is being asked is not lost between. */
  async #look(owner: string, id: string) {
    const store = this.#store;
    while (true) {
      const queue = await store.queue(owner, id);
      const row = await store.chat(owner, id);
      if (row === null) return null;
      const rows = await store.runs(id);
      if (queue.length === 0) return { row, rows, queue };
      const left = new Set((await store.queue(owner, id)).map(({ id }) => id));
      if (queue.every(({ id }) => left.has(id))) return { row, rows, queue };
    }
  }

  /**
   * Chooses the branch a run is on; false if it is not this owner's. The run at
   * work is on the branch people see, so nothing is chosen meanwhile.
   */
  async show(owner: string, id: string, run: string): Promise<boolean> {
    const row = await this.#store.chat(owner, id);
    if (row === null) return false;
    const rows = await this.#store.runs(id);
    if (row.activeRun !== null) return rows.some((each) => each.id === run);
    return await this.#store.setLeaf(owner, id, leafUnder(run, rows));
  }

  /** Everything this owner ever asked, chat by chat, with all branches. */
  async *export(owner: string): AsyncGenerator<ExportedChat> {
    const chats = await this.#store.chats(
      owner,
      Number.MAX_SAFE_INTEGER,
      "all",
    );
    for (const chat of chats) {
      const rows = await this.#store.runs(chat.id);
      yield {
        id: chat.id,
        title: chat.title,
        createdAt: new Date(chat.createdAt).toISOString(),
        hidden: chat.hidden,
        settings: settingsOf(chat.settings),
        shown: leafOf(chat, rows),
        runs: await Promise.all(rows.map((run) => this.#exported(run))),
        queue: (await this.#store.queue(owner, chat.id)).map((
          { text, keep },
        ) => ({
          text,
          kept: Object.fromEntries(keep.map(({ name, text }) => [name, text])),
        })),
      };
    }
  }

  async #exported(row: RunRow): Promise<ExportedRun> {
    const answer = await this.answer(row);
    const asked = askedWith(row.options);
    const names = [...asked.images, ...outputsOf(answer)];
    const kept = await Promise.all(
      names.map(async (name) => [name, await this.#store.kept(row.id, name)]),
    );
    return {
      id: row.id,
      parent: row.parent,
      text: row.text,
      asked,
      createdAt: new Date(row.createdAt).toISOString(),
      answer,
      kept: Object.fromEntries(kept),
    };
  }

  /** The chat's running run; null also where there is no such chat. */
  async active(owner: string, id: string): Promise<string | null> {
    return (await this.#store.chat(owner, id))?.activeRun ?? null;
  }

  /** Chooses for a chat; false if it is not this owner's. */
  async configure(
    owner: string,
    id: string,
    settings: ChatSettings,
  ): Promise<boolean> {
    return await this.#store.setChat(owner, id, JSON.stringify(settings));
  }
}
