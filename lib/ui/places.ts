/**
 * Where a message on its way is shown: as the last turn, in the place of another
 * one, below an answer it goes on with, or in the queue.
 *
 * @module
 */
import type { Trouble } from "./notice.ts";
import type { Outgoing } from "./outbox.ts";
import type { QueueModel } from "./queue_model.ts";
import type { Stage } from "./stage.ts";
import { outgoingTurn, type TurnModel } from "./turn_model.ts";

export interface Places {
  /**
   * Shows a message as being sent, if it is for the chat on the screen.
   *
   * @param quiet One that is shown as unsent stays so.
   */
  present(message: Outgoing, quiet: boolean): void;
  /** The last try failed; `again` when another one follows by itself. */
  unsent(key: string, trouble: Trouble, again?: boolean): void;
  /** The turn a message on its way has. */
  turn(key: string): TurnModel | undefined;
  /** The turn whose answer is this run's. */
  turnOf(run: string): TurnModel | undefined;
  /** The message that begins the new chat on the screen, if it is on its way. */
  opener(): string | undefined;
  /** The keys of all messages on their way that are shown. */
  keys(): string[];
  /** It is sent: the turn stands where it stands. */
  settle(turn: TurnModel): void;
  /** Takes a message off the screen; `listed` keeps it in the queue. */
  remove(key: string, options?: { listed: boolean }): void;
  /** The same, and what it would have replaced is there again. */
  restore(key: string): void;
}

export function createPlaces(
  { chatId, turns, phase }: Stage,
  queue: QueueModel,
): Places {
  /** What stood where a message wants to stand, until it is taken. */
  const before = new Map<string, TurnModel[]>();

  const turn = (key: string) =>
    turns.peek().find(({ outgoing }) => outgoing?.key === key);
  const turnOf = (run: string) =>
    turns.peek().find(({ answer }) => answer.peek()?.run === run);
  const opener = () =>
    chatId.peek() === null ? turns.peek()[0]?.outgoing?.key : undefined;

  /** It begins the chat; or nothing is being answered or sent before it. */
  const mayStandLast = ({ chat }: Outgoing) =>
    chat === null ? turns.peek().length === 0 : phase.peek() === "idle" &&
      turns.peek().every(({ outgoing }) => outgoing === null) &&
      queue.items.peek().every(({ id }) => id !== null);

  function place(message: Outgoing) {
    const { key, chat, behind, replaces, continues } = message;
    if (chat !== chatId.peek()) return;
    const wanted = continues ?? replaces;
    if (wanted !== undefined) {
      const there = turnOf(wanted);
      if (there === undefined) return;
      if (continues !== undefined) {
        there.outgoing = message;
        there.delivery.value = "sending";
        return;
      }
      const list = turns.peek();
      before.set(key, list);
      turns.value = [
        ...list.slice(0, list.indexOf(there)),
        outgoingTurn(message, there),
      ];
    } else if (behind === undefined && mayStandLast(message)) {
      turns.value = [...turns.peek(), outgoingTurn(message)];
    } else if (chat !== null || behind === opener()) queue.sending(message);
  }

  const settle = (turn: TurnModel) => {
    if (turn.outgoing !== null) before.delete(turn.outgoing.key);
    turn.outgoing = null;
    turn.trouble.value = null;
    turn.delivery.value = "sent";
  };

  function remove(key: string, { listed } = { listed: false }) {
    if (!listed) queue.drop(key);
    before.delete(key);
    const shown = turn(key);
    if (shown === undefined) return;
    // An answer that was to go on stays as it is.
    if (shown.answer.peek() !== null) settle(shown);
    else turns.value = turns.peek().filter((other) => other !== shown);
  }

  return {
    present(message, quiet) {
      const shown = turn(message.key);
      if (shown === undefined && !queue.has(message.key)) place(message);
      else if (quiet) return;
      else if (shown === undefined) queue.sending(message);
      else {
        shown.trouble.value = null;
        shown.delivery.value = "sending";
      }
    },
    unsent(key, trouble, again = false) {
      queue.unsent(key, trouble, again);
      const shown = turn(key);
      if (shown === undefined) return;
      shown.trouble.value = trouble;
      if (!again) shown.delivery.value = "unsent";
    },
    turn,
    turnOf,
    opener,
    keys: () => [
      ...turns.peek().flatMap(({ outgoing }) => outgoing?.key ?? []),
      ...queue.items.peek().filter(({ id }) => id === null)
        .map(({ key }) => key),
    ],
    settle,
    remove,
    restore(key) {
      const stood = before.get(key);
      if (stood !== undefined && turn(key) !== undefined) turns.value = stood;
      remove(key);
    },
  };
}
