/**
 * Reading `POST /api/chat`, the body of AI SDK's `DefaultChatTransport`. Only the
 * newest user message is asked: the history, approvals and tool results a client
 * sends along are its own business (case T03), but for one thing, which of our
 * turns the message is.
 *
 * @module
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { readJson } from "./body.ts";
import {
  checkedImages,
  MAX_BODY,
  MAX_VALUES,
  type SentImage,
} from "./images.ts";
import { HttpProblem } from "./problem.ts";
import { MAX_TEXT } from "./requests.ts";

const message = z.looseObject({
  id: z.string().max(200).nullish(),
  role: z.string(),
  parts: z.array(z.unknown()).nullish(),
});

const textPart = z.looseObject({ type: z.literal("text"), text: z.string() });
const filePart = z.looseObject({ type: z.literal("file"), url: z.string() });

const body = z.looseObject({
  id: z.string().min(1).max(200),
  messages: z.array(message).min(1),
  trigger: z.enum(["submit-message", "regenerate-message"]).nullish(),
  messageId: z.string().max(200).nullish(),
});

/** A message of the history a client shows, as far as it is looked at. */
export interface ShownMessage {
  id: string | null;
  role: string;
  text: string;
}

/** What a client asks. */
export interface ChatPost {
  /** The chat's id as the client made it up. */
  chat: string;
  text: string;
  /** Data URLs. */
  images: string[];
  /** The client's id of the question, if it has one. */
  question: string | null;
  /**
   * `edit`: the question stands in the place of one that was asked before.
   * `again`: its answer is to be given anew.
   */
  asks: "new" | "edit" | "again";
  /** The answer to be given anew, where the client says which. */
  answer: string | null;
  /** What the client shows before the question: tells its place, nothing else. */
  before: ShownMessage[];
}

/**
 * Reads and checks the body.
 *
 * @throws {HttpProblem} 400 or 413, naming the field.
 */
export async function readChatPost(req: Request): Promise<ChatPost> {
  const { id, messages, trigger, messageId } = await readJson(req, body, {
    limit: MAX_BODY,
    values: MAX_VALUES,
    history: true,
  });
  const at = messages.findLastIndex(({ role }) => role === "user");
  const newest = messages[at];
  if (newest === undefined) {
    throw refusal("no_question", "There is no user message.", "messages");
  }
  const param = `messages.${at}.parts`;
  const images: SentImage[] = [];
  (newest.parts ?? []).forEach((part, index) => {
    const file = filePart.safeParse(part);
    if (file.success) {
      images.push({ url: file.data.url, param: `${param}.${index}.url` });
    }
  });
  const text = textOf(newest);
  if (text.trim() === "" && images.length === 0) {
    throw refusal("no_question", "The newest user message is empty.", param);
  }
  if (text.length > MAX_TEXT) {
    throw refusal(
      "field_too_large",
      `A question may have ${MAX_TEXT} characters.`,
      param,
    );
  }
  return {
    chat: id,
    text,
    images: checkedImages(images),
    question: newest.id ?? null,
    ...askedAs(trigger ?? null, messageId ?? null, newest.id ?? null),
    before: messages.slice(0, at).map((message) => ({
      id: message.id ?? null,
      role: message.role,
      text: message.role === "user" ? textOf(message) : "",
    })),
  };
}

function textOf({ parts }: z.output<typeof message>): string {
  return (parts ?? []).flatMap((part) => {
    const text = textPart.safeParse(part);
    return text.success ? [text.data.text] : [];
  }).join("\n");
}

/**
 * @param target What the client wants to have anew. Where it only sends on, as
 * after a tool's result, that is an answer, and the question is no other.
 */
function askedAs(
  trigger: string | null,
  target: string | null,
  question: string | null,
): Pick<ChatPost, "asks" | "answer"> {
  if (trigger === "regenerate-message") {
    return { asks: "again", answer: target };
  }
  const edited = target !== null && target === question;
  return { asks: edited ? "edit" : "new", answer: null };
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * The id under which this owner's chat of a foreign name is kept here: always the
 * same, and another one for everybody else.
 */
export function chatIdFor(owner: string, foreign: string): string {
  const hash = createHash("sha256").update(JSON.stringify([owner, foreign]))
    .digest();
  let id = "c_";
  for (const byte of hash.subarray(0, 26)) id += ALPHABET[byte & 31];
  return id;
}

/**
 * The idempotency key of a question: a body sent twice, by a browser or a proxy
 * that tries again, asks once; a message edited under its old id asks again.
 */
export function questionKey(
  post: ChatPost,
  chat: string,
): string | undefined {
  if (post.question === null) return undefined;
  const asked = [chat, post.question, post.text, post.images];
  return `ui:${
    createHash("sha256").update(JSON.stringify(asked)).digest("hex")
  }`;
}

function refusal(code: string, detail: string, field: string): HttpProblem {
  return new HttpProblem(400, code, detail, { members: { field } });
}
