/**
 * Under which names the server answers, and which pages may write to it.
 * Without a login the Host check is the only defence against DNS rebinding (FR7).
 *
 * @module
 */
import { isLoopback } from "../loopback.ts";

export interface HostRules {
  /** The public origin behind a proxy, or null. */
  origin: string | null;
  /** Further names, lower case, "name" for any port or "name:port". */
  hosts: readonly string[];
  access: "loopback" | "public";
}

const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/;
const OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${OCTET}(\\.${OCTET}){3}$`);

/** The authority of a request's URL, as it was sent. */
function authorityOf(url: string): string {
  const start = url.indexOf("://") + 3;
  const end = url.slice(start).search(/[/?#]/);
  return end < 0 ? url.slice(start) : url.slice(start, start + end);
}

/**
 * The Host this request was sent to, lower case, or null if it is odd: empty,
 * with user info, a path or several values, or not the one in an absolute-form
 * target. HTTP/2 has the name in the URL only.
 */
export function hostOf(req: Request): string | null {
  const authority = authorityOf(req.url).toLowerCase();
  const host = req.headers.get("host")?.toLowerCase() ?? authority;
  if (host.length > 300 || !AUTHORITY.test(host)) return null;
  return host === authority ? host : null;
}

/**
 * Whether the server answers to this name. Ports are not compared for names of
 * this computer: `ssh -L` and containers change them, and rebinding cannot.
 */
export function isAllowedHost(host: string, rules: HostRules): boolean {
  const match = AUTHORITY.exec(host);
  if (match === null) return false;
  const name = match[1]!;
  if (isLoopback(name)) return true;
  if (rules.hosts.includes(host) || rules.hosts.includes(name)) return true;
  if (rules.origin !== null) {
    const url = new URL(rules.origin);
    if (host === url.host || host === `${url.hostname}:${portOf(url)}`) {
      return true;
    }
  }
  // A name can be rebound to another address; an address cannot.
  return rules.access === "public" && (name.startsWith("[") || IPV4.test(name));
}

function portOf(url: URL): string {
  return url.port || (url.protocol === "https:" ? "443" : "80");
}

/**
 * Whether a write may come from where the browser says it comes from (E09, E12).
 * Programs send neither header; they pass, and no browser can be made to do so
 * with a JSON body.
 */
export function isSameOrigin(
  req: Request,
  host: string,
  rules: HostRules,
): boolean {
  const site = req.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return false;
  const origin = req.headers.get("origin");
  if (origin === null) return true;
  if (origin === rules.origin) return true;
  // A page under our own public name but with another scheme is not ours.
  const own = URL.parse(`http://${host}`);
  if (own === null || origin !== own.origin) return false;
  return rules.origin === null || new URL(rules.origin).host !== own.host;
}
