/**
 * What providers of Chat Completions want back with a step that called tools,
 * each under a name of its own: `reasoning_content` (DeepSeek, Kimi: "must be
 * passed back"), `reasoning_details` (OpenRouter), and the `extra_content` of a
 * call (Gemini refuses a call without its thought signature).
 *
 * @module
 */
import type { Carry, ModelMessage } from "../agent/contracts.ts";
import type { Json } from "../chat/events.ts";
import type { Loose } from "./answer.ts";

/** Who reads a carry again. */
const ADAPTER = "chat";

/** The fields of an assistant message or its calls that are carried. */
export const CARRIED = [
  "reasoning_content",
  "reasoning_details",
  "extra_content",
] as const;

export interface ChatCarry {
  /** One delta of the answer. */
  hear(delta: Loose): void;
  /**
   * What was heard, if there is anything.
   *
   * @param extras the `extra_content` of each call.
   */
  items(extras: (Json | undefined)[]): Carry | undefined;
}

/** Gathers what one answer wants back. */
export function chatCarry(model: string): ChatCarry {
  let thoughts = "";
  const details: Record<string, Json>[] = [];

  return {
    hear({ reasoning_content, reasoning_details }) {
      if (typeof reasoning_content === "string") thoughts += reasoning_content;
      if (!Array.isArray(reasoning_details)) return;
      for (const piece of reasoning_details) join(details, piece);
    },
    items(extras) {
      const items: Record<string, Json> = {};
      if (thoughts !== "") items.reasoning_content = thoughts;
      if (details.length > 0) items.reasoning_details = details;
      if (extras.some((extra) => extra !== undefined)) {
        items.extra_content = extras.map((extra) => extra ?? null);
      }
      return Object.keys(items).length === 0
        ? undefined
        : { adapter: ADAPTER, model, items };
    },
  };
}

/** What grows from piece to piece of one detail; the rest is said once. */
const GROWING = ["text", "summary", "data"];

/**
 * Adds a piece to the detail it continues: the one of the same type and index,
 * or without an index the last one. A block must come back as it was meant, not
 * as it was cut, or its signature does not fit.
 */
function join(details: Record<string, Json>[], piece: Loose) {
  if (typeof piece !== "object" || piece === null) return;
  const known = typeof piece.index === "number"
    ? details.find((detail) => detail.index === piece.index)
    : details.at(-1);
  if (
    known === undefined || known.type !== piece.type ||
    (typeof known.id === "string" && typeof piece.id === "string" &&
      known.id !== piece.id)
  ) {
    details.push({ ...piece });
    return;
  }
  for (const [name, value] of Object.entries(piece as Record<string, Json>)) {
    if (value === null || value === "") continue;
    const before = known[name];
    known[name] = GROWING.includes(name) && typeof before === "string" &&
        typeof value === "string"
      ? before + value
      : value;
  }
}

/** What of `reasoning_details` a person may read. */
export function textOfDetails(details: Loose): string {
  if (!Array.isArray(details)) return "";
  return details.map((detail) => {
    const text = detail?.text ?? detail?.summary;
    return typeof text === "string" ? text : "";
  }).join("");
}

/** Fields to add to an assistant message and to each of its calls. */
export interface Returned {
  message: Record<string, Json>;
  calls: Record<string, Json>[];
}

/**
 * What goes back with this message.
 *
 * @param options.everywhere the provider asks for `reasoning_content` with every
 * message of the assistant, those of other models and of earlier turns included.
 * An empty one is one that was not thought about.
 */
export function returned(
  message: ModelMessage & { role: "assistant" },
  options: {
    model: string;
    /** The message answers the last question, not an earlier one. */
    current: boolean;
    everywhere: boolean;
    without: ReadonlySet<string>;
  },
): Returned {
  const { current, everywhere, without } = options;
  const own = itemsOf(message, options.model);
  const wanted: Record<string, Json> = {
    ...(everywhere ? { reasoning_content: "" } : {}),
    ...(current || everywhere ? own : {}),
  };
  const { extra_content, ...rest } = wanted;
  const extras = Array.isArray(extra_content) && !without.has("extra_content")
    ? extra_content
    : [];
  return {
    message: Object.fromEntries(
      Object.entries(rest).filter(([name]) => !without.has(name)),
    ),
    calls: message.toolCalls.map((_, at): Record<string, Json> =>
      extras[at] ? { extra_content: extras[at] } : {}
    ),
  };
}

/** What this adapter and model left with the message. */
function itemsOf(
  { carry }: ModelMessage & { role: "assistant" },
  model: string,
): Record<string, Json> {
  if (carry?.adapter !== ADAPTER || carry.model !== model) return {};
  const items = carry.items as Record<string, Json>;
  return Object.fromEntries(
    CARRIED.flatMap((name) =>
      items?.[name] === undefined ? [] : [[name, items[name]]]
    ),
  );
}
