/**
 * Where questions come in: counted, committed and started, or let to wait.
 *
 * @module
 */
import { newMessageId } from "../chat/ids.ts";
import {
  type QueuedRow,
  type RunRow,
  type Store,
  StoreError,
} from "../store/contract.ts";
import { keepImages } from "./asked.ts";
import type { Asking, Prepared } from "./asking.ts";
import { queuedView } from "./chats.ts";
import type { Entry } from "./entry.ts";
import type { StartOutcome, StartRequest } from "./outcomes.ts";
import type { Queue } from "./queue.ts";
import type { Rate } from "./rate.ts";

export interface IntakeOptions {
  store: Store;
  asking: Asking;
  queue: Queue;
  rate: Rate;
  /** Drives a run that was just made; `before`: the others of its chat. */
  drive: (row: RunRow, begun: Entry[], before: RunRow[]) => void;
  report: (message: string, error: unknown) => void;
}

export class Intake {
  readonly #options: IntakeOptions;
  /** Questions being committed. */
  readonly #starting = new Set<Promise<StartOutcome>>();
  #closing = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Takes nothing more in. What is just being committed becomes a run yet. */
  close(): ReadonlySet<Promise<unknown>> {
    this.#closing = true;
    return this.#starting;
  }

  /**
   * Commits the question and starts its run, or lets it wait for its turn.
   * Resolves once the question is durable (N1); the model is asked after that.
   */
  async start(request: StartRequest): Promise<StartOutcome> {
    if (this.#closing) return { kind: "closing" };
    const now = performance.now();
    const waitMs = this.#options.rate.take(
      request.owner,
      now,
      weightOf(request),
    );
    if (waitMs > 0) return { kind: "too-many", waitMs };
    const outcome = await this.#counted(this.#start(request));
    if (!isNew(outcome)) this.#options.rate.giveBack(request.owner, now);
    return outcome;
  }

  /** Whoever closes waits for what is just being committed. */
  async #counted(starting: Promise<StartOutcome>): Promise<StartOutcome> {
    this.#starting.add(starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }

  async #start(request: StartRequest): Promise<StartOutcome> {
    try {
      if (mayWait(request)) await this.#options.queue.letPass(request);
      while (true) {
        const prepared = await this.#options.asking.prepare(request);
        if (prepared.kind !== "prepared") return prepared;
        const outcome = await this.#create(prepared);
        if (outcome.kind !== "active" || !mayWait(request)) return outcome;
        const waiting = await this.#enqueue(request, outcome.chat);
        if (waiting !== null) return waiting;
        // That run has just ended: now it can be asked.
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#options.report("A question could not be saved", error);
      return { kind: "unsaved", full: error.kind === "full" };
    }
  }

  async #create({ input, before }: Prepared): Promise<StartOutcome> {
    const outcome = await this.#options.store.create(input);
    switch (outcome.kind) {
      case "no-chat":
      case "withdrawn":
        return outcome;
      case "gone":
        return { kind: "withdrawn" };
      case "waiting":
        return {
          kind: "queued",
          message: queuedView(outcome.message),
          chat: outcome.message.chat,
          again: true,
        };
      case "active":
        return { kind: "active", run: outcome.run.id, chat: outcome.run.chat };
      case "existing":
        return again(outcome.run);
      case "created": {
        const { id, epoch, chat } = outcome.run;
        const begun = input.begin.map((event, i) => ({
          epoch,
          seq: i + 1,
          event,
          json: JSON.stringify(event),
        }));
        this.#options.drive(outcome.run, begun, before);
        return { kind: "started", run: id, chat };
      }
    }
  }

  /** Null if there is nothing to wait for any more. */
  async #enqueue(
    request: StartRequest,
    chat: string,
  ): Promise<StartOutcome | null> {
    const { owner, text = "", images = [], idempotencyKey = null } = request;
    const outcome = await this.#options.store.enqueue({
      id: newMessageId(),
      chat,
      owner,
      text,
      options: "{}",
      keep: keepImages(images),
      idempotencyKey,
    });
    switch (outcome.kind) {
      case "queued":
        return { kind: "queued", message: queuedView(outcome.message), chat };
      case "waiting":
        return {
          kind: "queued",
          message: queuedView(outcome.message),
          chat: outcome.message.chat,
          again: true,
        };
      case "existing":
        return again(outcome.run);
      case "full":
        return { kind: "queue-full" };
      case "idle":
        return null;
      default:
        return outcome;
    }
  }

  /** Asks a waiting message; nothing if another process was faster. */
  async send(message: QueuedRow): Promise<void> {
    if (this.#closing) return;
    const { owner, chat, text, keep } = message;
    const prepared = await this.#options.asking.prepare({
      owner,
      chat,
      text,
      images: keep.map(({ text }) => text),
      idempotencyKey: message.idempotencyKey ?? undefined,
    }, message.id);
    // Looking for its model may have taken a while.
    if (prepared.kind !== "prepared" || this.#closing) return;
    await this.#counted(this.#create(prepared));
  }
}

/** A version stands beside what people see now; later it may be something else. */
function mayWait({ queue, replaces, continues }: StartRequest): boolean {
  return queue === true && replaces === undefined && continues === undefined;
}

/** Something began, or waits: not only the answer to a try that had arrived. */
function isNew(outcome: StartOutcome): boolean {
  return (outcome.kind === "queued" || outcome.kind === "started") &&
    outcome.again !== true;
}

/** What a try is told whose key was seen before. */
function again({ id, chat }: RunRow): StartOutcome {
  return { kind: "started", run: id, chat, again: true };
}

/** Images stay on the disk: a quarter of a megabyte counts as a question. */
function weightOf({ images = [] }: StartRequest): number {
  const size = images.reduce((sum, url) => sum + url.length, 0);
  return 1 + Math.floor(size / (256 * 1024));
}
