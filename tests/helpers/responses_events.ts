/**
 * The events of `POST /responses` as providers write them, for
 * `scripted_upstream.ts`. Each builder returns the text of one SSE event, blank
 * line included; join several with `+` to send them in one write. `at` is the
 * item's place in the answer.
 *
 * @module
 */
import { type Script, sse } from "./scripts.ts";

// deno-lint-ignore no-explicit-any
type Fields = Record<string, any>;

let sequence = 0;

/** One event; fields may be added or, with undefined, taken away. */
export const said = (type: string, fields: Fields = {}): string =>
  `event: ${type}\ndata: ${
    JSON.stringify({ type, sequence_number: sequence++, ...fields })
  }\n\n`;

const response = (fields: Fields) => ({
  response: {
    id: "resp_scripted",
    object: "response",
    created_at: 1763850000,
    model: "scripted",
    error: null,
    incomplete_details: null,
    output: [],
    usage: null,
    ...fields,
  },
});

/** What comes before any word. */
export const created = (): string =>
  said("response.created", response({ status: "in_progress" })) +
  said("response.in_progress", response({ status: "in_progress" }));

const place = (at: number) => ({ output_index: at });
const within = (at: number) => ({ item_id: `item_${at}`, ...place(at) });

/** An item begins; `fields` are the item's own. */
export const added = (at: number, type: string, fields: Fields = {}): string =>
  said("response.output_item.added", {
    ...place(at),
    item: { id: `item_${at}`, type, status: "in_progress", ...fields },
  });

/** An item is whole. */
export const ended = (at: number, type: string, fields: Fields = {}): string =>
  said("response.output_item.done", {
    ...place(at),
    item: { id: `item_${at}`, type, status: "completed", ...fields },
  });

export const messageAdded = (at: number, fields: Fields = {}): string =>
  added(at, "message", { role: "assistant", content: [], ...fields });

export const textDelta = (at: number, delta: string): string =>
  said("response.output_text.delta", {
    ...within(at),
    content_index: 0,
    delta,
    logprobs: [],
  });

export const refusalDelta = (at: number, delta: string): string =>
  said("response.refusal.delta", { ...within(at), content_index: 0, delta });

export const messageDone = (
  at: number,
  text: string,
  fields: Fields = {},
): string =>
  ended(at, "message", {
    role: "assistant",
    content: [{ type: "output_text", text, annotations: [] }],
    ...fields,
  });

export const summaryDelta = (at: number, part: number, delta: string): string =>
  said("response.reasoning_summary_text.delta", {
    ...within(at),
    summary_index: part,
    delta,
  });

export const thoughtDelta = (at: number, delta: string): string =>
  said("response.reasoning_text.delta", {
    ...within(at),
    content_index: 0,
    delta,
  });

/** A reasoning item as it comes back when nothing is stored. */
export const thought = (
  at: number,
  summary: string[],
  encrypted: string | null = `secret-${at}`,
): Fields => ({
  id: `item_${at}`,
  type: "reasoning",
  summary: summary.map((text) => ({ type: "summary_text", text })),
  ...(encrypted === null ? {} : { encrypted_content: encrypted }),
});

export const thoughtDone = (
  at: number,
  ...thinking: [summary: string[], encrypted?: string | null]
): string => ended(at, "reasoning", thought(at, ...thinking));

export const callAdded = (at: number, id: string, name: string): string =>
  added(at, "function_call", { call_id: id, name, arguments: "" });

export const argumentsDelta = (at: number, delta: string): string =>
  said("response.function_call_arguments.delta", { ...within(at), delta });

export const argumentsDone = (at: number, text: string): string =>
  said("response.function_call_arguments.done", {
    ...within(at),
    arguments: text,
  });

export const callDone = (
  at: number,
  id: string,
  name: string,
  text: string,
): string => ended(at, "function_call", { call_id: id, name, arguments: text });

/** The figures as this API names them. */
export const figures = (
  input: number,
  output: number,
  details: { cached?: number; reasoning?: number } = {},
): Fields => ({
  input_tokens: input,
  output_tokens: output,
  total_tokens: input + output,
  input_tokens_details: { cached_tokens: details.cached ?? 0 },
  output_tokens_details: { reasoning_tokens: details.reasoning ?? 0 },
});

/** The last event of a whole answer; `fields` are the response's own. */
export const completed = (fields: Fields = {}): string =>
  said(
    "response.completed",
    response({ status: "completed", usage: figures(10, 10), ...fields }),
  );

export const incomplete = (reason: string, fields: Fields = {}): string =>
  said(
    "response.incomplete",
    response({
      status: "incomplete",
      incomplete_details: { reason },
      usage: figures(10, 10),
      ...fields,
    }),
  );

export const failed = (error: Fields | null): string =>
  said("response.failed", response({ status: "failed", error }));

/** A whole ordinary answer, four characters to a delta. */
export function responds(text: string): Script {
  const tokens = text.match(/.{1,4}/gsu) ?? [];
  return sse(
    created(),
    messageAdded(0),
    ...tokens.map((token) => textDelta(0, token)),
    messageDone(0, text),
    completed({ usage: figures(10, tokens.length) }),
  );
}

/** A whole ordinary turn that asks for tools; arguments are given as objects. */
export function respondsWithCalls(
  ...wanted: { id: string; name: string; arguments: unknown }[]
): Script {
  return sse(
    created(),
    ...wanted.flatMap(({ id, name, arguments: args }, at) => {
      const text = JSON.stringify(args);
      return [
        callAdded(at, id, name),
        argumentsDelta(at, text),
        argumentsDone(at, text),
        callDone(at, id, name, text),
      ];
    }),
    completed(),
  );
}
