/**
 * One answer on the screen: the folded {@linkcode Answer}, a signal per part, and
 * a signal for everything around the parts. `fold` works in place; only the
 * signal of what changed is rung.
 *
 * @module
 */
import {
  batch,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals";
import {
  type Answer,
  type AnswerStatus,
  type Cursor,
  emptyAnswer,
  openQuestions,
  type Part,
} from "../chat/answer.ts";
import type { LogEntry } from "../chat/events.ts";
import { fold, isAnswered } from "../chat/fold.ts";
import type { Typed, Typewriter } from "./typewriter.ts";

/** A part of an answer, drawn by itself. */
export interface PartModel {
  /** Stable while the answer lives. */
  readonly key: string;
  /** Rings when the part changed. Read it, then look at `part`. */
  readonly version: Signal<number>;
  /** Mutated in place by the fold. */
  part: Part;
  /** How much of a text part is shown; null for the others. */
  readonly typed: Typed | null;
}

export interface AnswerModel {
  readonly run: string;
  /** Stable when another run goes on with the answer: the first one's id. */
  readonly key: string;
  readonly parts: ReadonlySignal<PartModel[]>;
  /** Rings for status, notice, usage and error. Read it, then look at `answer`. */
  readonly meta: ReadonlySignal<number>;
  readonly status: ReadonlySignal<AnswerStatus>;
  /** Questions without an answer; while the run goes on, it waits for them. */
  readonly asking: ReadonlySignal<number>;
  readonly answer: Answer;
  /** When the error came, by `env.now()`; null when it was there from the start. */
  readonly failedAt: ReadonlySignal<number | null>;
  /** Where a reader of the tape goes on. */
  cursor(): Cursor | null;
  /**
   * Folds one entry. `over` when the answer has ended, `gap` when something
   * before the entry is missing: the answer is as it was.
   */
  apply(entry: LogEntry, live: boolean): "more" | "over" | "gap";
  /** A full replay begins; what is shown stays until the replay has caught up. */
  restart(): void;
}

/**
 * The model of `answer`, which from now on belongs to it.
 *
 * @param key Of the answer it goes on with, so that what is drawn stays.
 */
export function createAnswerModel(
  answer: Answer,
  typewriter: Typewriter,
  now: () => number,
  key: string = answer.run,
): AnswerModel {
  const toPart = (part: Part, index: number): PartModel => ({
    key: keyOf(part, index),
    version: signal(0),
    part,
    typed: part.kind === "text" || part.kind === "reasoning"
      ? typewriter.type(part.text)
      : null,
  });
  const parts = signal(answer.parts.map(toPart));
  const meta = signal(0);
  const status = signal(answer.status);
  const asking = signal(openQuestions(answer).length);
  const failedAt = signal<number | null>(null);
  let shown = answer;
  /** A replay on its way to the screen; nothing may shrink before it is there. */
  let replay: Answer | null = answer.cursor === null && answer.parts.length > 0
    ? emptyAnswer(answer.run)
    : null;

  const rangAsking = () => asking.value = openQuestions(shown).length;

  const rang = (index: number, live: boolean) => {
    const model = parts.peek()[index]!;
    model.part = shown.parts[index]!;
    if (model.typed !== null && "text" in model.part) {
      model.typed.arrive(model.part.text, live);
    }
    model.version.value++;
    if (model.part.kind === "tool") rangAsking();
  };

  const rangMeta = () => {
    meta.value++;
    status.value = shown.status;
    rangAsking();
    if (shown.status === "running") return;
    if (shown.error !== null && failedAt.peek() === null) {
      failedAt.value = now();
    }
    typewriter.flush();
  };

  /** The replay becomes the answer; parts that are the same ones keep their models. */
  const swap = (next: Answer) => {
    shown = next;
    replay = null;
    const before = parts.peek();
    parts.value = next.parts.map((part, index) =>
      before[index]?.key === keyOf(part, index)
        ? before[index]
        : toPart(part, index)
    );
    next.parts.forEach((_, index) => rang(index, false));
    rangMeta();
  };

  // Looked at here and not at the entry: an old terminal, come again, ends nothing.
  const over = () => shown.status !== "running" ? "over" : "more";

  return {
    run: answer.run,
    key,
    parts,
    meta,
    status,
    asking,
    failedAt,
    get answer() {
      return shown;
    },
    cursor: () => (replay ?? shown).cursor,
    restart() {
      replay = emptyAnswer(answer.run);
    },
    apply: (entry, live) =>
      batch(() => {
        if (entry.event.type === "data-resync") {
          replay = emptyAnswer(answer.run);
          return "more";
        }
        if (replay !== null) {
          if (fold(replay, entry).kind === "gap") return "gap";
          const caughtUp = replay.status !== "running" ||
            // Without a cursor what is shown was another run's.
            (shown.cursor === null
              ? beginsWith(replay, shown)
              : live || reaches(replay.cursor, shown.cursor));
          if (caughtUp) swap(replay);
          return over();
        }
        const change = fold(shown, entry);
        switch (change.kind) {
          case "gap":
            return "gap";
          case "added":
            parts.value = [
              ...parts.peek(),
              toPart(shown.parts[change.index]!, change.index),
            ];
            rangMeta();
            break;
          case "part":
            rang(change.index, live);
            break;
          case "meta":
            rangMeta();
        }
        return over();
      }),
  };
}

/**
 * What a broken-off answer shows, as the beginning of the run that goes on with
 * it (N5): its log tells all of it again, and until then it stays as it is.
 */
export function goneOnWith(answer: Answer, run: string): Answer {
  const parts = structuredClone(answer.parts);
  for (const part of parts) {
    // What nobody answered is not asked again.
    if (part.kind === "tool" && part.approval?.decision === null) {
      delete part.approval;
    }
  }
  const last = parts.findLast(({ kind }) => kind !== "reasoning");
  if (last?.kind === "text" && last.text !== "") last.done = false;
  return { ...emptyAnswer(run), model: answer.model, parts };
}

/** Whether `answer` has everything `shown` shows, in the same parts. */
export function beginsWith(answer: Answer, shown: Answer): boolean {
  return shown.parts.every((part, index) => {
    const same = answer.parts[index];
    if (same === undefined || keyOf(same, index) !== keyOf(part, index)) {
      return false;
    }
    if ("text" in part && "text" in same) {
      return same.text.startsWith(part.text);
    }
    return part.kind !== "tool" || same.kind !== "tool" ||
      isAnswered(same) || !isAnswered(part);
  });
}

function keyOf(part: Part, index: number): string {
  return part.kind === "step" ? `step:${index}` : `${part.kind}:${part.id}`;
}

function reaches(cursor: Cursor | null, goal: Cursor | null): boolean {
  if (goal === null) return true;
  if (cursor === null) return false;
  return cursor.epoch > goal.epoch ||
    (cursor.epoch === goal.epoch && cursor.seq >= goal.seq);
}
