/**
 * Our conversation in the words of the Chat Completions API.
 *
 * @module
 */
import type {
  ChatCompletionCreateParamsStreaming as Params,
  ChatCompletionMessageParam as Message,
} from "openai/resources/chat/completions";
import type { ModelMessage, ModelRequest } from "../agent/contracts.ts";
import { providerError } from "./upstream_errors.ts";

/** Fields some servers and models refuse; the answer is as good without them. */
const OPTIONAL = ["stream_options", "temperature"] as const;
export type OptionalField = typeof OPTIONAL[number];

/** The body of a streaming request, less the fields this server refused. */
export function requestBody(
  model: string,
  request: ModelRequest,
  refused: ReadonlySet<OptionalField>,
): Params {
  return {
    model,
    messages: request.messages.map(message),
    stream: true,
    ...(request.tools.length === 0 ? {} : {
      tools: request.tools.map(({ name, description, parameters }) => ({
        type: "function" as const,
        function: { name, description, parameters },
      })),
    }),
    ...(refused.has("temperature") ? {} : { temperature: request.temperature }),
    ...(refused.has("stream_options")
      ? {}
      : { stream_options: { include_usage: true } }),
  };
}

function message(from: ModelMessage): Message {
  // Half a surrogate pair, from a model or a cut, is no text a server can
  // encode: it would refuse the whole conversation from then on (X08).
  const text = from.text.toWellFormed();
  switch (from.role) {
    case "tool":
      return {
        role: "tool",
        tool_call_id: from.toolCallId,
        content: text,
      };
    case "assistant":
      if (from.toolCalls.length === 0) {
        return { role: "assistant", content: text };
      }
      return {
        role: "assistant",
        content: text === "" ? null : text,
        tool_calls: from.toolCalls.map(({ id, name, arguments: args }) => ({
          id,
          type: "function",
          function: { name, arguments: args },
        })),
      };
    default:
      return { role: from.role, content: text };
  }
}

/**
 * The optional field a 400 (or FastAPI's 422) complains about by name, if this
 * request carried it.
 */
export function refusedField(
  status: number,
  error: unknown,
  sent: Params,
): OptionalField | undefined {
  if (status !== 400 && status !== 422) return undefined;
  const { param, message } = providerError(error);
  return OPTIONAL.find((field) =>
    field in sent && (param === field || message.includes(field))
  );
}
