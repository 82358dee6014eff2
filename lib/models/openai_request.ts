/**
 * Our conversation in the words of the Chat Completions API.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type {
  ChatCompletionContentPart as Part,
  ChatCompletionCreateParamsStreaming as Params,
  ChatCompletionMessageParam as Message,
} from "openai/resources/chat/completions";
import type { ModelMessage, ModelRequest } from "../agent/contracts.ts";
import { CARRIED, returned } from "./chat_carry.ts";
import type { Prepared } from "./dialect.ts";
import { type Dispensable, dispensableImages, seen } from "./refusals.ts";

/** Refused by those who want `reasoning_content` with every message. */
const SPARING = "reasoning_content only where it is new";

/** Refused by Mistral, which wants nine letters and digits. */
const ANY_IDS = "call ids of any kind";

/** A streaming request, less what this server or model refused. */
export function chatRequest(
  model: string,
  request: ModelRequest,
  without: ReadonlySet<string>,
): Prepared {
  const body = bodyOf(model, request, without);
  return {
    send: (client, signal) =>
      client.chat.completions.create(body, { signal }).asResponse(),
    dispensable: dispensable(request, body, without),
  };
}

function bodyOf(
  model: string,
  request: ModelRequest,
  without: ReadonlySet<string>,
): Params {
  const { messages } = request;
  const question = messages.findLastIndex(({ role }) => role === "user");
  return {
    model,
    messages: messages.map((message, at) =>
      messageOf(message, { model, without, current: at > question })
    ),
    stream: true,
    ...(request.tools.length === 0 ? {} : {
      tools: request.tools.map(({ name, description, parameters, strict }) => ({
        type: "function" as const,
        function: {
          name,
          description,
          parameters,
          ...(strict && !without.has("strict") ? { strict } : {}),
        },
      })),
    }),
    ...(without.has("temperature") ? {} : { temperature: request.temperature }),
    ...(without.has("stream_options")
      ? {}
      : { stream_options: { include_usage: true } }),
  };
}

function messageOf(
  from: ModelMessage,
  options: { model: string; without: ReadonlySet<string>; current: boolean },
): Message {
  // Half a surrogate pair, from a model or a cut, is no text a server can
  // encode: it would refuse the whole conversation from then on (X08).
  const text = from.text.toWellFormed();
  switch (from.role) {
    case "tool":
      return {
        role: "tool",
        tool_call_id: callId(from.toolCallId, options.without),
        content: text,
      };
    case "assistant": {
      const { without } = options;
      const back = returned(from, {
        ...options,
        everywhere: without.has(SPARING),
      });
      if (from.toolCalls.length === 0) {
        return { role: "assistant", content: text, ...back.message };
      }
      return {
        role: "assistant",
        content: text === "" ? null : text,
        ...back.message,
        tool_calls: from.toolCalls.map(({ id, name, arguments: args }, at) => ({
          id: callId(id, without),
          type: "function",
          function: { name, arguments: args },
          ...back.calls[at],
        })),
      };
    }
    case "user": {
      const { text: said, images } = seen({ ...from, text }, options.without);
      if (images.length === 0) return { role: "user", content: said };
      const parts: Part[] = images.map((url) => ({
        type: "image_url",
        image_url: { url },
      }));
      if (said !== "") parts.unshift({ type: "text", text: said });
      return { role: "user", content: parts };
    }
    case "system":
      return { role: "system", content: text };
  }
}

/** A call's id, the same for call and result, as this server takes it. */
function callId(id: string, without: ReadonlySet<string>): string {
  if (!without.has(ANY_IDS) || /^[a-zA-Z0-9]{9}$/.test(id)) return id;
  return createHash("sha256").update(id).digest("hex").slice(0, 9);
}

/** Says that a field is missing, which no leaving out can mend. */
const ASKS_FOR_REASONING =
  /reasoning_content\W[^.{}]{0,60}(?:passed back|missing)|(?:requires|missing) \W?reasoning_content/i;

function dispensable(
  request: ModelRequest,
  body: Params,
  without: ReadonlySet<string>,
): Dispensable[] {
  return [
    ...dispensableImages(request, without),
    {
      name: SPARING,
      sent: !without.has(SPARING) &&
        request.messages.some(({ role }) => role === "assistant"),
      named: ASKS_FOR_REASONING,
    },
    {
      name: ANY_IDS,
      sent: !without.has(ANY_IDS) &&
        request.messages.some(({ role }) => role === "tool"),
      named: /tool call id[^"]{0,80}\bmust be\b/i,
    },
    ...CARRIED.map((name) => ({
      name,
      sent: body.messages.some((message) => has(message, name)),
      named: new RegExp(name),
      unless: ASKS_FOR_REASONING,
    })),
    {
      name: "stream_options",
      sent: "stream_options" in body,
      named: /stream_options/,
    },
    {
      name: "strict",
      sent: request.tools.some(({ strict }) => strict) &&
        !without.has("strict"),
      // The code is what a schema gets that is not strict enough.
      named: /\bstrict\b|invalid_function_parameters/,
    },
    {
      name: "temperature",
      sent: "temperature" in body,
      named: /temperature/,
    },
  ];
}

/** Whether the message, or one of its calls, has this field. */
function has(message: Message, name: string): boolean {
  return name in message ||
    "tool_calls" in message &&
      message.tool_calls?.some((call) => name in call) === true;
}
