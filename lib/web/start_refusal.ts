/**
 * Why a question was not taken, as an answer.
 *
 * @module
 */
import type { StartOutcome } from "../runs/mod.ts";
import { noSuchChat, noSuchTurn } from "./chat_refusal.ts";
import { problem } from "./problem.ts";

/** The problem for every outcome but a started run. */
export function startRefusal(
  outcome: Exclude<StartOutcome, { kind: "started" }>,
): Response {
  switch (outcome.kind) {
    case "no-chat":
      return noSuchChat();
    case "no-turn":
      return noSuchTurn();
    case "not-broken-off":
      return problem(
        409,
        "not_broken_off",
        "This answer is whole, or nothing of it was shown. Ask for another one instead.",
      );
    case "queued":
      return problem(
        409,
        "message_waiting",
        "This message waits already for the answer before it.",
        { members: { chat_id: outcome.chat, message_id: outcome.message.id } },
      );
    case "queue-full":
      return problem(
        409,
        "queue_full",
        "Too many messages of this chat are waiting already. Keep this one until some of them are answered.",
      );
    case "withdrawn":
      return problem(
        410,
        "withdrawn",
        "This message was taken back before its turn came.",
      );
    case "no-model":
      return problem(
        409,
        "no_such_model",
        `The model "${outcome.id}" is not offered just now. Choose another one for this chat.`,
        { members: { model: outcome.id } },
      );
    case "closing":
      return problem(
        503,
        "closing",
        "The server is restarting. Try again in a moment.",
        { headers: { "retry-after": "2" } },
      );
    case "unsaved":
      return problem(
        outcome.full ? 507 : 503,
        outcome.full ? "store_full" : "store_unavailable",
        "Your message could not be saved, so nothing was sent. Keep it and try again.",
        { headers: { "retry-after": "5" } },
      );
    case "too-many": {
      const seconds = Math.ceil(outcome.waitMs / 1000);
      return problem(
        429,
        "too_many_questions",
        `Too many questions in a minute. Try again in ${seconds} s.`,
        { headers: { "retry-after": String(seconds) } },
      );
    }
    case "active":
      return problem(
        409,
        "run_active",
        "The last question of this chat is still being answered.",
        { members: { run_id: outcome.run, chat_id: outcome.chat } },
      );
  }
}
