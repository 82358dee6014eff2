/**
 * Who may see what. On loopback there is one person, whoever asks; in public
 * every browser is its own anonymous visitor, known by a random cookie, and
 * every program that has a token is known by that.
 *
 * @module
 */
import { getCookies, setCookie } from "@std/http/cookie";
import type { Tokens } from "./tokens.ts";

export { type Notes, Tokens } from "./tokens.ts";

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

/** Whose request it is and how that is known; or a bearer token that is none. */
export type Caller =
  | Visitor & { by: "place" | "cookie" | "token" }
  | "refused";

export interface CallerOptions {
  mode: AccessMode;
  /** As for {@linkcode identify}. */
  secure: boolean;
  tokens: Tokens;
}

/**
 * Finds out who asks, by a bearer token where there is one. On loopback it is
 * the same person with or without one; and as long as no token was ever made
 * there any will do, because clients of OpenAI's interface have to send some key.
 */
export async function authenticate(
  req: Request,
  { mode, secure, tokens }: CallerOptions,
): Promise<Caller> {
  const bearer = /^Bearer(?: +(.*))?$/i.exec(
    req.headers.get("authorization") ?? "",
  );
  const loopback = mode === "loopback";
  if (bearer !== null) {
    const id = await tokens.find(bearer[1]?.trim() ?? "");
    if (id !== null) {
      const owner = loopback ? "local" : `token:${id}`;
      return { owner, setCookie: null, by: "token" };
    }
    if (!loopback || await tokens.any()) return "refused";
  }
  return { ...identify(req, mode, secure), by: loopback ? "place" : "cookie" };
}
