/**
 * The shapes of what clients send, checked at the door.
 *
 * @module
 */
import * as z from "zod";
import { isChatId, isMessageId, isRunId } from "../chat/ids.ts";
import { MAX_SYSTEM } from "../chat/settings.ts";
import { IDEMPOTENCY_KEY, KEY_RULE } from "./idempotency.ts";

/** Longest question, in UTF-16 units. */
export const MAX_TEXT = 32_000;
/** Longest question in a URL (protocol 2.6). */
export const MAX_QUESTION = 2_000;

const text = z.string()
  .max(MAX_TEXT, `text is longer than ${MAX_TEXT} characters`)
  .refine((value) => value.trim() !== "", "text is empty");

/** `PUT /api/chats/{chat}/settings`, and those of a new chat. */
export const chatSettings = z.strictObject({
  model: z.string().min(1).max(256).optional(),
  temperature: z.number().min(0).max(2).optional(),
  system: z.string()
    .max(MAX_SYSTEM, `at most ${MAX_SYSTEM} characters`)
    .optional(),
});

/** `POST /api/runs/{run}/approvals/{id}`: what the person says (threat 15). */
export const decideRequest = z.strictObject({
  decision: z.enum(["once", "chat", "denied"]),
});

const chatId = z.string().refine(isChatId, "chat_id is no chat id");
const runId = z.string().refine(isRunId, "it is no run id");
const key = z.string().regex(IDEMPOTENCY_KEY, KEY_RULE);

/**
 * `POST /api/runs` (protocol 2.1). What stands in the place of a run of the chat
 * may do without a text of its own.
 */
export const startRequest = z.object({
  text: text.nullish(),
  chat_id: chatId.nullish(),
  idempotency_key: key.nullish(),
  /** Looked at by `checkedImages`, as on every door. */
  images: z.array(z.string()).nullish(),
  settings: chatSettings.nullish(),
  replaces: runId.nullish(),
  continues: runId.nullish(),
  queue: z.boolean().nullish(),
}).superRefine((body, complain) => {
  const missing = (field: string) =>
    complain.addIssue({
      code: "invalid_type",
      expected: "string",
      path: [field],
    });
  const place = body.replaces ?? body.continues;
  if (place == null) {
    if (body.text == null) missing("text");
  } else if (body.chat_id == null) missing("chat_id");
  if (body.replaces != null && body.continues != null) {
    complain.addIssue({
      code: "custom",
      message: "an answer is either replaced or gone on with",
      path: ["continues"],
    });
  }
});

/** `POST /ask`, the form of pages without scripts. */
export const askForm = z.object({
  text,
  chat_id: chatId.optional(),
  /** Drawn into the form anew with every page. */
  idempotency_key: key.or(z.literal("")).optional(),
});

/** `PUT /api/chats/{chat}/shown`: a version, by its run. */
export const shownRequest = z.strictObject({ run: runId });

/** `PUT /api/chats/{chat}/queue`: every waiting message, the next one first. */
export const orderRequest = z.strictObject({
  order: z.array(z.string().refine(isMessageId, "it is no message id"))
    .max(100),
});
