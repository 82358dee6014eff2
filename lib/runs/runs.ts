/**
 * Runs: start one, read it, stop it, look at it. A run is not a connection
 * (decision 1): any number of readers come and go; only its end, Stop or a limit
 * ends it.
 *
 * @module
 */
import { historyMessages } from "../agent/history.ts";
import type { Model, ModelMessage } from "../agent/contracts.ts";
import { systemPrompt } from "../agent/prompt.ts";
import type { Toolbox } from "../agent/toolbox.ts";
import type { Answer } from "../chat/answer.ts";
import { frameId, newChatId, newRunId, parseFrameId } from "../chat/ids.ts";
import type { StartEvent } from "../chat/events.ts";
import type { ChatSummary, ChatView, RunView } from "../chat/views.ts";
import {
  type CreateOutcome,
  type RunRow,
  type Store,
  StoreError,
} from "../store/contract.ts";
import { Driver } from "./driver.ts";
import { LIMITS, type RunLimits } from "./limits.ts";
import { foldLog, readLog } from "./log.ts";
import { Pulse } from "./pulse.ts";
import { Rate } from "./rate.ts";
import { TapeReader } from "./reader.ts";
import { titleOf } from "./title.ts";

export interface RunsOptions {
  store: Store;
  model: Model;
  toolbox: Toolbox;
  now: () => Date;
  limits?: Partial<RunLimits>;
  /** Hears causes that must not be shown to people. */
  report: (message: string, error: unknown) => void;
}

export interface StartRequest {
  owner: string;
  text: string;
  /** The chat to ask in; a new one is made without it. */
  chat?: string;
  idempotencyKey?: string;
}

export type StartOutcome =
  /** Or was before, under the same idempotency key (N10). */
  | { kind: "started"; run: string; chat: string }
  /** The chat's last question is still being answered. */
  | { kind: "active"; run: string; chat: string }
  | { kind: "no-chat" }
  /** The process is going down. */
  | { kind: "closing" }
  /** The store could not commit; nothing was started (N9). */
  | { kind: "unsaved"; full: boolean }
  /** This owner asks too often. */
  | { kind: "too-many"; waitMs: number };

export type ReadOutcome =
  /** `resync`: what the reader has cannot be trusted; it gets everything. */
  | { kind: "reader"; reader: TapeReader; resync: boolean }
  /** The cursor is at the end: there will never be more (204). */
  | { kind: "over" }
  | { kind: "missing" }
  | { kind: "too-many" };

export type StopOutcome =
  | { kind: "stopping" }
  | { kind: "over"; status: RunRow["status"] }
  | { kind: "missing" };

/** How often expired leases are looked for, in milliseconds (protocol 2.5). */
const SWEEP_MS = 2_000;
const CHATS_SHOWN = 200;

export class Runs {
  readonly #options: RunsOptions;
  readonly #limits: RunLimits;
  readonly #id = crypto.randomUUID();
  readonly #drivers = new Map<string, Driver>();
  readonly #pulse: Pulse;
  readonly #rate: Rate;
  readonly #readers = new Map<string, Set<TapeReader>>();
  readonly #timers: ReturnType<typeof setInterval>[];
  /** Questions being committed. */
  readonly #starting = new Set<Promise<StartOutcome>>();
  #sweeping: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#pulse = new Pulse(this.#limits.beatMs / 15);
    this.#rate = new Rate(this.#limits.questionsPerMinute);
    this.#timers = [
      setInterval(() => this.sweep(), SWEEP_MS),
      setInterval(() => this.#renew(), this.#limits.leaseMs * 0.3),
    ];
  }

  /**
   * Commits the question and starts its run. Resolves once the question is
   * durable (N1); the model is asked after that.
   */
  async start(request: StartRequest): Promise<StartOutcome> {
    if (this.#closing) return { kind: "closing" };
    const waitMs = this.#rate.take(request.owner, performance.now());
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
    const { store, model, now, report } = this.#options;
    const { owner, text } = request;
    const run = newRunId();
    const chat = request.chat ?? newChatId();
    const start: StartEvent = {
      type: "start",
      messageId: run,
      messageMetadata: {
        chat_id: chat,
        model: model.id,
        created_at: now().toISOString(),
      },
    };
    let before: RunRow[];
    let outcome: CreateOutcome;
    try {
      before = request.chat === undefined ? [] : await store.runs(chat);
      outcome = await store.create({
        run,
        chat,
        newChatTitle: request.chat === undefined ? titleOf(text) : null,
        owner,
        text,
        parent: before.at(-1)?.id ?? null,
        idempotencyKey: request.idempotencyKey ?? null,
        leaseOwner: this.#id,
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
        this.#drive(outcome.run, start, before);
        return { kind: "started", run, chat };
    }
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
    const row = await this.#own(owner, run);
    if (row === null) return { kind: "missing" };
    const from = await this.#resume(row, cursor);
    if (from === "over") return { kind: "over" };
    const readers = this.#readers.get(owner) ?? new Set();
    if (readers.size >= this.#limits.maxStreams) return { kind: "too-many" };
    const reader: TapeReader = new TapeReader({
      store: this.#options.store,
      row,
      live: () => this.#drivers.get(run)?.live,
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
    const row = await this.#own(owner, run);
    if (row === null) return { kind: "missing" };
    if (row.status !== "running") return { kind: "over", status: row.status };
    // The model's socket first: it must close within 250 ms (N7), whatever the
    // store does.
    this.#drivers.get(run)?.stop("user");
    const now = await this.#options.store.requestStop(run);
    if (now !== null && now.status !== "running") {
      return { kind: "over", status: now.status };
    }
    return { kind: "stopping" };
  }

  /** How many readers are connected right now. */
  get readers(): number {
    let count = 0;
    for (const readers of this.#readers.values()) count += readers.size;
    return count;
  }

  /** One run as far as it is committed; null if it is not this owner's. */
  async view(owner: string, run: string): Promise<RunView | null> {
    const row = await this.#own(owner, run);
    if (row === null) return null;
    const answer = await this.#answer(row);
    return {
      run_id: row.id,
      chat_id: row.chat,
      text: row.text,
      last_id: frameId(row.id, answer.cursor ?? { epoch: row.epoch, seq: 1 }),
      answer,
    };
  }

  /** A tool's long answer in whole; null if it is not this owner's. */
  async output(owner: string, run: string, name: string) {
    const row = await this.#own(owner, run);
    return row === null ? null : await this.#options.store.kept(run, name);
  }

  /** This owner's chats, newest first. */
  async chats(owner: string): Promise<ChatSummary[]> {
    const rows = await this.#options.store.chats(owner, CHATS_SHOWN);
    return rows.map((row) => ({
      id: row.id,
      title: row.title,
      updatedAt: new Date(row.updatedAt).toISOString(),
      activeRun: row.activeRun,
    }));
  }

  /** A chat with all its turns; null if it is not this owner's. */
  async chat(owner: string, id: string): Promise<ChatView | null> {
    const row = await this.#options.store.chat(owner, id);
    if (row === null) return null;
    const rows = await this.#options.store.runs(id);
    const turns = await Promise.all(rows.map(async (run) => ({
      text: run.text,
      createdAt: new Date(run.createdAt).toISOString(),
      answer: await this.#answer(run),
    })));
    return { id, title: row.title, activeRun: row.activeRun, turns };
  }

  /**
   * Ends runs whose owner is gone: shown text stays, and the person may ask
   * again (decision 8). Called every two seconds and at the start.
   */
  sweep(): Promise<void> {
    this.#sweeping = this.#sweeping.then(() => this.#sweep()).catch((error) =>
      this.#options.report("Looking for interrupted runs failed", error)
    );
    return this.#sweeping;
  }

  /**
   * Lets go of everything: readers are told to come back, runs are ended as
   * interrupted by the shutdown, and nothing new begins.
   */
  async close(): Promise<void> {
    this.#closing = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const readers of this.#readers.values()) {
      for (const reader of readers) reader.leave();
    }
    for (const driver of this.#drivers.values()) driver.stop("shutdown");
    // What is just being created becomes a driver, stopped at once.
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#drivers.values()].map((d) => d.done));
    await this.#sweeping;
  }

  #drive(row: RunRow, start: StartEvent, before: RunRow[]): void {
    const { store, model, toolbox, report } = this.#options;
    const driver = new Driver({
      store,
      row,
      committed: [
        {
          epoch: row.epoch,
          seq: 1,
          event: start,
          json: JSON.stringify(start),
        },
      ],
      model,
      toolbox,
      messages: () => this.#messages(row, before),
      limits: this.#limits,
      report,
    });
    this.#drivers.set(row.id, driver);
    driver.done.then(() => this.#drivers.delete(row.id));
    if (this.#closing) driver.stop("shutdown");
  }

  async #messages(row: RunRow, before: RunRow[]): Promise<ModelMessage[]> {
    const turns = await Promise.all(before.map(async (run) => ({
      text: run.text,
      answer: await this.#answer(run),
    })));
    return historyMessages(
      systemPrompt(this.#options.now()),
      turns,
      row.text,
    );
  }

  async #own(owner: string, run: string): Promise<RunRow | null> {
    const row = await this.#options.store.run(run);
    // Missing and not yours are one answer (case S02).
    return row === null || row.owner !== owner ? null : row;
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

  async #answer(row: RunRow): Promise<Answer> {
    if (row.message !== null) return JSON.parse(row.message);
    const driver = this.#drivers.get(row.id);
    if (driver?.live.heard) return structuredClone(driver.tape.answer);
    return await foldLog(this.#options.store, row.id);
  }

  async #sweep(): Promise<void> {
    if (this.#closing) return;
    const { store, report } = this.#options;
    const expired = await store.takeExpired(this.#id, this.#limits.leaseMs);
    for (const row of expired) {
      // Our own run whose lease could not be renewed in time is not ours now.
      this.#drivers.get(row.id)?.stop("lost");
      const committed = await Array.fromAsync(readLog(store, row.id));
      await Driver.interrupt({ store, row, committed, report });
    }
  }

  async #renew(): Promise<void> {
    await Promise.all(
      [...this.#drivers].map(async ([run, driver]) => {
        try {
          const { store } = this.#options;
          const { epoch } = driver.row;
          if (!await store.renew(run, epoch, this.#limits.leaseMs)) {
            return driver.stop("lost");
          }
          // Stop may have been pressed in another process.
          if ((await store.run(run))?.stopRequested) driver.stop("user");
        } catch (error) {
          this.#options.report("Renewing a lease failed", error);
        }
      }),
    );
  }
}
