/**
 * The path of a request, read once and strictly, so that the guard and either
 * host's router cannot understand it differently.
 *
 * @module
 */

export type Target =
  /** `path` is decoded. */
  | { path: string }
  | { refused: "too_long" | "malformed" };

/** Room for a question of 2,000 Chinese characters in a query (9 bytes each). */
const LONGEST = 32 * 1024;

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f]/;

/** The path of `url` as it was sent, without the query. */
export function rawPath(url: string): string {
  const rest = url.slice(url.indexOf("://") + 3);
  const slash = rest.search(/[/?#]/);
  return slash < 0 ? "/" : /^[^?#]*/.exec(rest.slice(slash))![0] || "/";
}

/**
 * One part of a path the guard let pass, decoded: routers leave `%3A` and others
 * as they are.
 *
 * @param at 1 is what follows the first slash.
 */
export function pathPart(url: string, at: number): string {
  return decodeURIComponent(rawPath(url).split("/")[at] ?? "");
}

/** Reads the path of `url` as `Deno.serve` gives it: the raw request target. */
export function readTarget(url: string): Target {
  if (url.length > LONGEST) return { refused: "too_long" };
  const raw = rawPath(url);
  // Encoded slashes and backslashes mean different paths to different readers.
  if (/%2f|%5c|\\/i.test(raw)) return { refused: "malformed" };
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch {
    // FR4: `%E0%A4%A` throws in the router.
    return { refused: "malformed" };
  }
  // `//host` in a redirect would be another site (E08); one host collapses
  // slashes, the other does not. Dot segments no client sends.
  if (!path.startsWith("/") || CONTROL.test(path) || path.includes("//")) {
    return { refused: "malformed" };
  }
  if (path.split("/").some((part) => part === "." || part === "..")) {
    return { refused: "malformed" };
  }
  return { path };
}
