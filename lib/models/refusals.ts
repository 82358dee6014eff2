/**
 * What a provider refuses although the answer is as good, or nearly, without it.
 * Servers and models differ in the fields they know, and say so only when asked;
 * what was refused is left out from then on.
 *
 * @module
 */
import type { ModelRequest } from "../agent/contracts.ts";
import { providerError } from "./upstream_errors.ts";

/** One thing a request can do without. */
export interface Dispensable {
  name: string;
  /** Whether the request has it. */
  sent: boolean;
  /** How an error speaks of it, in `param` or in words. */
  named: RegExp;
  /** Never the one complained of by these words. */
  unless?: RegExp;
  /** Statuses that may mean it; 400 and (FastAPI) 422 unless said otherwise. */
  statuses?: readonly number[];
  /** False if it was only this request that could not have it. */
  lasting?: boolean;
}

/** What a refusal is about, if the request can do without it. */
export function refusedOf(
  dispensable: Dispensable[],
  status: number,
  error: unknown,
): Dispensable | undefined {
  const { param, code, message } = providerError(error);
  // Proxies wrap the provider's own words.
  const words = [message, code, JSON.stringify(error)].join(" ");
  const candidates = dispensable.filter(({ sent, statuses, unless }) =>
    sent && (statuses ?? [400, 422]).includes(status) && !unless?.test(words)
  );
  // The parameter is meant, whatever else the words mention.
  const meant = candidates.find(({ named }) => named.test(param ?? ""));
  return meant ?? candidates.find(({ named }) => named.test(words));
}

/** A server that takes no images says so with any of these. */
const STATUSES_OF_IMAGES = [400, 404, 415, 422, 500, 501];

const SPEAKS_OF_IMAGES =
  /image|\bvision|multi-?modal|content[ _]type|content\b.{0,60}\bstring\b/i;

/** It is the image that is wrong, not the model that is blind. */
const BAD_IMAGE =
  /valid[ _](?:base64[ _])?image|unsupported image(?! input)|(?:decode|load|process|identify|download|too many)\b[^."]{0,20}\bimage|image[^."]{0,40}(?:base64|data|exceed|file|format|parse|size|too (?:big|large))/i;

/** What stands where an image was, so that the model can say so. */
const BLIND = "[An image was attached here; this model cannot see images.]";
const UNREADABLE =
  "[An image was attached here; the model's provider could not read it.]";

/** The images of a request, as something it can do without. */
export function dispensableImages(
  { messages }: ModelRequest,
  without: ReadonlySet<string>,
): Dispensable[] {
  const sent = !leftOut(without) &&
    messages.some((message) =>
      message.role === "user" && message.images !== undefined &&
      message.images.length > 0
    );
  const common = { sent, statuses: STATUSES_OF_IMAGES };
  return [
    { ...common, name: "bad images", named: BAD_IMAGE, lasting: false },
    { ...common, name: "images", named: SPEAKS_OF_IMAGES, unless: BAD_IMAGE },
  ];
}

function leftOut(without: ReadonlySet<string>): string | undefined {
  if (without.has("images")) return BLIND;
  return without.has("bad images") ? UNREADABLE : undefined;
}

/** A question's text and images, or the text with a note for each image. */
export function seen(
  { text, images = [] }: { text: string; images?: string[] },
  without: ReadonlySet<string>,
): { text: string; images: string[] } {
  const note = leftOut(without);
  if (note === undefined || images.length === 0) return { text, images };
  const notes = images.map(() => note).join("\n");
  return { text: text === "" ? notes : `${text}\n\n${notes}`, images: [] };
}
