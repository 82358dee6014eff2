/**
 * Why nothing could be done to a chat or a message that waits in it. Each is the
 * same whether there never was one, or it is someone else's (case S02).
 *
 * @module
 */
import { problem } from "./problem.ts";

/** 404 for a chat. */
export function noSuchChat(): Response {
  return problem(404, "no_such_chat", "There is no such chat.");
}

/** 404 for one of its answers. */
export function noSuchTurn(): Response {
  return problem(404, "no_such_turn", "There is no such answer in this chat.");
}

/** 404 for a message that waits no more: it was sent, or taken back. */
export function notWaiting(): Response {
  return problem(
    404,
    "not_waiting",
    "This message waits no more: it was sent, or taken back.",
  );
}
