/**
 * Where a request may go, as far as its address tells (cases S01, S05). What the
 * parser made of a spelling is judged, never the spelling.
 *
 * @module
 */
import { isIP } from "node:net";
import { domainToUnicode } from "node:url";
import { WebError } from "./errors.ts";

/** Longest address read, in UTF-16 units. */
const MAX_URL = 2_048;
/** As names are known to DNS; the parser has lower-cased and encoded them. */
const NAME = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** An address that was found fit to be asked for. */
export interface Target {
  /** Without user info and fragment; its host has no dot at the end. */
  url: URL;
  /** The host as resolvers and certificates know it: no brackets. */
  host: string;
  /** 80 or 443. */
  port: number;
  /** Whether the host is an IP address already. */
  literal: boolean;
}

/** Why an address is not asked for; the model is told in words. */
export type Refusal =
  | "no-url"
  | "scheme"
  | "user-info"
  | "port"
  | "host"
  | "not-listed";

/**
 * Reads an address.
 *
 * @param base The page a redirect came from.
 * @param allow The hosts that may be read; null is any. `corp.com` is that host
 *   alone, `.corp.com` also everything below it.
 */
export function readTarget(
  text: string,
  { base, allow }: { base?: URL; allow: readonly string[] | null },
): Target | Refusal {
  if (text.length > MAX_URL) return "no-url";
  const url = URL.parse(text, base?.href);
  if (url === null) return "no-url";
  if (url.protocol !== "http:" && url.protocol !== "https:") return "scheme";
  if (url.username !== "" || url.password !== "") return "user-info";
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  if (port !== 80 && port !== 443) return "port";
  // A dot at the end only says that the name is complete.
  if (url.hostname.endsWith(".")) url.hostname = url.hostname.slice(0, -1);
  url.hash = "";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const literal = isIP(host) !== 0;
  if (!literal && !isName(host)) return "host";
  if (allow !== null && !isListed(host, allow)) return "not-listed";
  return { url, host, port, literal };
}

function isName(host: string): boolean {
  return host.length <= 253 && host.split(".").every((part) => NAME.test(part));
}

/** By whole labels: `corp.com` in a list says nothing of `evilcorp.com`. */
function isListed(host: string, allow: readonly string[]): boolean {
  return allow.some((entry) =>
    entry.startsWith(".")
      ? host === entry.slice(1) || host.endsWith(entry)
      : host === entry
  );
}

/** The words for a refused address, as the model wrote it. */
export function refusalOf(
  refusal: Refusal,
  text: string,
  allow: readonly string[] | null,
): WebError {
  const shown = JSON.stringify(clip(text, 200));
  switch (refusal) {
    case "no-url":
      return new WebError(
        `${shown} is not a web address: give a whole one, such as https://example.org/page`,
      );
    case "scheme":
      return new WebError(
        `refused to read ${shown}: only http and https addresses are read`,
      );
    case "user-info":
      // The password is not repeated, not even to the one who wrote it.
      return new WebError(
        "refused: the address must not carry a user name or a password",
      );
    case "port":
      return new WebError(
        `refused to read ${shown}: only the ports 80 and 443 are read`,
      );
    case "host":
      return new WebError(
        `refused to read ${shown}: its host is not a name on the internet`,
      );
    case "not-listed":
      return new WebError(
        `refused to read ${shown}: only these hosts may be read: ${
          (allow ?? []).slice(0, 40).map(told).join(", ")
        }`,
      );
  }
}

function told(entry: string): string {
  return entry.startsWith(".")
    ? `${domainToUnicode(entry.slice(1))} and all below it`
    : domainToUnicode(entry);
}

function clip(text: string, length: number): string {
  return text.length > length ? text.slice(0, length) + "…" : text;
}
