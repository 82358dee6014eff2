/**
 * Who may see what. On loopback there is one person, whoever asks; in public
 * every browser is its own anonymous visitor, known by a random cookie.
 *
 * @module
 */
import { getCookies, setCookie } from "@std/http/cookie";

export type AccessMode = "loopback" | "public";

/** Whose request this is, and the cookie to set if the visitor is new. */
export interface Visitor {
  owner: string;
  setCookie: string | null;
}

/** The request's cookies; a header that is none has none. */
export function readCookies(req: Request): Partial<Record<string, string>> {
  try {
    return getCookies(req.headers);
  } catch {
    // `getCookies` throws on a header like "a=1;".
    return {};
  }
}

const COOKIE = "tt_visitor";
const YEAR_S = 365 * 24 * 3600;
const VISITOR = /^[0-9a-f]{32}$/;

/**
 * Finds out whose request this is.
 *
 * @param secure Whether the page is served over https, so that the cookie may be
 * bound to it (`__Host-`, case A07).
 */
export function identify(
  req: Request,
  mode: AccessMode,
  secure: boolean,
): Visitor {
  if (mode === "loopback") return { owner: "local", setCookie: null };
  const name = secure ? `__Host-${COOKIE}` : COOKIE;
  const known = readCookies(req)[name];
  if (known !== undefined && VISITOR.test(known)) {
    return { owner: `visitor:${known}`, setCookie: null };
  }
  const id = crypto.randomUUID().replaceAll("-", "");
  const headers = new Headers();
  setCookie(headers, {
    name,
    value: id,
    path: "/",
    httpOnly: true,
    secure,
    sameSite: "Lax",
    maxAge: YEAR_S,
  });
  return { owner: `visitor:${id}`, setCookie: headers.get("set-cookie") };
}
