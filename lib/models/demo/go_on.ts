/**
 * Going on with an answer that broke off: the demo model finds its place again.
 *
 * @module
 */
import type { Plan } from "./plan.ts";
import { pieces } from "./typing.ts";
import type { Message } from "./wire.ts";

/** How the agent asks for it. */
const ASKED = /\bbroke off\b.*\bgo on\b/is;

export interface GoingOn {
  /** The conversation as it was before the answer broke off. */
  messages: Message[];
  /** What was said of the answer. */
  said: string;
}

/** Null for any other request. */
export function goingOn(messages: Message[]): GoingOn | null {
  const [answer, asked] = messages.slice(-2);
  if (asked?.role !== "user" || answer?.role !== "assistant") return null;
  const said = typeof answer.content === "string" ? answer.content : "";
  if (said === "" || !ASKED.test(asked.content)) return null;
  return { messages: messages.slice(0, -2), said };
}

/** The plan without what was said of it; what broke it off is over. */
export function restOf(plan: Plan, said: string): Plan {
  const { fault: _, ...whole } = plan;
  const text = plan.text.join("");
  return text.startsWith(said)
    ? { ...whole, text: pieces(text.slice(said.length)) }
    : whole;
}
