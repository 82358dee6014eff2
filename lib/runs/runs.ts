/**
 * Runs: start one, read it, stop it, look at it. A run is not a connection
 * (decision 1): any number of readers come and go; only its end, Stop or a limit
 * ends it.
 *
 * @module
 */
import type { Model } from "../agent/contracts.ts";
import type { Answer, Asked } from "../chat/answer.ts";
import type { StartEvent } from "../chat/events.ts";
import { newChatId, newRunId, parseFrameId } from "../chat/ids.ts";
import type { ChatSettings } from "../chat/settings.ts";
import type { ChatSummary, ChatView, RunView } from "../chat/views.ts";
import {
  type CreateOutcome,
  type RunRow,
  StoreError,
} from "../store/contract.ts";
import { type AskedWith, askedWith, imageName, settingsOf } from "./asked.ts";
import { Chats } from "./chats.ts";
import { Crew } from "./crew.ts";
import type { Said } from "./driver.ts";
import { LIMITS, type RunLimits } from "./limits.ts";
import type {
  DecideOutcome,
  ReadOutcome,
  RunsOptions,
  StartOutcome,
  StartRequest,
  StopOutcome,
} from "./outcomes.ts";
import { Pulse } from "./pulse.ts";
import { Rate } from "./rate.ts";
import { TapeReader } from "./reader.ts";
import { titleOf } from "./title.ts";

export class Runs {
  readonly #options: RunsOptions;
  readonly #limits: RunLimits;
  readonly #crew: Crew;
  readonly #chats: Chats;
  readonly #pulse: Pulse;
  readonly #rate: Rate;
  readonly #readers = new Map<string, Set<TapeReader>>();
  /** Questions being committed. */
  readonly #starting = new Set<Promise<StartOutcome>>();
  #closing = false;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#chats = new Chats(options.store, (run) => this.#crew.answer(run));
    this.#crew = new Crew({
      ...options,
      limits: this.#limits,
      answer: (row) => this.#chats.answer(row),
      onTaken: (run) => this.#wakeReaders(run),
    });
    this.#pulse = new Pulse(this.#limits.beatMs / 15);
    this.#rate = new Rate({
      perMinute: this.#limits.questionsPerMinute,
      allPerMinute: this.#limits.allQuestionsPerMinute,
    });
  }

  /**
   * Commits the question and starts its run. Resolves once the question is
   * durable (N1); the model is asked after that.
   */
  async start(request: StartRequest): Promise<StartOutcome> {
    if (this.#closing) return { kind: "closing" };
    const waitMs = this.#rate.take(
      request.owner,
      performance.now(),
      weightOf(request),
    );
    if (waitMs > 0) return { kind: "too-many", waitMs };
    const starting = this.#start(request);
    this.#starting.add(starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }

  async #start(request: StartRequest): Promise<StartOutcome> {
    const { store, now, report } = this.#options;
    const { owner, asked } = request;
    const run = newRunId();
    const chat = request.chat ?? newChatId();
    let before: RunRow[] = [];
    let outcome: CreateOutcome;
    let start: StartEvent;
    try {
      const known = request.chat === undefined
        ? null
        : await store.chat(owner, chat);
      const isNew = known === null;
      if (isNew && request.chat !== undefined && !request.makeChat) {
        return { kind: "no-chat" };
      }
      if (!isNew) before = await store.runs(chat);
      const again = request.regenerate ? before.at(-1) ?? null : null;
      if (request.regenerate && again === null) {
        return { kind: "nothing-asked" };
      }
      const settings = isNew
        ? request.settings ?? {}
        : settingsOf(known.settings);
      const model = await this.#model(settings.model);
      if (model === null) return { kind: "no-model", id: settings.model! };
      const text = again?.text ?? request.text;
      const images = again === null
        ? request.images ?? []
        : await this.#images(again);
      const options: AskedWith = {
        model: model.id,
        temperature: settings.temperature ?? 0,
        system: settings.system,
        images: images.map((_, i) => imageName(i + 1)),
        unattended: asked?.unattended ?? false,
        context: asked?.context ?? [],
      };
      start = {
        type: "start",
        messageId: run,
        messageMetadata: {
          chat_id: chat,
          model: model.id,
          created_at: now().toISOString(),
        },
      };
      outcome = await store.create({
        run,
        chat,
        newChatTitle: isNew ? titleOf(text) : null,
        newChatSettings: JSON.stringify(settings),
        newChatHidden: asked?.hidden ?? false,
        owner,
        text,
        options: JSON.stringify(options),
        keep: images.map((url, i) => ({ name: imageName(i + 1), text: url })),
        parent: again === null ? before.at(-1)?.id ?? null : again.parent,
        idempotencyKey: request.idempotencyKey ?? null,
        leaseOwner: this.#crew.id,
        leaseMs: this.#limits.leaseMs,
        start,
      });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      report("A question could not be saved", error);
      return { kind: "unsaved", full: error.kind === "full" };
    }
    switch (outcome.kind) {
      case "no-chat":
        return outcome;
      case "active":
        return { kind: "active", run: outcome.run.id, chat };
      case "existing":
        return {
          kind: "started",
          run: outcome.run.id,
          chat: outcome.run.chat,
        };
      case "created":
        this.#crew.drive(outcome.run, [
          {
            epoch: outcome.run.epoch,
            seq: 1,
            event: start,
            json: JSON.stringify(start),
          },
        ], before);
        return { kind: "started", run, chat };
    }
  }

  #model(id: string | undefined): Promise<Model | null> {
    const { models } = this.#options;
    return id === undefined ? models.standard() : models.find(id);
  }

  async #images(row: RunRow): Promise<string[]> {
    const { store } = this.#options;
    const kept = await Promise.all(
      askedWith(row.options).images.map((name) => store.kept(row.id, name)),
    );
    return kept.filter((url) => url !== null);
  }

  /**
   * Opens a reader behind a cursor (protocol 2.4).
   *
   * @param cursor A frame id as the client sent it, or null for everything.
   */
  async read(
    owner: string,
    run: string,
    cursor: string | null,
  ): Promise<ReadOutcome> {
    const row = await this.#chats.own(owner, run);
    if (row === null) return { kind: "missing" };
    const from = await this.#resume(row, cursor);
    if (from === "over") return { kind: "over" };
    const readers = this.#readers.get(owner) ?? new Set();
    if (readers.size >= this.#limits.maxStreams) return { kind: "too-many" };
    const reader: TapeReader = new TapeReader({
      store: this.#options.store,
      row,
      live: () => this.#crew.live(run),
      after: from.after,
      beatMs: this.#limits.beatMs,
      stallMs: this.#limits.stallMs,
      pulse: this.#pulse,
      onClose: () => {
        readers.delete(reader);
        if (readers.size === 0) this.#readers.delete(owner);
      },
    });
    readers.add(reader);
    this.#readers.set(owner, readers);
    if (this.#closing) reader.leave();
    return { kind: "reader", reader, resync: from.resync };
  }

  /** Asks a run to stop. The wish is durable before this resolves. */
  async stop(owner: string, run: string): Promise<StopOutcome> {
    const row = await this.#chats.own(owner, run);
    if (row === null) return { kind: "missing" };
    if (row.status !== "running") return { kind: "over", status: row.status };
    // The model's socket first: it must close within 250 ms (N7), whatever the
    // store does.
    this.#crew.stop(run, "user");
    const now = await this.#options.store.requestStop(run);
    if (now !== null && now.status !== "running") {
      return { kind: "over", status: now.status };
    }
    // Somebody may just have taken it, who had not read the wish.
    this.#crew.stop(run, "user");
    // A run that waits for a person has nobody who would hear of it.
    if (now?.leaseOwner === null) await this.#crew.wake(now);
    return { kind: "stopping" };
  }

  /**
   * A person's answer to a question of a run. Whoever is first counts, from
   * whatever tab, and once (T04); the run goes on at once.
   */
  async decide(
    owner: string,
    run: string,
    question: string,
    decision: Said["decision"],
  ): Promise<DecideOutcome> {
    const { store, now } = this.#options;
    const row = await this.#chats.own(owner, run);
    if (row === null) return { kind: "missing" };
    const asked = find(await this.#chats.answer(row), question);
    if (asked === null) return { kind: "missing" };
    const late = Date.parse(asked.expiresAt) <= now().getTime();
    const why = asked.decision === "expired"
      ? "expired"
      : asked.decision !== null
      ? "already_answered"
      : row.status !== "running" || row.stopRequested
      ? "run_over"
      : late
      ? "expired"
      : null;
    if (why !== null) return { kind: "over", why };
    if (decision === "chat" && !asked.chatWide) {
      return { kind: "not-chat-wide" };
    }
    const said: Said = { decision };
    const outcome = await store.answer(run, question, JSON.stringify(said));
    if (outcome === "taken") return { kind: "over", why: "already_answered" };
    // Not waited for: what else the step does may take its time.
    this.#crew.wake(row);
    return { kind: "recorded" };
  }

  /** How many readers are connected right now. */
  get readers(): number {
    let count = 0;
    for (const readers of this.#readers.values()) count += readers.size;
    return count;
  }

  /** One run as far as it is committed; null if it is not this owner's. */
  view(owner: string, run: string): Promise<RunView | null> {
    return this.#chats.view(owner, run);
  }

  /** A tool's long answer in whole, or an image; null if not this owner's. */
  kept(owner: string, run: string, name: string): Promise<string | null> {
    return this.#chats.kept(owner, run, name);
  }

  /** This owner's chats, newest first. */
  chats(owner: string): Promise<ChatSummary[]> {
    return this.#chats.list(owner);
  }

  /** A chat with all its turns; null if it is not this owner's. */
  chat(owner: string, id: string): Promise<ChatView | null> {
    return this.#chats.chat(owner, id);
  }

  /** The chat's running run; null also where there is no such chat. */
  active(owner: string, id: string): Promise<string | null> {
    return this.#chats.active(owner, id);
  }

  /**
   * Chooses for a chat; what runs already goes on as it was asked. False if the
   * chat is not this owner's.
   */
  configure(
    owner: string,
    id: string,
    settings: ChatSettings,
  ): Promise<boolean> {
    return this.#chats.configure(owner, id, settings);
  }

  /** Looks for runs whose owner is gone. Called at the start. */
  sweep(): Promise<void> {
    return this.#crew.sweep();
  }

  /**
   * Lets go of everything: readers are told to come back, runs are ended as
   * interrupted by the shutdown, and nothing new begins. What waits for a person
   * goes on waiting.
   */
  async close(): Promise<void> {
    this.#closing = true;
    for (const readers of this.#readers.values()) {
      for (const reader of readers) reader.leave();
    }
    await this.#crew.close(this.#starting);
  }

  #wakeReaders(run: string): void {
    for (const readers of this.#readers.values()) {
      for (const reader of readers) if (reader.run === run) reader.wake();
    }
  }

  async #resume(
    row: RunRow,
    cursor: string | null,
  ): Promise<{ after: number; resync: boolean } | "over"> {
    const at = cursor === null ? null : parseFrameId(cursor);
    if (at === null || at.run !== row.id) return { after: 0, resync: false };
    const { epoch, seq } = at.cursor;
    if (seq > row.lastSeq) return { after: 0, resync: true };
    if (row.status !== "running" && seq === row.lastSeq) return "over";
    const [entry] = await this.#options.store.read(row.id, seq - 1, 1);
    // Not in the log: expired, or written by an epoch that lost (X04).
    if (entry?.seq !== seq || entry.epoch !== epoch) {
      return { after: 0, resync: true };
    }
    return { after: seq, resync: false };
  }
}

/** Images stay on the disk: a quarter of a megabyte counts as a question. */
function weightOf({ images = [] }: StartRequest): number {
  const size = images.reduce((sum, url) => sum + url.length, 0);
  return 1 + Math.floor(size / (256 * 1024));
}

function find(answer: Answer, question: string): Asked | null {
  const asked = answer.parts.flatMap((part) =>
    part.kind === "tool" && part.approval !== undefined ? [part.approval] : []
  );
  if (answer.asked !== null) asked.push(answer.asked);
  return asked.find(({ id }) => id === question) ?? null;
}
