/**
 * The Chat Completions wire, server side: what may be asked, how answers, chunks
 * and errors are written. Checked as strictly as the real provider does, so that
 * a history it would refuse is refused here too.
 *
 * @module
 */
import * as z from "zod";
import { pieces } from "./typing.ts";
import type { Plan, Refusal } from "./plan.ts";

/** The demo model's name; a scenario may follow behind a colon. */
export const MODEL = "tickertape-demo";

const textPart = z.object({ type: z.literal("text"), text: z.string() });
const content = z.union([z.string(), z.array(textPart)]).transform((value) =>
  typeof value === "string" ? value : value.map((part) => part.text).join("")
);
const toolCall = z.object({
  id: z.string().min(1),
  type: z.literal("function"),
  function: z.object({ name: z.string().min(1), arguments: z.string() }),
});
const message = z.discriminatedUnion("role", [
  z.object({ role: z.enum(["system", "developer", "user"]), content }),
  z.object({
    role: z.literal("assistant"),
    content: content.nullish().transform((text) => text ?? ""),
    tool_calls: z.array(toolCall).min(1).optional(),
  }),
  z.object({ role: z.literal("tool"), tool_call_id: z.string(), content }),
]);
const tool = z.object({
  type: z.literal("function"),
  function: z.object({
    name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
  }),
});
const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.object({
    type: z.literal("function"),
    function: z.object({ name: z.string() }),
  }),
]);

const requestSchema = z.object({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  tools: z.array(tool).optional(),
  tool_choice: toolChoice.optional(),
  temperature: z.number().min(0).max(2).nullish(),
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  n: z.literal(1).nullish(),
});

export type ChatRequest = z.infer<typeof requestSchema>;
export type Message = ChatRequest["messages"][number];

/** The provider's error object, and the status it travels with. */
export class WireError extends Error {
  override name = "WireError";
  constructor(
    readonly status: number,
    message: string,
    readonly options: {
      type?: string;
      code?: string | null;
      param?: string | null;
      headers?: Record<string, string>;
    } = {},
  ) {
    super(message);
  }

  /** The response a provider would send. */
  refusal(): Refusal {
    const { type = "invalid_request_error", code = null, param = null } =
      this.options;
    return {
      status: this.status,
      headers: { "content-type": "application/json", ...this.options.headers },
      body: JSON.stringify({
        error: { message: this.message, type, param, code },
      }),
    };
  }
}

/**
 * Reads a request body.
 *
 * @throws WireError 400 with the parameter that is wrong.
 */
export function parseRequest(body: unknown): ChatRequest {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const param = issue.path.map(String).join(".") || null;
    throw new WireError(
      400,
      `Invalid value for '${param ?? "body"}': ${issue.message}`,
      { param },
    );
  }
  const request = parsed.data;
  if (request.stream_options && request.stream !== true) {
    throw new WireError(
      400,
      "'stream_options' is only allowed when 'stream' is true.",
      { param: "stream_options" },
    );
  }
  checkToolMessages(request.messages);
  return request;
}

/** Every call must be answered right behind it, and nothing else may be. */
function checkToolMessages(messages: Message[]): void {
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const param = `messages.[${index}].role`;
    if (message.role === "tool") {
      if (!open.delete(message.tool_call_id)) {
        throw new WireError(
          400,
          `Messages with role 'tool' must answer a call of the preceding message with 'tool_calls': "${message.tool_call_id}" does not.`,
          { param },
        );
      }
      continue;
    }
    if (open.size > 0) throw unanswered(open, param);
    if (message.role === "assistant") {
      open = new Set(message.tool_calls?.map((call) => call.id));
    }
  }
  if (open.size > 0) throw unanswered(open, "messages");
}

function unanswered(open: Set<string>, param: string): WireError {
  return new WireError(
    400,
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. These have no answer: ${
      [...open].join(", ")
    }`,
    { param },
  );
}

interface Tokens {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  completion_tokens_details: { reasoning_tokens: number };
}

/** Counts tokens the way the demo cuts them. */
export function countTokens(request: ChatRequest, plan: Plan): Tokens {
  const prompt = request.messages.reduce(
    (sum, message) => sum + 4 + pieces(message.content).length,
    0,
  );
  const args = plan.calls.reduce(
    (sum, call) => sum + 1 + call.fragments.length,
    0,
  );
  const completion = plan.reasoning.length + plan.text.length + args;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    completion_tokens_details: { reasoning_tokens: plan.reasoning.length },
  };
}

/** A whole answer, for `stream: false`. */
export function completion(
  request: ChatRequest,
  plan: Plan,
  created: Date,
): string {
  const calls = plan.calls.map((call) => ({
    id: newId("call_"),
    type: "function",
    function: { name: call.name, arguments: call.fragments.join("") },
  }));
  const reasoning = plan.reasoning.join("");
  return JSON.stringify({
    id: newId("chatcmpl-"),
    object: "chat.completion",
    created: seconds(created),
    model: request.model,
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: plan.text.length > 0 ? plan.text.join("") : null,
        ...(reasoning && { reasoning_content: reasoning }),
        ...(calls.length > 0 && { tool_calls: calls }),
      },
      logprobs: null,
      finish_reason: plan.finish,
    }],
    usage: countTokens(request, plan),
  });
}

/** What a stream does instead of a frame. */
export const STALL = Symbol("stall");
export const CUT = Symbol("cut");
export type Frame = string | typeof STALL | typeof CUT;

/** A streamed answer, frame by frame, with the plan's fault where it belongs. */
export function* frames(
  request: ChatRequest,
  plan: Plan,
  created: Date,
): Generator<Frame> {
  const usage = request.stream_options?.include_usage === true;
  const head = `data: {"id":"${
    newId("chatcmpl-")
  }","object":"chat.completion.chunk","created":${seconds(created)},"model":${
    JSON.stringify(request.model)
  },`;
  const tail = usage ? `,"usage":null}\n\n` : "}\n\n";
  const chunk = (delta: unknown, finish: string | null = null) =>
    `${head}"choices":[{"index":0,"delta":${
      JSON.stringify(delta)
    },"logprobs":null,"finish_reason":${JSON.stringify(finish)}}]${tail}`;

  yield chunk({ role: "assistant", content: "" });
  let sent = 0;
  for (const delta of deltas(plan)) {
    if (sent === plan.fault?.after) break;
    yield chunk(delta);
    sent++;
  }
  switch (plan.fault?.kind) {
    case "stall":
      yield STALL;
      return;
    case "cut":
      yield CUT;
      return;
    case "truncated":
      return;
    case "malformed":
      yield `data: {oops\n\n`;
      yield `data: [DONE]\n\n`;
      return;
  }
  yield chunk({}, plan.finish);
  if (usage) {
    yield `${head}"choices":[],"usage":${
      JSON.stringify(countTokens(request, plan))
    }}\n\n`;
  }
  yield "data: [DONE]\n\n";
}

function* deltas(plan: Plan): Generator<unknown> {
  for (const piece of plan.reasoning) yield { reasoning_content: piece };
  for (const piece of plan.text) yield { content: piece };
  for (const [index, call] of plan.calls.entries()) {
    yield {
      tool_calls: [{
        index,
        id: newId("call_"),
        type: "function",
        function: { name: call.name, arguments: "" },
      }],
    };
    for (const piece of call.fragments) {
      yield { tool_calls: [{ index, function: { arguments: piece } }] };
    }
  }
}

/** A whole answer as frames: one, or half of it and then the plan's fault. */
export function* wholeFrames(plan: Plan, body: string): Generator<Frame> {
  if (plan.fault === undefined) return yield body;
  yield body.slice(0, Math.floor(body.length / 2));
  if (plan.fault.kind === "stall") yield STALL;
  if (plan.fault.kind === "cut") yield CUT;
}

function newId(prefix: string): string {
  return prefix + crypto.randomUUID().replaceAll("-", "").slice(0, 24);
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
