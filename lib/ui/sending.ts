/**
 * A message from the first press until there is a run, or it waits in the queue:
 * kept, carried, shown where it will stand, and given back if it was refused.
 *
 * @module
 */
import { batch } from "@preact/signals";
import { emptyAnswer } from "../chat/answer.ts";
import type { ChatSettings } from "../chat/settings.ts";
import type { QueuedRun, StartedRun } from "../chat/views.ts";
import { createAnswerModel, goneOnWith } from "./answer_model.ts";
import type { Failure } from "./api.ts";
import { createDelivery, isHeld } from "./delivery.ts";
import { draftOf, keepDraft } from "./drafts.ts";
import { noticeOf, troubleOf } from "./notice.ts";
import type { Outbox, Outgoing } from "./outbox.ts";
import { createPlaces } from "./places.ts";
import type { QueueModel } from "./queue_model.ts";
import { giveBack, type Stage } from "./stage.ts";
import { outgoingTurn, type TurnModel } from "./turn_model.ts";

/** How soon what could not be sent is tried again while the page is open. */
const AGAIN_AFTER_MS = 30_000;

/** What one press sends. */
export interface Press {
  text: string;
  settings?: ChatSettings;
  replaces?: string;
  continues?: string;
}

export interface Sending {
  send(press: Press): void;
  /** Sends what a reload, a closed tab or a missing network has left behind. */
  sendLeftovers(): void;
  /** The same, and what waits for its next try goes at once. */
  hurry(): void;
  /** Sends an unsent message again, because somebody asked. */
  resend(key: string): void;
  /** Gives an unsent message up; its words go back to where they were written. */
  takeBack(key: string): void;
  /** Takes from the screen what another tab has sent or taken back. */
  prune(): void;
  /** Ends the waiting for another try. */
  dispose(): void;
}

/** @param lost An edit was not taken: the run it was for, and its words. */
export function createSending(
  stage: Stage,
  outbox: Outbox,
  queue: QueueModel,
  lost: (run: string, text: string) => void,
): Sending {
  const { api, env, tools, chatId, turns, stopping, notice } = stage;
  const places = createPlaces(stage, queue);
  const { deliver, hurry } = createDelivery(
    api,
    env,
    (key, failure) => places.unsent(key, troubleOf(failure), true),
  );
  /** Pressed while the answer was being stopped: they wait for nothing else. */
  const urgent = new Set<string>();
  let cancelAgain = () => {};
  /** The page is gone. */
  let over = false;

  /** @param quiet Nobody asked for this try: what is shown stays as it is. */
  async function dispatch(message: Outgoing, quiet = false) {
    const { key } = message;
    places.present(message, quiet);
    // It goes as soon as the message before it has begun the chat.
    if (message.behind !== undefined) return;
    const way = deliver(message);
    if (way === null) return;
    const result = await way;
    // By its chat, not by the view: what an older visit left behind may be for
    // another one, and somebody may have gone away meanwhile and come back.
    const here = !over && message.chat === chatId.peek();
    // Otherwise another tab has taken it back meanwhile, or this one.
    const wanted = outbox.find(key) !== undefined;
    if (!result.ok && isHeld(result)) {
      if (wanted && !over) stays(key, result, here);
      return;
    }
    outbox.forget(key);
    stage.changed();
    if (!result.ok) {
      if (wanted) refused(message, result, here);
    } else if ("queued" in result.value) {
      if (here) waits(key, result.value);
    } else {
      begins(message, result.value, here);
    }
    stage.listAgain();
  }

  /** There is a run: the question stands in the chat, its answer is followed. */
  function begins(
    message: Outgoing,
    { run_id, chat_id }: StartedRun,
    here: boolean,
  ) {
    const { key } = message;
    if (here && chatId.peek() === null && places.turn(key) !== undefined) {
      stage.opened(chat_id);
    }
    release(key, chat_id);
    if (!here) return;
    if (chatId.peek() !== chat_id) return places.remove(key);
    const turn = places.turn(key);
    const known = places.turnOf(run_id);
    if (known !== undefined) {
      // An earlier try had arrived; only its answer got lost on the way.
      if (known === turn) places.settle(turn);
      else places.remove(key);
      stage.follow(known.answer.peek()!);
      return;
    }
    const was = turn?.answer.peek();
    const answer = createAnswerModel(
      was == null ? emptyAnswer(run_id) : goneOnWith(was.answer, run_id),
      tools.typewriter,
      tools.now,
      was?.key,
    );
    batch(() => {
      if (turn !== undefined) {
        turn.answer.value = answer;
        places.settle(turn);
      } else if (queue.has(key)) {
        queue.drop(key);
        const begun: TurnModel = outgoingTurn(message);
        begun.answer.value = answer;
        places.settle(begun);
        turns.value = [...turns.peek(), begun];
      }
    });
    stage.tell();
    if (places.turnOf(run_id) !== undefined) stage.follow(answer);
    // Only the server knows what else there is by now: versions, and what another
    // device asked in between.
    if (message.chat !== null) stage.sync();
  }

  /** The server has it in its queue. */
  function waits(key: string, { queued }: QueuedRun) {
    const asked = places.turn(key) !== undefined;
    batch(() => {
      if (asked) stopping.value = false;
      places.remove(key, { listed: true });
      queue.confirmed(queued);
    });
    stage.tell();
    // What it waits for was begun elsewhere.
    if (asked) stage.sync();
    const item = queue.items.peek().find(({ id }) => id === queued.id);
    if (urgent.delete(key) && item !== undefined) queue.sendNow(item);
  }

  /** The server cannot be reached, or cannot keep it: it stays in the outbox. */
  function stays(key: string, failure: Failure, here: boolean) {
    if (here) stopping.value = false;
    places.unsent(key, troubleOf(failure));
    if (failure.status === 401) return;
    cancelAgain();
    const ms = Math.max(AGAIN_AFTER_MS, failure.retryAfterMs ?? 0);
    cancelAgain = env.after(ms, sendLeftovers);
  }

  function refused(message: Outgoing, failure: Failure, here: boolean) {
    if (here) {
      stopping.value = false;
      places.restore(message.key);
    }
    promote(message.key);
    // It had waited, and was taken back; only the answer to that got lost.
    if (failure.code === "withdrawn") return void stage.sync();
    returnWords(message, here);
    const busy = failure.code === "run_active";
    if (!here) return;
    if (!busy || message.text !== "") notice.value = noticeOf(failure);
    if (busy || message.chat !== null) stage.sync();
  }

  function returnWords({ chat, text, replaces }: Outgoing, here: boolean) {
    if (text === "") return;
    if (replaces !== undefined) {
      keepDraft(env, replaces, text);
      if (here) lost(replaces, text);
    } else if (here) giveBack(stage, text);
    else keepDraft(env, chat, draftOf(env, chat) || text);
  }

  // ---- a new chat, of which more than one message is on its way

  /** The chat is begun: what was written behind the first message may go. */
  function release(key: string, chat: string) {
    for (const message of outbox.all()) {
      if (message.behind !== key) continue;
      dispatch(outbox.keep({ ...message, behind: undefined, chat }));
    }
  }

  /** The first message will not begin the chat: the next one does. */
  function promote(key: string) {
    const [next, ...rest] = outbox.all().filter(({ behind }) => behind === key);
    if (next === undefined) return;
    for (const message of rest) outbox.keep({ ...message, behind: next.key });
    queue.drop(next.key);
    dispatch(outbox.keep({ ...next, behind: undefined }));
  }

  function sendLeftovers() {
    const all = outbox.all();
    for (const message of all) {
      const { behind } = message;
      if (behind === undefined || all.some(({ key }) => key === behind)) {
        dispatch(message, true);
      } else {
        // Another tab began the chat and was closed: it begins one of its own.
        dispatch(outbox.keep({ ...message, behind: undefined }), true);
      }
    }
  }

  return {
    sendLeftovers,
    hurry() {
      hurry();
      sendLeftovers();
    },
    send(press) {
      const message = outbox.keep({
        ...press,
        key: env.newKey(),
        chat: chatId.peek(),
        behind: places.opener(),
      });
      if (stage.phase.peek() === "stopping") urgent.add(message.key);
      dispatch(message);
    },
    resend(key) {
      const message = outbox.find(key);
      if (message !== undefined) dispatch(message);
    },
    takeBack(key) {
      const message = outbox.find(key);
      outbox.forget(key);
      places.restore(key);
      promote(key);
      if (message !== undefined) returnWords(message, true);
    },
    prune() {
      for (const key of places.keys()) {
        if (outbox.find(key) === undefined) places.restore(key);
      }
    },
    dispose() {
      over = true;
      cancelAgain();
    },
  };
}
