/**
 * One question on the screen, and the answer once there is one.
 *
 * @module
 */
import { type Signal, signal } from "@preact/signals";
import type { Turn } from "../chat/views.ts";
import { type AnswerModel, createAnswerModel } from "./answer_model.ts";
import type { Typewriter } from "./typewriter.ts";

/**
 * `sending`: on its way. `unsent`: the server cannot be reached, tries go on when
 * the network changes or the person asks. `sent`: there is a run.
 */
export type Delivery = "sending" | "unsent" | "sent";

export interface TurnModel {
  /** Stable while the turn is shown: the run's id, or the idempotency key. */
  readonly key: string;
  readonly text: string;
  /** Where the pictures sent with it are, on this server. */
  readonly images: string[];
  readonly delivery: Signal<Delivery>;
  readonly answer: Signal<AnswerModel | null>;
}

/** A turn the server told of. */
export function turnOf(
  turn: Turn,
  typewriter: Typewriter,
  now: () => number,
): TurnModel {
  return {
    key: turn.answer.run,
    text: turn.text,
    images: turn.images ?? [],
    delivery: signal<Delivery>("sent"),
    answer: signal<AnswerModel | null>(
      createAnswerModel(turn.answer, typewriter, now),
    ),
  };
}

/** A turn on its way to the server. */
export function outgoingTurn(key: string, text: string): TurnModel {
  return {
    key,
    text,
    images: [],
    delivery: signal<Delivery>("sending"),
    answer: signal<AnswerModel | null>(null),
  };
}

/**
 * The turns the server tells of, and those it does not know yet. Every model
 * there is already is kept: nothing shown is drawn anew.
 *
 * @param followed The run whose tape is being read.
 */
export function mergeTurns(
  mine: TurnModel[],
  told: Turn[],
  followed: string | null,
  toTurn: (turn: Turn) => TurnModel,
): TurnModel[] {
  const known = new Map(mine.map((turn) => [turn.answer.peek()?.run, turn]));
  return [
    ...told.map((turn) => {
      const { run, status } = turn.answer;
      const kept = known.get(run);
      // One that ended while nobody followed it will not grow any more.
      const stale = status !== "running" && run !== followed &&
        kept?.answer.peek()?.status.peek() === "running";
      return kept === undefined || stale ? toTurn(turn) : kept;
    }),
    ...mine.filter((turn) => turn.answer.peek() === null),
  ];
}
