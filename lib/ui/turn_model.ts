/**
 * One question on the screen, and the answer once there is one.
 *
 * @module
 */
import { type Signal, signal } from "@preact/signals";
import { isBrokenOff } from "../chat/answer.ts";
import type { Turn } from "../chat/views.ts";
import {
  type AnswerModel,
  beginsWith,
  createAnswerModel,
} from "./answer_model.ts";
import type { Trouble } from "./notice.ts";
import type { Outgoing } from "./outbox.ts";
import type { Typewriter } from "./typewriter.ts";

/**
 * `sending`: on its way. `unsent`: the server cannot be reached, tries go on when
 * the network changes or the person asks. `sent`: there is a run.
 */
export type Delivery = "sending" | "unsent" | "sent";

export interface TurnModel {
  /**
   * Stable while something stands in this place: the first run's id shown in it,
   * or the idempotency key.
   */
  readonly key: string;
  readonly text: string;
  /** Where the pictures sent with it are, on this server. */
  readonly images: string[];
  readonly delivery: Signal<Delivery>;
  /** Why it is unsent. */
  readonly trouble: Signal<Trouble | null>;
  /** Null until there is a run; a broken-off one stays while it is gone on with. */
  readonly answer: Signal<AnswerModel | null>;
  /** The runs that stand in this place, oldest first; none when there is one. */
  readonly versions: Signal<string[]>;
  /** What is on its way, unless it is sent. */
  outgoing: Outgoing | null;
}

/** What turns are made with. */
export interface TurnTools {
  typewriter: Typewriter;
  now: () => number;
}

/**
 * A turn the server told of.
 *
 * @param key Of the turn in whose place it stands.
 */
export function turnOf(
  turn: Turn,
  { typewriter, now }: TurnTools,
  key: string = turn.answer.run,
): TurnModel {
  return {
    key,
    text: turn.text,
    images: turn.images ?? [],
    delivery: signal<Delivery>("sent"),
    trouble: signal<Trouble | null>(null),
    answer: signal<AnswerModel | null>(
      createAnswerModel(turn.answer, typewriter, now),
    ),
    versions: signal(turn.versions ?? []),
    outgoing: null,
  };
}

/**
 * A turn on its way to the server.
 *
 * @param before The turn in whose place it will stand.
 */
export function outgoingTurn(
  message: Outgoing,
  before?: TurnModel,
): TurnModel {
  return {
    key: before?.key ?? message.key,
    text: message.text || (before?.text ?? ""),
    images: before?.images ?? [],
    delivery: signal<Delivery>("sending"),
    trouble: signal<Trouble | null>(null),
    answer: signal<AnswerModel | null>(null),
    versions: signal(before?.versions.peek() ?? []),
    outgoing: message,
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
  tools: TurnTools,
): TurnModel[] {
  const known = new Map(mine.map((turn) => [turn.answer.peek()?.run, turn]));
  const turns = told.map((turn, index) => {
    const { run, status } = turn.answer;
    const kept = known.get(run);
    if (kept === undefined) return inPlaceOf(mine[index], turn, tools);
    kept.versions.value = turn.versions ?? [];
    // One that ended while nobody followed it will not grow any more.
    const stale = status !== "running" && run !== followed &&
      kept.answer.peek()?.status.peek() === "running";
    return stale ? turnOf(turn, tools, kept.key) : kept;
  });
  for (const pending of mine) {
    if (pending.answer.peek() !== null) continue;
    const replaced = pending.outgoing?.replaces;
    const at = turns.findIndex((turn) =>
      replaced !== undefined && turn.answer.peek()?.run === replaced
    );
    if (at >= 0) turns.length = at;
    turns.push(pending);
  }
  return turns;
}

/** A turn not known here, drawn as far as possible with what is in its place. */
function inPlaceOf(
  before: TurnModel | undefined,
  turn: Turn,
  tools: TurnTools,
): TurnModel {
  const was = before?.answer.peek();
  if (before === undefined || was == null) return turnOf(turn, tools);
  if (turn.versions?.includes(was.run)) return turnOf(turn, tools, before.key);
  // Another tab has gone on with it: what is shown is how the new one begins.
  const goesOn = turn.text === before.text && isBrokenOff(was.answer) &&
    beginsWith(turn.answer, was.answer);
  if (!goesOn) return turnOf(turn, tools);
  before.answer.value = createAnswerModel(
    turn.answer,
    tools.typewriter,
    tools.now,
    was.key,
  );
  before.versions.value = turn.versions ?? [];
  return before;
}
