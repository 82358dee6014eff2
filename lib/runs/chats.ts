/**
 * Chats and runs as people look at them: read from the log, never from the
 * memory of whoever writes it, except where that is ahead of the last look.
 *
 * @module
 */
import type { Answer } from "../chat/answer.ts";
import { frameId } from "../chat/ids.ts";
import type { ChatSettings } from "../chat/settings.ts";
import type { ChatSummary, ChatView, RunView } from "../chat/views.ts";
import type { RunRow, Store } from "../store/contract.ts";
import { askedWith, settingsOf } from "./asked.ts";
import { foldLog, sealedAnswer } from "./log.ts";

const CHATS_SHOWN = 200;

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
    const row = await this.#store.chat(owner, id);
    if (row === null) return null;
    const rows = await this.#store.runs(id);
    const turns = await Promise.all(rows.map(async (run) => {
      const { images } = askedWith(run.options);
      return {
        text: run.text,
        ...(images.length === 0 ? {} : {
          images: images.map((name) => `/api/runs/${run.id}/images/${name}`),
        }),
        createdAt: new Date(run.createdAt).toISOString(),
        answer: await this.answer(run),
      };
    }));
    const settings = settingsOf(row.settings);
    return { id, title: row.title, activeRun: row.activeRun, settings, turns };
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
