/**
 * Which turn of a chat a posted message is. `useChat` names messages by ids of its
 * own making, which we do not keep; but what it shows before the message tells
 * its place: answers have our ids, and questions their words.
 *
 * @module
 */
import type { Turn } from "../chat/views.ts";
import type { ChatPost } from "./ui_message_request.ts";

/**
 * The run in whose place the message stands: the question that was edited, or
 * the answer to be given anew. Null where that cannot be told, or it was never
 * asked.
 *
 * @param turns The branch people see.
 */
export function placeOf(post: ChatPost, turns: Turn[]): string | null {
  const { asks, answer, text } = post;
  if (asks === "new") return null;
  if (answer !== null && turns.some((turn) => stands(answer, turn))) {
    return answer;
  }
  const there = turns[turnsBefore(post, turns)];
  if (asks === "edit") return there?.answer.run ?? null;
  // A client may post nothing but the question.
  const again = there?.text === text
    ? there
    : turns.findLast((turn) => turn.text === text);
  return again?.answer.run ?? null;
}

/** How many turns stand before the message. */
function turnsBefore({ before }: ChatPost, turns: Turn[]): number {
  let count = 0;
  for (const { role, id, text } of before) {
    if (role === "assistant") {
      const at = turns.findIndex((turn) => stands(id, turn));
      if (at >= 0) count = at + 1;
    } else if (role === "user" && turns[count]?.text === text) {
      count++;
    }
  }
  return count;
}

/** Whether the run stands in this place, seen or not. */
function stands(run: string | null, { answer, versions }: Turn): boolean {
  return run !== null && (answer.run === run || !!versions?.includes(run));
}
