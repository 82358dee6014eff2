/**
 * The shapes of what clients send, checked at the door.
 *
 * @module
 */
import * as z from "zod";
import { isChatId } from "../chat/ids.ts";
import { MAX_IMAGE, MAX_IMAGES, MAX_SYSTEM } from "../chat/settings.ts";
import { isImageUrl } from "./images.ts";

/** Longest question, in UTF-16 units. */
export const MAX_TEXT = 32_000;
/** Longest question in a URL (protocol 2.6). */
export const MAX_QUESTION = 2_000;

const text = z.string()
  .max(MAX_TEXT, `text is longer than ${MAX_TEXT} characters`)
  .refine((value) => value.trim() !== "", "text is empty");

/** Data URLs of images, as many and as large as a question may bring. */
export const imageUrls = z.array(
  // Length first: the pattern need not read what is refused anyway.
  z.string().max(MAX_IMAGE, "an image may have about 3 MB").refine(
    isImageUrl,
    "an image is a data URL of PNG, JPEG, WebP or GIF",
  ),
).max(MAX_IMAGES, `at most ${MAX_IMAGES} images`);

/** Bytes of a request that may bring images. */
export const WITH_IMAGES = MAX_IMAGES * MAX_IMAGE + 256 * 1024;

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
  images: imageUrls.nullish(),
  settings: chatSettings.nullish(),
});

/** `POST /ask`, the form of pages without scripts. */
export const askForm = z.object({
  text,
  chat_id: z.string().refine(isChatId, "chat_id is no chat id").optional(),
});
