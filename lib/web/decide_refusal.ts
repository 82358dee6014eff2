/**
 * Why a person's answer was not taken.
 *
 * @module
 */
import type { DecideOutcome } from "../runs/mod.ts";
import { problem } from "./problem.ts";

const OVER = {
  already_answered: "This was answered already, perhaps in another tab.",
  run_over: "The answer this belongs to is over.",
  expired: "This was asked too long ago.",
};

/** The problem for every outcome but a recorded one (cases T04, T05). */
export function decideRefusal(
  outcome: Exclude<DecideOutcome, { kind: "recorded" }>,
): Response {
  switch (outcome.kind) {
    case "missing":
      return problem(404, "no_such_question", "There is no such question.");
    case "over":
      return problem(409, outcome.why, OVER[outcome.why]);
    case "not-chat-wide":
      return problem(
        400,
        "not_chat_wide",
        "This can be allowed once, but not for the whole chat.",
      );
  }
}
