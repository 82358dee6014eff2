/**
 * What a client wants to be answered with.
 *
 * @module
 */
import { accepts } from "@std/http/negotiation";

/**
 * Whether the request names a media type in `Accept`.
 *
 * @param options.orAnything Count no `Accept` at all, and wildcards, as a yes.
 */
export function wants(
  req: Request,
  type: string,
  options: { orAnything?: boolean } = {},
): boolean {
  const header = req.headers.get("accept");
  if (options.orAnything) {
    return header === null || accepts(req, type) !== undefined;
  }
  // `*/*` is what every client sends; only the type by name is a wish.
  return header !== null && header.toLowerCase().includes(type);
}
