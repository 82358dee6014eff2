/**
 * What a person chooses for one chat. Everything absent is the server's own.
 *
 * @module
 */

export interface ChatSettings {
  /** A model of `GET /api/models`. */
  model?: string;
  /** 0 to 2. */
  temperature?: number;
  /** Said to the model before the server's own instructions. */
  system?: string;
}

/** Longest system prompt of a chat, in UTF-16 units. */
export const MAX_SYSTEM = 8_000;
/** Most images with one question. */
export const MAX_IMAGES = 4;
/** Longest data URL of one image, in characters: about 3 MB of file. */
export const MAX_IMAGE = 4 << 20;
/** An image as the server takes it. */
export const IMAGE_URL =
  /^data:image\/(png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+={0,2}$/;
