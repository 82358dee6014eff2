/**
 * The part of `@std/http/cookie` we use, for networks without JSR
 * (`deno.npm.json` maps the name here). Grammar: RFC 6265, section 4.1.1.
 *
 * @module
 */

export interface Cookie {
  name: string;
  value: string;
  expires?: Date | number;
  /** Seconds, 0 or more. */
  maxAge?: number;
  domain?: string;
  path?: string;
  secure?: boolean;
  httpOnly?: boolean;
  sameSite?: "Strict" | "Lax" | "None";
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z/]+$/;
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
const PATH = /^[\x20-\x3a\x3c-\x7e]*$/;

/**
 * The cookies of a request. No prototype, so `__proto__` is only a name.
 *
 * @throws {SyntaxError} when a pair has no name.
 */
export function getCookies(headers: Headers): Partial<Record<string, string>> {
  const cookies: Partial<Record<string, string>> = Object.create(null);
  const header = headers.get("Cookie");
  if (header === null) return cookies;
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    if (at === 0 || pair === "") {
      throw new SyntaxError("Cookie cannot start with '='");
    }
    const name = at < 0 ? pair : pair.slice(0, at);
    cookies[name.trim()] = at < 0 ? "" : pair.slice(at + 1);
  }
  return cookies;
}

/**
 * Adds a `Set-Cookie` header. `__Secure-` and `__Host-` names get the
 * attributes a browser demands of them.
 *
 * @throws {SyntaxError} when a part holds a character a cookie cannot carry.
 * @throws {RangeError} when `maxAge` is negative.
 */
export function setCookie(headers: Headers, cookie: Cookie): void {
  if (!cookie.name) return;
  if (!NAME.test(cookie.name)) {
    throw new SyntaxError(`Invalid cookie name: "${cookie.name}"`);
  }
  if (!VALUE.test(cookie.value)) {
    throw new SyntaxError(
      `Cannot set the cookie "${cookie.name}": its value holds a character that must be encoded`,
    );
  }
  const host = cookie.name.startsWith("__Host");
  const secure = cookie.secure || host || cookie.name.startsWith("__Secure");
  const path = host ? "/" : cookie.path;
  const domain = host ? undefined : cookie.domain;
  const parts = [`${cookie.name}=${cookie.value}`];
  if (secure) parts.push("Secure");
  if (cookie.httpOnly) parts.push("HttpOnly");
  if (Number.isInteger(cookie.maxAge)) {
    if (cookie.maxAge! < 0) {
      throw new RangeError(
        `Cannot serialize cookie as Max-Age must be >= 0: received ${cookie.maxAge}`,
      );
    }
    parts.push(`Max-Age=${cookie.maxAge}`);
  }
  if (domain) {
    if (/^-|[.-]$/.test(domain)) {
      throw new SyntaxError(
        `Invalid first/last char in cookie domain: ${domain}`,
      );
    }
    parts.push(`Domain=${domain}`);
  }
  if (cookie.sameSite) parts.push(`SameSite=${cookie.sameSite}`);
  if (path) {
    if (!PATH.test(path)) {
      throw new SyntaxError(
        `Cookie path "${path}" contains invalid character`,
      );
    }
    parts.push(`Path=${path}`);
  }
  if (cookie.expires) {
    parts.push(`Expires=${new Date(cookie.expires).toUTCString()}`);
  }
  headers.append("Set-Cookie", parts.join("; "));
}

/** Adds a `Set-Cookie` header that makes the browser forget the cookie. */
export function deleteCookie(
  headers: Headers,
  name: string,
  attributes?: Pick<Cookie, "path" | "domain" | "secure" | "httpOnly">,
): void {
  setCookie(headers, { name, value: "", expires: new Date(0), ...attributes });
}
