/**
 * Chat completion chunks as providers write them, for `scripted_upstream.ts`.
 * Each builder returns the text of one SSE event, blank line included; join
 * several with `+` to send them in one write.
 *
 * @module
 */
import { reply, type Script, sse } from "./scripts.ts";

/** What one streamed piece may carry; anything a provider ever sent is welcome. */
// deno-lint-ignore no-explicit-any
export type Delta = Record<string, any>;

/** One SSE event with this value as JSON. */
export const event = (value: unknown): string =>
  `data: ${JSON.stringify(value)}\n\n`;

/** A chunk around a choice; `more` adds to or replaces the chunk's own fields. */
export function choice(
  value: Record<string, unknown>,
  more: Record<string, unknown> = {},
): string {
  return event({
    id: "chatcmpl-scripted",
    object: "chat.completion.chunk",
    created: 1763850000,
    model: "scripted",
    choices: [{ index: 0, finish_reason: null, ...value }],
    ...more,
  });
}

/** A piece of the answer: `chunk({ content: "Hi" })`. */
export const chunk = (delta: Delta, more?: Record<string, unknown>): string =>
  choice({ delta }, more);

/** The usual first chunk. */
export const role = (): string => chunk({ role: "assistant", content: "" });

/** One fragment of a tool call; leave out what the fragment does not carry. */
export interface CallFragment {
  index?: number | null;
  id?: string | null;
  name?: string | null;
  arguments?: unknown;
}

/** One chunk with these tool call fragments. */
export function toolCall(...fragments: CallFragment[]): string {
  return chunk({ tool_calls: fragments.map(fragment) });
}

/** A fragment in the provider's shape; absent fields stay absent. */
export function fragment(from: CallFragment): Record<string, unknown> {
  const { index, id, ...called } = from;
  return {
    ...(index === undefined ? {} : { index }),
    ...(id === undefined ? {} : { id, type: "function" }),
    function: called,
  };
}

/** The chunk that says why it ends; `delta` rides along (cases U26, U31). */
export const finish = (reason: string | null, delta: Delta = {}): string =>
  choice({ delta, finish_reason: reason });

/** The usage chunk at the end: `choices` is empty. */
export function usage(
  prompt: number,
  completion: number,
  details: { cached?: number; reasoning?: number } = {},
): string {
  return choice({}, {
    choices: [],
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_details: { cached_tokens: details.cached ?? 0 },
      completion_tokens_details: { reasoning_tokens: details.reasoning ?? 0 },
    },
  });
}

/** `data: [DONE]` */
export const done = (): string => "data: [DONE]\n\n";

/** A comment, as OpenRouter sends while it waits. */
export const comment = (text: string): string => `: ${text}\n\n`;

/** A whole ordinary answer, four characters to a chunk. */
export function says(text: string): Script {
  const tokens = text.match(/.{1,4}/gsu) ?? [];
  return sse(
    role(),
    ...tokens.map((content) => chunk({ content })),
    finish("stop"),
    usage(10, tokens.length),
    done(),
  );
}

/** A whole ordinary turn that asks for tools; arguments are given as objects. */
export function calls(
  ...wanted: { id: string; name: string; arguments: unknown }[]
): Script {
  return sse(
    role(),
    ...wanted.flatMap(({ id, name, arguments: args }, index) => [
      toolCall({ index, id, name, arguments: "" }),
      toolCall({ index, arguments: JSON.stringify(args) }),
    ]),
    finish("tool_calls"),
    usage(10, 10),
    done(),
  );
}

/** An error answer as OpenAI writes it. */
export function refuses(
  status: number,
  error: { message?: string; code?: string | null; param?: string | null } = {},
  headers: Record<string, string> = {},
): Script {
  return reply(status, {
    error: { message: "no", type: "error", code: null, param: null, ...error },
  }, headers);
}
