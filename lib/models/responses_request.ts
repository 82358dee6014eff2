/**
 * Our conversation in the words of the Responses API. Nothing is stored at the
 * provider: every request tells the whole conversation (`previous_response_id`
 * is not needed), and reasoning comes and goes encrypted.
 *
 * @module
 */
import type {
  FunctionTool,
  ResponseCreateParamsStreaming as Params,
  ResponseInputContent as Content,
  ResponseInputItem as InputItem,
} from "openai/resources/responses/responses";
import type { ModelMessage, ModelRequest } from "../agent/contracts.ts";
import type { Prepared } from "./dialect.ts";
import { type Dispensable, dispensableImages, seen } from "./refusals.ts";
import { again } from "./responses_carry.ts";

/** A streaming request, less what this server or model refused. */
export function responsesRequest(
  model: string,
  request: ModelRequest,
  without: ReadonlySet<string>,
): Prepared {
  const body = bodyOf(model, request, without);
  return {
    send: (client, signal) =>
      client.responses.create(body, { signal }).asResponse(),
    dispensable: dispensable(request, body, without),
  };
}

function bodyOf(
  model: string,
  { messages, tools, temperature }: ModelRequest,
  without: ReadonlySet<string>,
): Params {
  const [first, ...others] = messages;
  const instructed = first?.role === "system";
  return {
    model,
    ...(instructed ? { instructions: first.text.toWellFormed() } : {}),
    input: (instructed ? others : messages)
      .flatMap((message) => itemsOf(message, model, without)),
    stream: true,
    store: false,
    ...(without.has("include")
      ? {}
      : { include: ["reasoning.encrypted_content" as const] }),
    ...(without.has("reasoning") ? {} : { reasoning: { summary: "auto" } }),
    ...(without.has("temperature") ? {} : { temperature }),
    ...(tools.length === 0 ? {} : {
      tools: tools.map(({ name, description, parameters, strict }) => ({
        type: "function",
        name,
        description,
        parameters,
        // Also when it is not: strict is the default of this API.
        ...(without.has("strict") ? {} : { strict }),
      } as FunctionTool)),
    }),
  };
}

function itemsOf(
  from: ModelMessage,
  model: string,
  without: ReadonlySet<string>,
): InputItem[] {
  // Half a surrogate pair is no text a server can encode (X08).
  const text = from.text.toWellFormed();
  switch (from.role) {
    case "system":
      return [{ type: "message", role: "system", content: text }];
    case "user": {
      const { text: said, images } = seen({ ...from, text }, without);
      const content: Content[] = images.map((image_url) => ({
        type: "input_image",
        detail: "auto",
        image_url,
      }));
      if (said !== "" || images.length === 0) {
        content.unshift({ type: "input_text", text: said });
      }
      return [{ type: "message", role: "user", content }];
    }
    case "tool":
      return [{
        type: "function_call_output",
        call_id: from.toolCallId,
        output: text,
      }];
    case "assistant":
      return again(from, { model, withReasoning: !without.has("carry") })
        .map((item): InputItem => {
          switch (item.type) {
            case "reasoning":
              return item.item as unknown as InputItem;
            case "text":
              // Without an id: it would name something stored at the provider.
              return {
                type: "message",
                role: "assistant",
                content: [{
                  type: "output_text",
                  text: item.text.toWellFormed(),
                }],
                ...(item.phase === undefined ? {} : { phase: item.phase }),
              } as InputItem;
            case "call": {
              const { id, name, arguments: args } = from.toolCalls[item.at]!;
              return {
                type: "function_call",
                call_id: id,
                name,
                arguments: args,
              };
            }
          }
        });
  }
}

function dispensable(
  request: ModelRequest,
  body: Params,
  without: ReadonlySet<string>,
): Dispensable[] {
  const input = body.input as InputItem[];
  return [
    ...dispensableImages(request, without),
    {
      // Of another key, spoiled, or not known to a server that stores nothing.
      name: "carry",
      sent: input.some(({ type }) => type === "reasoning"),
      named:
        /encrypted[ _]content|input\[\d+\]|\brs_|type '?reasoning|item .{0,80}not found/i,
      statuses: [400, 404, 422],
      lasting: false,
    },
    {
      name: "include",
      sent: "include" in body,
      named: /^include\b|["'`]include\b|encrypted[ _]content/i,
    },
    {
      name: "strict",
      sent: body.tools !== undefined && !without.has("strict"),
      // The code is what a schema gets that is not strict enough.
      named: /\bstrict\b|invalid_function_parameters/,
    },
    {
      name: "temperature",
      sent: "temperature" in body,
      named: /temperature/,
    },
    {
      name: "reasoning",
      sent: "reasoning" in body,
      named: /\breasoning\b/i,
    },
  ];
}
