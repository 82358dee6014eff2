/**
 * How an expectation about a provider's answer is written down: the events the
 * adapter must emit, in order, and the turn or the error that ends it.
 *
 * @module
 */
import type { ModelEvent, ModelTurn } from "../../lib/agent/contracts.ts";
import type { FinishReason, Json, Usage } from "../../lib/chat/events.ts";

/** What must come of one recorded answer. */
export interface Expected {
  events: ModelEvent[];
  /** Without its carry, which stands beside it. */
  turn?: Omit<ModelTurn, "carry">;
  /** What the provider wants back with the next request. */
  carry?: Json;
  error?: {
    code: string;
    retryable: boolean;
    retryAfterMs?: number;
    /** Part of what a person reads. */
    shown?: string;
    /** Part of what the log is told. */
    cause?: string;
  };
  /** Requests that are sent; more than one where a retry makes sense. */
  requests?: number;
  /** Part of the one warning that is written to the log. */
  warning?: string;
}

/** A provider and what must come of each of its recorded answers. */
export interface Provider {
  name: string;
  cases: Record<string, Expected>;
}

type Events = ModelEvent[];

export const text = (...deltas: string[]): Events =>
  deltas.map((delta) => ({ type: "text", delta }));

export const thought = (...deltas: string[]): Events =>
  deltas.map((delta) => ({ type: "reasoning", delta }));

/** A call that begins and grows by these pieces. */
export const call = (id: string, name: string, ...deltas: string[]): Events => [
  { type: "tool-call-start", id, name },
  ...more(id, ...deltas),
];

/** Further pieces of a call. */
export const more = (id: string, ...deltas: string[]): Events =>
  deltas.map((delta) => ({ type: "tool-call-delta", id, delta }));

/** Input and output tokens, and what else the provider breaks them into. */
export function usage(
  input: number,
  output: number,
  rest: Partial<Usage> = {},
): Usage {
  return { input, output, total: input + output, ...rest };
}

/** An answer that ends well; the turn's calls are those of the events. */
export function ends(
  finishReason: FinishReason,
  events: Events[],
  spent?: Usage,
  carry?: Json,
): Expected {
  const all = events.flat();
  const toolCalls = all.flatMap((event) =>
    event.type !== "tool-call-start" ? [] : [{
      id: event.id,
      name: event.name,
      arguments: all
        .map((other) =>
          other.type === "tool-call-delta" && other.id === event.id
            ? other.delta
            : ""
        ).join(""),
    }]
  );
  return {
    events: all,
    turn: {
      finishReason,
      toolCalls,
      ...(spent === undefined ? {} : { usage: spent }),
    },
    ...(carry === undefined ? {} : { carry }),
  };
}

/** An answer that fails, after these events. */
export const fails = (
  error: Expected["error"],
  options: { events?: Events; requests?: number } = {},
): Expected => ({ events: [], error, ...options });

/** A refusal that no further attempt would change. */
export const refused = (
  code: string,
  rest: Omit<NonNullable<Expected["error"]>, "code" | "retryable"> = {},
): Expected => fails({ code, retryable: false, ...rest });
