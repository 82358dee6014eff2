/**
 * The shapes of what clients send, checked at the door.
 *
 * @module
 */
import * as z from "zod";
import { isChatId } from "../chat/ids.ts";
import { MAX_SYSTEM } from "../chat/settings.ts";

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

/** `POST /api/runs` (protocol 2.1). */
export const startRequest = z.object({
  text,
  chat_id: z.string().refine(isChatId, "chat_id is no chat id").nullish(),
  idempotency_key: z.string()
    .regex(/^[\x21-\x7e]{1,200}$/, "use 1 to 200 visible ASCII characters")
    .nullish(),
  /** Looked at by `checkedImages`, as on every door. */
  images: z.array(z.string()).nullish(),
  settings: chatSettings.nullish(),
});

/** `POST /ask`, the form of pages without scripts. */
export const askForm = z.object({
  text,
  chat_id: z.string().refine(isChatId, "chat_id is no chat id").optional(),
});
