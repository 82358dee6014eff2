/**
 * Drives one run from its question to its terminal, or to where it waits for a
 * person. Whatever happens in between, the log gets exactly one terminal (N4).
 *
 * @module
 */
import { type Carry, ModelError } from "../agent/contracts.ts";
import { before, isWaiting, repeatsOf, runMessages } from "../agent/history.ts";
import { outOfSteps, runAgent } from "../agent/loop.ts";
import { allowedIn, strangersIn } from "../agent/trust.ts";
import { type Answer, openQuestions, openText } from "../chat/answer.ts";
import type {
  AgentEvent,
  Approval,
  Decision,
  TerminalEvent,
} from "../chat/events.ts";
import { newApprovalId } from "../chat/ids.ts";
import { type RunRow, type Store, StoreError } from "../store/contract.ts";
import type { Brief } from "./brief.ts";
import type { Entry } from "./entry.ts";
import type { RunLimits } from "./limits.ts";
import { LiveRun } from "./live.ts";
import { isSpeaking } from "./recovery.ts";
import { FencedError, Tape } from "./tape.ts";
import { unlessStopped } from "./unless_stopped.ts";

/** Why a run was ended from outside. */
export type StopReason = "user" | "timeout" | "shutdown" | "lost" | "store";

export interface DriverOptions {
  store: Store;
  row: RunRow;
  /** The entries committed so far; at least the `start`. */
  committed: Entry[];
  /** What a new owner has to say before it goes on. */
  first: AgentEvent[];
  /** Gathered when the run begins, so that its `start` need not wait. */
  brief: () => Promise<Brief>;
  limits: RunLimits;
  now: () => Date;
  /** For the log: causes that must not be shown. */
  report: (message: string, error: unknown) => void;
}

/** What the store keeps of a person's answer. */
export interface Said {
  decision: Exclude<Decision, "expired">;
}

/** How long to try to write a terminal the store refuses, in ms between tries. */
const RETRIES = [50, 250, 1_000, 3_000];

export class Driver {
  readonly live: LiveRun;
  readonly tape: Tape;
  readonly row: RunRow;
  /** Resolves when nothing more happens here; never rejects. */
  readonly done: Promise<void>;
  /** When its lease was asked for, by `performance.now()`. */
  renewedAt = performance.now();
  #options: Omit<DriverOptions, "committed">;
  #askedAt: number;
  #abort = new AbortController();
  #keptCount = 0;
  #leaving = false;

  constructor({ committed, ...options }: DriverOptions) {
    this.#options = options;
    this.#askedAt = askedAt(options.row, committed);
    this.row = options.row;
    this.live = new LiveRun(0, [...committed]);
    this.tape = new Tape({
      store: options.store,
      run: options.row.id,
      epoch: options.row.epoch,
      committed,
      onCommitted: (entries) => this.live.publish(entries),
      onFailed: (error) =>
        this.stop(error instanceof FencedError ? "lost" : "store"),
    });
    this.done = this.#drive();
  }

  /** Ends a run that nobody drives: what was shown stays (decision 8). */
  static async end(
    options: Pick<DriverOptions, "store" | "row" | "committed" | "report">,
    terminal: TerminalEvent,
  ): Promise<void> {
    const tape = new Tape({
      store: options.store,
      run: options.row.id,
      epoch: options.row.epoch,
      committed: options.committed,
      onCommitted: () => {},
      onFailed: () => {},
    });
    try {
      await tape.end(terminal);
    } catch (error) {
      options.report("A run without an owner was not closed", error);
    }
  }

  /** Ends the run: the model's socket and every tool hear of it at once. */
  stop(reason: StopReason): void {
    this.#abort.abort(reason);
  }

  /**
   * The process goes down. What has shown text in its step ends here; the rest
   * goes on in another process, from its log, and so does what asks a person.
   */
  handOver(): void {
    this.#leaving = this.#mayGoOnElsewhere;
    if (this.#leaving) {
      this.tape.write({
        type: "data-run",
        data: { status: "handed-over" },
        transient: true,
      });
      // What an agent says that is aborted would look like a step that is over.
      this.tape.cut();
    }
    this.stop("shutdown");
  }

  async #drive(): Promise<void> {
    const { limits } = this.#options;
    const wall = setTimeout(() => this.stop("timeout"), limits.runMs);
    let terminal: TerminalEvent | "parked";
    try {
      terminal = await this.#run();
    } catch (error) {
      terminal = this.#failure(error);
    } finally {
      clearTimeout(wall);
    }
    // Whoever takes the run next is not this object: readers ask the store.
    if (terminal === "parked") this.live.abandon();
    else if (this.#leaving && this.#isShutDown) await this.#leave(terminal);
    else await this.#end(terminal);
  }

  get #mayGoOnElsewhere(): boolean {
    const { answer } = this.tape;
    return isWaiting(answer) || !isSpeaking(answer);
  }

  get #isShutDown(): boolean {
    const { aborted, reason } = this.#abort.signal;
    return aborted && reason === "shutdown";
  }

  /** Ends the lease, so that whoever sweeps next need not wait for its end. */
  async #leave(terminal: TerminalEvent): Promise<void> {
    const { store, row } = this.#options;
    try {
      await this.tape.settled();
      // Its first word was just on its way into the log.
      if (!this.#mayGoOnElsewhere) return await this.#end(terminal);
      await store.renew(row.id, row.epoch, 0);
    } catch (error) {
      this.#options.report("A run was left to the end of its lease", error);
    }
    this.live.abandon();
  }

  async #run(): Promise<TerminalEvent | "parked"> {
    const { signal } = this.#abort;
    this.#options.first.forEach(this.tape.write);
    await this.tape.settled();
    const brief = await unlessStopped(this.#options.brief(), signal);
    // A crash between a question and its pause: what the step cost is not known.
    const step = this.tape.answer.parts.findLast(({ kind }) => kind === "step");
    const going = openText(this.tape.answer) !== null;
    if (step?.kind === "step" && !step.done && !going) {
      this.tape.write({ type: "finish-step" });
    }
    while (true) {
      const fresh = await this.#hearAnswers();
      signal.throwIfAborted();
      const { asked } = this.tape.answer;
      // Taken without an answer, as after a crash: the same question waits on.
      const result = asked?.decision === null
        ? { kind: "waiting" as const, questions: [asked] }
        : await this.#go(brief, fresh);
      if (result.kind === "finished") {
        return {
          type: "finish",
          finishReason: result.finishReason,
          messageMetadata: {
            usage: result.usage,
            steps: result.steps,
            ms: Math.max(0, this.#options.now().getTime() - this.#askedAt),
          },
        };
      }
      if (await this.#park(result.questions)) return "parked";
    }
  }

  /** One stretch of the agent, from where the log is. */
  async #go(brief: Brief, fresh: ReadonlySet<string>) {
    const { limits } = this.#options;
    const answer = structuredClone(this.tape.answer);
    const at = before(answer, fresh);
    return await runAgent({
      model: brief.model,
      toolbox: brief.toolbox,
      messages: [
        ...brief.messages,
        ...runMessages(answer, await this.#carried(answer)),
      ],
      temperature: brief.temperature,
      emit: this.tape.write,
      signal: this.#abort.signal,
      maxSteps: stepLimit(answer, at.steps, limits.maxSteps, fresh),
      recorded: () => this.tape.settled(),
      keep: this.#keepOutput,
      keepCarry: (carry) => this.#keep("carry-", JSON.stringify(carry)),
      trust: {
        attended: brief.attended,
        allowed: new Set([...brief.allowed, ...allowedIn(answer)]),
        strangers: new Set([
          ...brief.strangers,
          ...strangersIn(answer, brief.toolbox),
        ]),
      },
      repeats: repeatsOf(answer),
      ask: (question): Approval => ({
        ...question,
        id: newApprovalId(),
        expiresAt: new Date(
          this.#options.now().getTime() + limits.approvalMs,
        ).toISOString(),
      }),
      before: at,
    });
  }

  /**
   * Puts what people have answered since the log was read on the tape, and "no"
   * for what nobody answered in time. The ids of what is answered now.
   *
   * @throws ModelError if they said that the agent shall not go on.
   */
  async #hearAnswers(): Promise<Set<string>> {
    const { store, row, now } = this.#options;
    const heard = new Set<string>();
    const open = openQuestions(this.tape.answer);
    if (open.length === 0) return heard;
    const said = new Map((await store.answers(row.id)).map(
      ({ question, json }) => [question, JSON.parse(json) as Said],
    ));
    let end: ModelError | null = null;
    for (const { id, expiresAt, reason } of open) {
      const late = Date.parse(expiresAt) <= now().getTime();
      const decision = said.get(id)?.decision ?? (late ? "expired" : null);
      if (decision === null) continue;
      heard.add(id);
      this.tape.write({
        type: "data-approval-answer",
        data: { id, decision },
        transient: true,
      });
      if (reason !== "steps" && reason !== "loop") continue;
      if (decision === "denied" || decision === "expired") {
        end = outOfSteps(reason, before(this.tape.answer, heard).steps);
      }
    }
    await this.tape.settled();
    if (end !== null) throw end;
    return heard;
  }

  /** Lets go of the run until a person has answered; false if one just has. */
  async #park(questions: Approval[]): Promise<boolean> {
    const { store, row } = this.#options;
    // Nobody can answer what is not on the tape yet.
    await this.tape.settled();
    this.#abort.signal.throwIfAborted();
    const outcome = await store.park(
      row.id,
      row.epoch,
      Math.min(...questions.map(({ expiresAt }) => Date.parse(expiresAt))),
      questions.map(({ id }) => id),
    );
    if (outcome === "parked") return true;
    if (outcome === "fenced") this.stop("lost");
    else if ((await store.run(row.id))?.stopRequested) this.stop("user");
    this.#abort.signal.throwIfAborted();
    return false;
  }

  /** What adapters kept with the steps so far. */
  async #carried(
    answer: Answer,
  ): Promise<(name: string) => Carry | undefined> {
    const { store, row } = this.#options;
    const kept = new Map<string, Carry>();
    for (const part of answer.parts) {
      if (part.kind !== "step" || part.carry === undefined) continue;
      const text = await store.kept(row.id, part.carry);
      if (text !== null) kept.set(part.carry, JSON.parse(text));
    }
    return (name) => kept.get(name);
  }

  /** Readable before anything in the log says so (N2). */
  async #keep(prefix: string, text: string): Promise<string> {
    const { store, row } = this.#options;
    const name = `${prefix}${row.epoch}-${++this.#keptCount}`;
    await store.keep(row.id, name, text);
    return name;
  }

  #keepOutput = async (text: string): Promise<string> =>
    `/api/runs/${this.row.id}/outputs/${await this.#keep("", text)}`;

  #failure(error: unknown): TerminalEvent {
    const { signal } = this.#abort;
    const unsaved: TerminalEvent = {
      type: "error",
      code: "engine_unavailable",
      errorText: "The answer could not be saved, so it was ended.",
      retryable: true,
    };
    if (signal.aborted) {
      const reason = signal.reason as StopReason;
      if (reason === "store" || reason === "lost") return unsaved;
      return { type: "abort", reason };
    }
    if (error instanceof ModelError) {
      this.#options.report(`Run ended: ${error.code}`, error.options.cause);
      return {
        type: "error",
        code: error.code,
        errorText: error.message,
        retryable: error.options.retryable,
        retryAfterMs: error.options.retryAfterMs,
      };
    }
    this.#options.report("Run failed", error);
    if (error instanceof StoreError) return unsaved;
    return {
      type: "error",
      code: "internal",
      errorText: "Something went wrong inside the server.",
      retryable: true,
    };
  }

  async #end(terminal: TerminalEvent): Promise<void> {
    for (const wait of [...RETRIES, null]) {
      try {
        return await this.tape.end(terminal);
      } catch (error) {
        const again = error instanceof StoreError && wait !== null;
        if (!again) {
          // Someone else's terminal, or a store that stays away: whoever
          // sweeps next ends the run, and readers look at the store for it.
          if (!(error instanceof FencedError)) {
            this.#options.report("The end of a run was not saved", error);
          }
          return this.live.abandon();
        }
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }
}

/** So many steps again each time a person has just said "go on". */
function stepLimit(
  { asked }: Answer,
  steps: number,
  each: number,
  fresh: ReadonlySet<string>,
): number {
  const goOn = asked?.reason === "steps" && fresh.has(asked.id);
  return goOn ? steps + each : each * Math.max(1, Math.ceil(steps / each));
}

function askedAt(row: RunRow, committed: Entry[]): number {
  const first = committed[0]!.event;
  return first.type === "start"
    ? Date.parse(first.messageMetadata.created_at)
    : row.createdAt;
}
