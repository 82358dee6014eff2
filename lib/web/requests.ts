/**
 * The shapes of what clients send, checked at the door.
 *
 * @module
 */
import * as z from "zod";
import { isChatId } from "../chat/ids.ts";

/** Longest question, in UTF-16 units. */
export const MAX_TEXT = 32_000;
/** Longest question in a URL (protocol 2.6). */
export const MAX_QUESTION = 2_000;

const text = z.string()
  .max(MAX_TEXT, `text is longer than ${MAX_TEXT} characters`)
  .refine((value) => value.trim() !== "", "text is empty");

/** `POST /api/runs` (protocol 2.1). */
export const startRequest = z.object({
  text,
  chat_id: z.string().refine(isChatId, "chat_id is no chat id").nullish(),
  idempotency_key: z.string()
    .regex(/^[\x21-\x7e]{1,200}$/, "use 1 to 200 visible ASCII characters")
    .nullish(),
});

/** `POST /ask`, the form of pages without scripts. */
export const askForm = z.object({
  text,
  chat_id: z.string().refine(isChatId, "chat_id is no chat id").optional(),
});
