/**
 * The two APIs, as far as the same can be said in both.
 *
 * @module
 */
import * as chat from "../helpers/completion_chunks.ts";
import * as responses from "../helpers/responses_events.ts";
import { event, type Script } from "../helpers/scripted_upstream.ts";

/** The same things said in one API's events. */
export interface Dialect {
  api: "chat" | "responses";
  path: string;
  /** Before any word. */
  begin: string;
  text(delta: string): string;
  refusal(delta: string): string;
  thought(delta: string): string;
  call(at: number, id: string, name: string): string;
  typed(at: number, delta: string): string;
  end(): string;
  cut: { length: string; filter: string };
  /** An end with 7 tokens in, 3 of them cached, 5 out, 2 of them thought. */
  spent: string;
  /** The provider's own error, in the middle of an answer. */
  broken(code: string): string;
  whole(text: string): Script;
}

export const DIALECTS: Dialect[] = [
  {
    api: "chat",
    path: "/v1/chat/completions",
    begin: chat.role(),
    text: (content) => chat.chunk({ content }),
    refusal: (refusal) => chat.chunk({ refusal }),
    thought: (text) => chat.chunk({ reasoning_content: text }),
    call: (index, id, name) => chat.toolCall({ index, id, name }),
    typed: (index, text) => chat.toolCall({ index, arguments: text }),
    end: () => chat.finish("stop") + chat.done(),
    cut: {
      length: chat.finish("length"),
      filter: chat.finish("content_filter"),
    },
    spent: chat.finish("stop") +
      chat.usage(7, 5, { cached: 3, reasoning: 2 }) + chat.done(),
    broken: (code) => event({ error: { code, message: "no" } }),
    whole: chat.says,
  },
  {
    api: "responses",
    path: "/v1/responses",
    begin: responses.created(),
    text: (delta) => responses.textDelta(0, delta),
    refusal: (delta) => responses.refusalDelta(0, delta),
    thought: (delta) => responses.summaryDelta(9, 0, delta),
    call: (at, id, name) => responses.callAdded(at + 1, id, name),
    typed: (at, delta) => responses.argumentsDelta(at + 1, delta),
    end: () => responses.completed(),
    cut: {
      length: responses.incomplete("max_output_tokens"),
      filter: responses.incomplete("content_filter"),
    },
    spent: responses.completed({
      usage: responses.figures(7, 5, { cached: 3, reasoning: 2 }),
    }),
    broken: (code) => responses.failed({ code, message: "no" }),
    whole: responses.responds,
  },
];
