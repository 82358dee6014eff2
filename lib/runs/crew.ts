/**
 * The drivers of this process: who drives which run, who takes a run over whose
 * owner is gone or whose person has answered, and whose lease is renewed.
 *
 * @module
 */
import { isWaiting } from "../agent/history.ts";
import { type Answer, emptyAnswer } from "../chat/answer.ts";
import { fold } from "../chat/fold.ts";
import type { AgentEvent, TerminalEvent } from "../chat/events.ts";
import type { RunRow } from "../store/contract.ts";
import { gatherBrief } from "./brief.ts";
import { Driver, type StopReason } from "./driver.ts";
import type { Entry } from "./entry.ts";
import type { RunLimits } from "./limits.ts";
import type { LiveRun } from "./live.ts";
import { readLog } from "./log.ts";
import type { RunsOptions } from "./outcomes.ts";
import { pathTo } from "./path.ts";
import { recovery } from "./recovery.ts";

export interface CrewOptions extends Omit<RunsOptions, "limits"> {
  limits: RunLimits;
  /** A run's answer as far as it is committed. */
  answer: (row: RunRow) => Promise<Answer>;
  /** A run that waited goes on here: its readers need not ask the store. */
  onTaken: (run: string) => void;
  /** A run is over, or waits: perhaps it is another's turn. */
  onRest: () => void;
}

/** How often expired leases are looked for, in milliseconds (protocol 2.5). */
const SWEEP_MS = 2_000;

export class Crew {
  /** Who holds the leases of this process. */
  readonly id = crypto.randomUUID();
  readonly #options: CrewOptions;
  readonly #drivers = new Map<string, Driver>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  readonly #renewer: ReturnType<typeof setInterval>;
  /** Waiting runs that are being taken. */
  readonly #waking = new Set<Promise<void>>();
  #sweeping: Promise<void> = Promise.resolve();
  #closing = false;
  /** The time for runs to end by themselves is over. */
  #leaving = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#sweeper = setInterval(async () => {
      await this.sweep();
      // What a crash left in a queue, too.
      this.#options.onRest();
    }, SWEEP_MS);
    this.#renewer = setInterval(
      () => this.#renew(),
      options.limits.leaseMs * 0.3,
    );
  }

  /** The run as this process drives it, if it does. */
  live(run: string): LiveRun | undefined {
    return this.#drivers.get(run)?.live;
  }

  /** What is committed of a run this process drives. */
  answer(run: string): Answer | undefined {
    const driver = this.#drivers.get(run);
    return driver?.live.heard ? driver.tape.answer : undefined;
  }

  /** Ends a run, if it is driven here. */
  stop(run: string, reason: StopReason): void {
    this.#drivers.get(run)?.stop(reason);
  }

  /**
   * Drives a run from its log to its end, or to where it waits for a person.
   *
   * @param chat The runs of its chat, at least those before it.
   */
  drive(
    row: RunRow,
    committed: Entry[],
    chat: RunRow[],
    first: AgentEvent[] = [],
  ): Driver {
    const { store, models, toolbox, now, report, limits, answer } =
      this.#options;
    const driver = new Driver({
      store,
      row,
      committed,
      first,
      brief: () =>
        gatherBrief(row, pathTo(row, chat), {
          store,
          models,
          toolbox,
          now,
          answer,
        }),
      limits,
      now,
      report,
    });
    this.#drivers.set(row.id, driver);
    driver.done.then(() => {
      if (this.#drivers.get(row.id) === driver) this.#drivers.delete(row.id);
      this.#options.onRest();
    });
    if (this.#leaving) driver.handOver();
    return driver;
  }

  /** Takes a run that waits for a person, if nobody else has, and goes on. */
  async wake(row: RunRow): Promise<void> {
    if (row.status !== "running" || this.#closing) return;
    const waking = this.#wake(row.id);
    this.#waking.add(waking);
    await waking;
    this.#waking.delete(waking);
  }

  async #wake(id: string): Promise<void> {
    const { store, report, limits } = this.#options;
    // It may be just about to let go of the run.
    await this.#drivers.get(id)?.done;
    if (this.#closing) return;
    try {
      const taken = await store.take(id, this.id, limits.leaseMs);
      if (taken !== null) await this.#goOn(taken);
    } catch (error) {
      // What was said is kept: the next sweep takes the run.
      report("A waiting run could not be taken", error);
    }
  }

  /** Drives a run from where its log ends, or ends it. */
  async #goOn(row: RunRow): Promise<void> {
    const { store, report, now } = this.#options;
    const committed = await Array.fromAsync(readLog(store, row.id));
    const answer = emptyAnswer(row.id);
    for (const entry of committed) fold(answer, entry);
    let first: AgentEvent[] = [];
    if (!isWaiting(answer)) {
      const end = (terminal: TerminalEvent) =>
        Driver.end({ store, row, committed, report }, terminal);
      if (row.stopRequested) {
        return await end({ type: "abort", reason: "user" });
      }
      const how = recovery(answer, committed, now());
      if (how.kind === "end") return await end(how.terminal);
      first = how.events;
    }
    const chat = await store.runs(row.chat);
    // Not begun here: whoever comes next goes on once the lease is over.
    if (this.#closing) return;
    const driver = this.drive(row, committed, chat, first);
    this.#options.onTaken(row.id);
    // Stop may have been pressed since it was taken, before it could hear of it.
    const wish = row.stopRequested || (await store.run(row.id))?.stopRequested;
    if (wish) driver.stop("user");
  }

  /**
   * Takes runs whose owner is gone. What had not begun to speak goes on, and so
   * does what waits for a person; of the others the shown text stays, and the
   * person may ask again (decision 8). Called every two seconds and at the start.
   */
  sweep(): Promise<void> {
    this.#sweeping = this.#sweeping.then(() => this.#sweep()).catch((error) =>
      this.#options.report("Looking for interrupted runs failed", error)
    );
    return this.#sweeping;
  }

  /** Somebody elsewhere wants these runs to stop, or has answered them. */
  async called(runs: string[]): Promise<void> {
    for (const run of runs) {
      const driver = this.#drivers.get(run);
      if (driver === undefined) continue;
      try {
        const row = await this.#options.store.run(run);
        if (row === null) driver.stop("lost");
        else if (row.stopRequested) driver.stop("user");
      } catch (error) {
        // The next renewal asks again.
        this.#options.report("A call from elsewhere was not heard", error);
      }
    }
  }

  /**
   * Takes nothing over any more, waits for runs to end by themselves, and hands
   * over those that have not ({@linkcode Driver.handOver}).
   */
  async close(
    starting: Iterable<Promise<unknown>>,
    graceMs: number,
  ): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sweeper);
    let late: ReturnType<typeof setTimeout> | undefined;
    const leave = () => {
      this.#leaving = true;
      for (const driver of this.#drivers.values()) driver.handOver();
    };
    if (graceMs > 0) late = setTimeout(leave, graceMs);
    else leave();
    // What is just being created becomes a driver too.
    await Promise.allSettled(starting);
    await Promise.all([...this.#drivers.values()].map((d) => d.done));
    await Promise.all(this.#waking);
    await Promise.all([...this.#drivers.values()].map((d) => d.done));
    await this.#sweeping;
    clearTimeout(late);
    clearInterval(this.#renewer);
  }

  async #sweep(): Promise<void> {
    if (this.#closing) return;
    const { store, report, limits } = this.#options;
    const expired = await store.takeExpired(this.id, limits.leaseMs);
    for (const row of expired) {
      // Our own run whose lease could not be renewed in time is not ours now.
      this.#drivers.get(row.id)?.stop("lost");
      try {
        await this.#goOn(row);
      } catch (error) {
        // A run nobody can read must not keep the others waiting.
        report("A run could not be taken over", error);
      }
    }
  }

  async #renew(): Promise<void> {
    await Promise.all(
      [...this.#drivers].map(async ([run, driver]) => {
        try {
          const { store, limits } = this.#options;
          const { epoch } = driver.row;
          const asked = performance.now();
          if (!await store.renew(run, epoch, limits.leaseMs)) {
            return driver.stop("lost");
          }
          driver.renewedAt = asked;
          // Stop may have been pressed in another process.
          if ((await store.run(run))?.stopRequested) driver.stop("user");
        } catch (error) {
          this.#options.report("Renewing a lease failed", error);
          // Before somebody else may take it (protocol 2.5).
          const late = performance.now() - driver.renewedAt;
          if (late > this.#options.limits.leaseMs * 0.8) driver.stop("lost");
        }
      }),
    );
  }
}
