/**
 * Reading `POST /v1/chat/completions`: the newest user message is the question,
 * what was said before it is context, and nothing a client says about tools is
 * believed (case T03). What would change the answer's shape and is not there is
 * refused by name; hints about how to make it are ignored (docs/api.md).
 *
 * @module
 */
import * as z from "zod";
import { readJson } from "./body.ts";
import {
  checkedImages,
  MAX_BODY,
  MAX_VALUES,
  type SentImage,
} from "./images.ts";
import { HttpProblem } from "./problem.ts";

/** Most text of a request, question and context together, in UTF-16 units. */
const MAX_PROMPT = 1_000_000;
const MAX_MESSAGES = 2_000;

const part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  refusal: z.string().optional(),
  image_url: z.looseObject({ url: z.string() }).optional(),
});

const message = z.looseObject({
  role: z.enum([
    "system",
    "developer",
    "user",
    "assistant",
    "tool",
    "function",
  ]),
  content: z.union([z.string(), z.array(part)]).nullish(),
});

const body = z.looseObject({
  model: z.string().min(1).max(200),
  messages: z.array(message).min(1).max(MAX_MESSAGES),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() })
    .nullish(),
  temperature: z.number().min(0).max(2).nullish(),
});

type Message = z.output<typeof message>;

/** One thing said before the question. */
export interface Said {
  role: "system" | "user" | "assistant";
  text: string;
}

/** What a client asks for. */
export interface CompletionRequest {
  model: string;
  text: string;
  /** Data URLs. */
  images: string[];
  context: Said[];
  temperature?: number;
  stream: boolean;
  includeUsage: boolean;
}

const OWN_TOOLS = "the server runs its own tools, and hides them";
const ONE_ANSWER = "there is one answer, as text";

/** Parameter → whether its value asks for what is not there, and why. */
const REFUSED: Record<string, [(value: unknown) => boolean, string]> = {
  n: [(value) => value !== 1, ONE_ANSWER],
  tools: [isFilled, OWN_TOOLS],
  functions: [isFilled, OWN_TOOLS],
  tool_choice: [isOrder, OWN_TOOLS],
  function_call: [isOrder, OWN_TOOLS],
  web_search_options: [isFilled, OWN_TOOLS],
  response_format: [(value) => fieldOf(value, "type") !== "text", ONE_ANSWER],
  modalities: [isMoreThanText, ONE_ANSWER],
  audio: [isFilled, ONE_ANSWER],
  stop: [isFilled, "answers are not cut"],
  logit_bias: [isFilled, "models are asked without it"],
  logprobs: [(value) => value !== false, "they are not passed on"],
  top_logprobs: [(value) => value !== 0, "they are not passed on"],
};

/**
 * Reads and checks the body.
 *
 * @throws {HttpProblem} 400 naming the parameter, 413 above the limits.
 */
export async function readCompletion(req: Request): Promise<CompletionRequest> {
  const asked = await readJson(req, body, {
    limit: MAX_BODY,
    values: MAX_VALUES,
  });
  for (const [param, [isRefused, why]] of Object.entries(REFUSED)) {
    const value = asked[param];
    if (value === undefined || value === null || !isRefused(value)) continue;
    throw refusal(
      "unsupported_parameter",
      `"${param}" asks for what is not supported: ${why}.`,
      param,
    );
  }
  return {
    model: asked.model,
    ...conversation(asked.messages),
    ...(asked.temperature === null || asked.temperature === undefined
      ? {}
      : { temperature: asked.temperature }),
    stream: asked.stream ?? false,
    includeUsage: asked.stream_options?.include_usage ?? false,
  };
}

function conversation(
  messages: Message[],
): Pick<CompletionRequest, "text" | "images" | "context"> {
  const newest = messages.findLastIndex(({ role }) => role === "user");
  if (newest < 0) {
    throw refusal("no_question", "There is no user message.", "messages");
  }
  const context: Said[] = [];
  let question = { text: "", images: [] as SentImage[] };
  let length = 0;
  messages.forEach((message, at) => {
    const role = roleOf(message.role);
    // Behind the question there is only a client's own tool work.
    if (role === null || (at > newest && role !== "system")) return;
    const said = contentOf(message, `messages[${at}].content`);
    length += said.text.length;
    if (at === newest) {
      question = said;
      return;
    }
    const text = said.images.length > 0
      ? `${said.text}\n[image]`.trim()
      : said.text;
    if (text.trim() !== "") context.push({ role, text });
  });
  if (length > MAX_PROMPT) {
    throw refusal(
      "context_length_exceeded",
      `The messages have over ${MAX_PROMPT} characters of text.`,
      "messages",
    );
  }
  if (question.text.trim() === "" && question.images.length === 0) {
    throw refusal(
      "no_question",
      "The newest user message is empty.",
      `messages[${newest}].content`,
    );
  }
  return {
    text: question.text,
    images: checkedImages(question.images),
    context,
  };
}

/** Whose words they are; null for what tools are said to have answered. */
function roleOf(role: Message["role"]): Said["role"] | null {
  switch (role) {
    case "tool":
    case "function":
      return null;
    case "developer":
      return "system";
    default:
      return role;
  }
}

function contentOf(
  { content, role }: Message,
  param: string,
): { text: string; images: SentImage[] } {
  if (typeof content === "string") return { text: content, images: [] };
  const texts: string[] = [];
  const images: SentImage[] = [];
  (content ?? []).forEach((part, at) => {
    const where = `${param}[${at}]`;
    const text = part.type === "refusal" ? part.refusal : part.text;
    if (part.type === "image_url" && role === "user" && part.image_url) {
      images.push({ url: part.image_url.url, param: `${where}.image_url.url` });
    } else if (["text", "refusal"].includes(part.type) && text !== undefined) {
      texts.push(text);
    } else {
      throw refusal(
        "unsupported_content",
        "Content must be text, or in user messages image_url.",
        where,
      );
    }
  });
  return { text: texts.join("\n"), images };
}

/** Not an empty list, string or object. */
function isFilled(value: unknown): boolean {
  if (typeof value === "string") return value !== "";
  return typeof value !== "object" || Object.keys(value!).length > 0;
}

/** Anything but `"text"` or `["text"]`. */
function isMoreThanText(value: unknown): boolean {
  return [value].flat().some((kind) => kind !== "text");
}

/** Names a tool that must be called. */
function isOrder(value: unknown): boolean {
  return value !== "none" && value !== "auto";
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Reflect.get(value, name)
    : undefined;
}

function refusal(code: string, detail: string, param: string): HttpProblem {
  return new HttpProblem(400, code, detail, { members: { param } });
}
