/**
 * Runs: start one, read it, stop it, look at it. A run is not a connection
 * (decision 1): any number of readers come and go; only its end, Stop or a limit
 * ends it.
 *
 * @module
 */
import type { Answer, Asked } from "../chat/answer.ts";
import { parseFrameId } from "../chat/ids.ts";
import type { ChatSettings } from "../chat/settings.ts";
import type {
  ChatSummary,
  ChatView,
  QueuedMessage,
  RunView,
} from "../chat/views.ts";
import type { News, RunRow } from "../store/contract.ts";
import { Asking } from "./asking.ts";
import { Chats, type ExportedChat, queuedView } from "./chats.ts";
import { Crew } from "./crew.ts";
import type { Said } from "./driver.ts";
import { Intake } from "./intake.ts";
import { LIMITS, type RunLimits } from "./limits.ts";
import type {
  DecideOutcome,
  ReadOutcome,
  RunsOptions,
  StartOutcome,
  StartRequest,
  StopOutcome,
} from "./outcomes.ts";
import { Queue } from "./queue.ts";
import { Rate } from "./rate.ts";
import { Readers } from "./readers.ts";

export class Runs {
  readonly #options: RunsOptions;
  readonly #limits: RunLimits;
  readonly #crew: Crew;
  readonly #chats: Chats;
  readonly #intake: Intake;
  readonly #queue: Queue;
  readonly #readers: Readers;
  readonly #unlisten: () => void;

  constructor(options: RunsOptions) {
    const { store, models, now, report } = options;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#chats = new Chats(store, (run) => this.#crew.answer(run));
    this.#queue = new Queue({
      store,
      send: (message) => this.#intake.send(message),
      report,
    });
    this.#readers = new Readers({
      store,
      limits: this.#limits,
      driven: (run) => this.#crew.live(run),
      report,
    });
    this.#crew = new Crew({
      ...options,
      limits: this.#limits,
      answer: (row) => this.#chats.answer(row),
      onTaken: (run) => this.#readers.onTaken(run),
      onRest: () => this.#queue.pump(),
    });
    this.#intake = new Intake({
      store,
      asking: new Asking({
        store,
        models,
        now,
        leaseOwner: this.#crew.id,
        leaseMs: this.#limits.leaseMs,
        answer: (row) => this.#chats.answer(row),
      }),
      queue: this.#queue,
      rate: new Rate({
        perMinute: this.#limits.questionsPerMinute,
        allPerMinute: this.#limits.allQuestionsPerMinute,
      }),
      drive: (row, begun, before) => this.#crew.drive(row, begun, before),
      report,
    });
    this.#unlisten = store.listen((news) => this.#hear(news));
  }

  /**
   * Commits the question and starts its run, or lets it wait for its turn.
   * Resolves once the question is durable (N1); the model is asked after that.
   */
  start(request: StartRequest): Promise<StartOutcome> {
    return this.#intake.start(request);
  }

  /** Messages of a chat that wait, the next one first; null if not its owner's. */
  async queue(owner: string, chat: string): Promise<QueuedMessage[] | null> {
    const { store } = this.#options;
    if (await store.chat(owner, chat) === null) return null;
    return (await store.queue(owner, chat)).map(queuedView);
  }

  /** Takes a waiting message back; null if it waits no more. */
  async withdraw(
    owner: string,
    chat: string,
    id: string,
  ): Promise<QueuedMessage | null> {
    const message = await this.#options.store.withdraw(owner, chat, id);
    return message === null ? null : queuedView(message);
  }

  /** Another order; false if `ids` are not exactly those that wait. */
  reorder(owner: string, chat: string, ids: string[]): Promise<boolean> {
    return this.#options.store.reorder(owner, chat, ids);
  }

  /**
   * Sends a waiting message now: it becomes the next one, and the run in progress
   * is stopped. False if it waits no more.
   */
  async sendNow(owner: string, chat: string, id: string): Promise<boolean> {
    if (!await this.#options.store.hurry(owner, chat, id)) return false;
    const run = await this.#chats.active(owner, chat);
    // Looked at after the run: what waits still is not what that run answers.
    const waiting = await this.#options.store.queue(owner, chat);
    const waits = waiting.some((message) => message.id === id);
    if (run !== null && waits) await this.stop(owner, run);
    // Not waited for: a stopped run may take its time to end.
    this.#queue.pump();
    return true;
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
    const reader = this.#readers.open(row, from.after);
    return reader === null
      ? { kind: "too-many" }
      : { kind: "reader", reader, resync: from.resync };
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
    return this.#readers.count;
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

  /** Shows the branch a run is on; false if it is not this owner's. */
  show(owner: string, chat: string, run: string): Promise<boolean> {
    return this.#chats.show(owner, chat, run);
  }

  /**
   * Deletes a chat for good. A run in progress ends without a word: there is
   * nothing left to write it to. False if it is not this owner's.
   */
  async remove(owner: string, chat: string): Promise<boolean> {
    const run = await this.#chats.active(owner, chat);
    if (run !== null) await this.stop(owner, run);
    return await this.#options.store.remove(owner, chat);
  }

  /** Everything this owner ever asked, chat by chat. */
  async *export(owner: string): AsyncGenerator<ExportedChat> {
    try {
      yield* this.#chats.export(owner);
    } catch (error) {
      // Whoever reads it can only break off.
      this.#options.report("An export broke off", error);
      throw error;
    }
  }

  /** Looks for runs and messages whose process is gone. Called at the start. */
  async sweep(): Promise<void> {
    await this.#crew.sweep();
    await this.#queue.pump();
  }

  /**
   * Lets go of everything: nothing new begins, readers are told to come back,
   * and runs may end by themselves for a while. Then what has shown text in its
   * step ends as interrupted, and the rest is left to another process, or to the
   * next start. What waits for a person, or for its turn, goes on waiting.
   *
   * @param graceMs How long runs may take to end by themselves.
   */
  async close(graceMs = 0): Promise<void> {
    this.#readers.leave();
    // Side by side: a message that takes long to send must not hold up the runs.
    await Promise.all([
      this.#queue.close(),
      this.#crew.close(this.#intake.close(), graceMs),
    ]);
    this.#unlisten();
  }

  #hear({ kind, runs }: News): void {
    if (kind === "log") this.#readers.ring(runs);
    else this.#crew.called(runs);
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

function find(answer: Answer, question: string): Asked | null {
  const asked = answer.parts.flatMap((part) =>
    part.kind === "tool" && part.approval !== undefined ? [part.approval] : []
  );
  if (answer.asked !== null) asked.push(answer.asked);
  return asked.find(({ id }) => id === question) ?? null;
}
