/**
 * Images in what programs send: the same limits whichever interface they use.
 *
 * @module
 */
import { IMAGE_URL, MAX_IMAGE, MAX_IMAGES } from "../chat/settings.ts";
import { HttpProblem } from "./problem.ts";

/** Bytes of a body with all the images one question may have, and its text. */
export const MAX_BODY = MAX_IMAGES * MAX_IMAGE + (4 << 20);
/** Values in such a body: clients send along the whole chat they show. */
export const MAX_VALUES = 200_000;

/** Whether it is an image's data URL whose base64 can be read again. */
export function isImageUrl(url: string): boolean {
  if (!IMAGE_URL.test(url)) return false;
  const rest = (url.length - url.indexOf(",") - 1) % 4;
  return url.endsWith("=") ? rest === 0 : rest !== 1;
}

/** An image as a client sent it, and where in the body it was. */
export interface SentImage {
  url: string;
  param: string;
}

/**
 * The images' data URLs, checked.
 *
 * @throws {HttpProblem} 400 naming the place. Addresses are never fetched: that
 * would send this server wherever a client wants (threat 1).
 */
export function checkedImages(images: readonly SentImage[]): string[] {
  const extra = images[MAX_IMAGES];
  if (extra !== undefined) {
    throw badImage(
      "too_many_images",
      `At most ${MAX_IMAGES} images go with one question.`,
      extra.param,
    );
  }
  return images.map(({ url, param }) => {
    if (!url.startsWith("data:")) {
      throw badImage(
        "remote_image",
        "Images must be sent as data URLs; addresses are not fetched.",
        param,
      );
    }
    if (url.length > MAX_IMAGE) {
      throw badImage(
        "image_too_large",
        `An image's data URL must have at most ${MAX_IMAGE} characters.`,
        param,
      );
    }
    if (!isImageUrl(url)) {
      throw badImage(
        "invalid_image",
        "An image must be a PNG, JPEG, WebP or GIF as a base64 data URL.",
        param,
      );
    }
    return url;
  });
}

function badImage(code: string, detail: string, param: string): HttpProblem {
  return new HttpProblem(400, code, detail, { members: { param } });
}
