/**
 * From what somebody asks to what the store commits: which chat, behind which
 * turn, in whose place, with which model.
 *
 * @module
 */
import { type Answer, isBrokenOff } from "../chat/answer.ts";
import { tellShown } from "../chat/close.ts";
import type { StartEvent } from "../chat/events.ts";
import { newChatId, newRunId } from "../chat/ids.ts";
import type { ChatRow, NewRun, RunRow, Store } from "../store/contract.ts";
import {
  type AskedWith,
  askedWith,
  imagesOf,
  keepImages,
  settingsOf,
} from "./asked.ts";
import type { Models } from "./brief.ts";
import type { StartOutcome, StartRequest } from "./outcomes.ts";
import { leafOf } from "./path.ts";
import { titleOf } from "./title.ts";

export interface AskingOptions {
  store: Store;
  models: Models;
  now: () => Date;
  leaseOwner: string;
  leaseMs: number;
  /** A run's answer as far as it is committed. */
  answer: (row: RunRow) => Promise<Answer>;
}

/** A question on its way to the store, and the runs of its chat so far. */
export interface Prepared {
  kind: "prepared";
  input: NewRun;
  before: RunRow[];
}

/** Where a question stands, and what is said of it already. */
interface Place {
  text: string;
  /** Data URLs. */
  images: string[];
  parent: string | null;
  /** The broken-off answer to go on with. */
  continues: RunRow | null;
  /** What a program had brought along when this was asked before. */
  context: AskedWith["context"];
}

export class Asking {
  readonly #options: AskingOptions;

  constructor(options: AskingOptions) {
    this.#options = options;
  }

  /**
   * Prepares what `store.create` takes, or says why it cannot be asked.
   *
   * @param queued The waiting message this is. It was taken before, so it starts
   * whatever became of its model; the answer then says what is the matter.
   */
  async prepare(
    request: StartRequest,
    queued: string | null = null,
  ): Promise<Prepared | StartOutcome> {
    const { store, leaseOwner, leaseMs } = this.#options;
    const { owner, asked } = request;
    const run = newRunId();
    const chat = request.chat ?? newChatId();
    const known = request.chat === undefined
      ? null
      : await store.chat(owner, chat);
    if (known === null && request.chat !== undefined && !request.makeChat) {
      return { kind: "no-chat" };
    }
    const before = known === null ? [] : await store.runs(chat);
    const place = await this.#place(request, known, before);
    if ("kind" in place) return place;

    const settings = known === null
      ? request.settings ?? {}
      : settingsOf(known.settings);
    const model = await this.#model(settings.model, queued !== null);
    if (model === null) return { kind: "no-model", id: settings.model! };
    const { text, images, parent, continues } = place;
    const options: AskedWith = {
      model,
      temperature: settings.temperature ?? 0,
      system: settings.system,
      images: keepImages(images).map(({ name }) => name),
      unattended: asked?.unattended ?? false,
      context: asked?.context ?? place.context,
      ...(continues === null ? {} : { continues: continues.id }),
    };
    const start: StartEvent = {
      type: "start",
      messageId: run,
      messageMetadata: {
        chat_id: chat,
        model,
        created_at: this.#options.now().toISOString(),
        ...(continues === null ? {} : { continues: continues.id }),
      },
    };
    const shown = continues === null
      ? []
      : tellShown(await this.#options.answer(continues));
    const input: NewRun = {
      run,
      chat,
      newChatTitle: known === null ? titleOf(text) : null,
      newChatSettings: JSON.stringify(settings),
      newChatHidden: asked?.hidden ?? false,
      owner,
      text,
      options: JSON.stringify(options),
      keep: keepImages(images),
      parent,
      idempotencyKey: request.idempotencyKey ?? null,
      leaseOwner,
      leaseMs,
      begin: [start, ...shown],
      queued,
    };
    return { kind: "prepared", input, before };
  }

  async #place(
    request: StartRequest,
    chat: ChatRow | null,
    before: RunRow[],
  ): Promise<Place | StartOutcome> {
    const { replaces, continues, text, images } = request;
    const target = continues ?? replaces;
    if (target === undefined) {
      const parent = chat === null ? null : leafOf(chat, before);
      return {
        text: text!,
        images: images ?? [],
        parent,
        continues: null,
        context: [],
      };
    }
    const turn = before.find(({ id }) => id === target);
    if (turn === undefined) return { kind: "no-turn" };
    const { parent } = turn;
    const { context } = askedWith(turn.options);
    if (continues !== undefined) {
      if (!isBrokenOff(await this.#options.answer(turn))) {
        return { kind: "not-broken-off" };
      }
      const images = await imagesOf(this.#options.store, turn);
      return { text: turn.text, images, parent, continues: turn, context };
    }
    const kept = text === undefined ? undefined : images;
    return {
      text: text ?? turn.text,
      images: kept ?? await imagesOf(this.#options.store, turn),
      parent,
      continues: null,
      context,
    };
  }

  /** The id of the model that answers; null if it is not offered just now. */
  async #model(
    id: string | undefined,
    whatever: boolean,
  ): Promise<string | null> {
    const { models } = this.#options;
    const model = id === undefined
      ? await models.standard()
      : await models.find(id);
    return model?.id ?? (whatever ? id! : null);
  }
}
