/**
 * What the demo model decided to say, before anything is typed.
 *
 * @module
 */
import { pieces } from "./typing.ts";

/** A tool call; `fragments` joined are the arguments as sent (not always JSON). */
export interface PlannedCall {
  name: string;
  fragments: string[];
}

/** What goes wrong, and after how many tokens. */
export interface Fault {
  kind: "stall" | "cut" | "truncated" | "malformed";
  after: number;
}

/** One answer: reasoning, then text, then calls; all cut into tokens. */
export interface Plan {
  reasoning: string[];
  text: string[];
  calls: PlannedCall[];
  finish: "stop" | "tool_calls" | "length" | "content_filter";
  /** Multiplies the typing speed. */
  speed: number;
  fault?: Fault;
}

/** An answer that is no stream at all. */
export interface Refusal {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A plan that says `text`, given whole or as the tokens to send. */
export function say(text: string | string[], rest: Partial<Plan> = {}): Plan {
  return {
    reasoning: [],
    text: typeof text === "string" ? pieces(text) : text,
    calls: [],
    finish: "stop",
    speed: 1,
    ...rest,
  };
}

/** A plan that calls tools. */
export function call(calls: PlannedCall[], rest: Partial<Plan> = {}): Plan {
  return say([], { calls, finish: "tool_calls", ...rest });
}

/** The plan cut at `limit` tokens, as `max_tokens` asks. */
export function limitTokens(plan: Plan, limit: number): Plan {
  const text = plan.text.slice(0, Math.max(0, limit - plan.reasoning.length));
  const used = plan.reasoning.length + plan.text.length;
  if (used <= limit) return plan;
  return {
    ...plan,
    reasoning: plan.reasoning.slice(0, limit),
    text,
    calls: [],
    finish: "length",
  };
}
