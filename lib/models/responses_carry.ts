/**
 * What a Responses provider wants back with a step: its reasoning, which only it
 * can read, at the place where it was. Nothing is stored at the provider, so
 * without it a model that thought before a call thinks again after it.
 *
 * @module
 */
import type { Carry, ModelMessage } from "../agent/contracts.ts";
import type { Json } from "../chat/events.ts";
import type { Loose } from "./answer.ts";

/** Who reads a carry again. */
const ADAPTER = "responses";

/** An item of an answer, as it was heard. */
export interface HeardItem {
  kind: string;
  /** What its deltas said, joined. */
  said: string;
  /** The item as its last event had it. */
  whole?: Loose;
}

/** A step's items: reasoning in whole, of the others what the message lacks. */
type Kept =
  | { type: "reasoning"; [field: string]: Json }
  | { type: "message"; length: number; phase?: string }
  | { type: "function_call" };

/** What to keep of a whole answer, if there is anything. */
export function carryOf(model: string, items: HeardItem[]): Carry | undefined {
  const kept = items.flatMap(keep);
  return kept.some((item) => item.type === "reasoning" || "phase" in item)
    ? { adapter: ADAPTER, model, items: kept as Json }
    : undefined;
}

function keep({ kind, said, whole }: HeardItem): Kept[] {
  switch (kind) {
    case "function_call":
      return [{ type: "function_call" }];
    case "message":
      return [{
        type: "message",
        length: said.length,
        ...(typeof whole?.phase === "string" ? { phase: whole.phase } : {}),
      }];
    case "reasoning":
      return reasoning(whole);
    default:
      return [];
  }
}

function reasoning(whole: Loose): Kept[] {
  if (typeof whole?.id !== "string") return [];
  const { id, summary, encrypted_content, content } = whole;
  const common = {
    type: "reasoning" as const,
    id,
    summary: Array.isArray(summary) ? summary : [],
  };
  // Either is enough. OpenAI takes no plain content, and looks for an item that
  // has neither among those it stored, where it is not.
  if (typeof encrypted_content === "string" && encrypted_content !== "") {
    return [{ ...common, encrypted_content }];
  }
  return Array.isArray(content) && content.length > 0
    ? [{ ...common, content }]
    : [];
}

/** One item of a step as it is sent again. */
export type Again =
  | { type: "reasoning"; item: Json }
  | { type: "text"; text: string; phase?: string }
  | { type: "call"; at: number };

/**
 * A step's texts and calls in their order, and between them what this adapter and
 * model left with it. A step nothing was left with is its text, then its calls.
 */
export function again(
  { text, toolCalls, carry }: ModelMessage & { role: "assistant" },
  options: { model: string; withReasoning: boolean },
): Again[] {
  const own = carry?.adapter === ADAPTER && carry.model === options.model &&
    Array.isArray(carry.items);
  const said: Again[] = [];
  let [from, call] = [0, 0];
  for (const kept of own ? carry.items as Kept[] : []) {
    if (kept.type === "reasoning") {
      if (options.withReasoning) said.push({ type: "reasoning", item: kept });
    } else if (kept.type === "message") {
      const piece = text.slice(from, from + kept.length);
      from += kept.length;
      const { phase } = kept;
      if (piece === "") continue;
      said.push({ type: "text", text: piece, ...(phase ? { phase } : {}) });
    } else if (call < toolCalls.length) {
      said.push({ type: "call", at: call++ });
    }
  }
  if (from < text.length) said.push({ type: "text", text: text.slice(from) });
  while (call < toolCalls.length) said.push({ type: "call", at: call++ });
  return said;
}
