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
    delivery: signal<Delivery>("sending"),
    answer: signal<AnswerModel | null>(null),
  };
}
