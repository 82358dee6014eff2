/**
 * The guarded fetch: the only way from a model's words to a stranger's server
 * (threats 1 to 4 and 21). Every hop is judged anew, from the address down to the
 * socket, and nothing goes along from one hop to the next.
 *
 * @module
 */
import { isIPv6 } from "node:net";
import type { Duplex } from "node:stream";
import { publicAddress } from "./address.ts";
import { unpack } from "./decode.ts";
import { WebError } from "./errors.ts";
import { get } from "./http.ts";
import { type Network, open } from "./network.ts";
import { readTarget, refusalOf, type Target } from "./target.ts";

/** Milliseconds for everything, from the first look-up to the last byte. */
export const PATIENCE = 10_000;
/** Milliseconds until the next address of a host is tried. */
const CONNECT_PATIENCE = 3_000;
const MAX_HOPS = 3;
const MAX_ADDRESSES = 4;
const REDIRECTS = [301, 302, 303, 307, 308];

/** What is read; the rest is pictures, programs and archives. */
const TYPES = new Set([
  "text/html",
  "application/xhtml+xml",
  "text/plain",
  "text/markdown",
  "application/json",
  "application/xml",
  "text/xml",
  "application/atom+xml",
  "application/rss+xml",
]);

export interface FetchOptions {
  /** Hosts that may be read; null is any that is public. */
  allow: readonly string[] | null;
  network: Network;
  /** Closes what is open the moment it aborts. */
  signal: AbortSignal;
}

/** A document as it came. */
export interface Fetched {
  /** Where it came from in the end. */
  url: URL;
  /** The media type without parameters, lower case. */
  type: string;
  /** The charset of the header, if it names one. */
  charset: string | null;
  /** Unpacked, at most 2 MB. */
  bytes: Uint8Array;
}

/** The way leads into a private network, or nowhere. */
class NotPublic extends WebError {}

/**
 * Fetches a document from a public address: at most 3 redirects, 10 seconds,
 * 2 MB unpacked.
 *
 * @throws {WebError} the reason, in words for the model
 * @throws the reason of `signal`
 */
export async function guardedFetch(
  text: string,
  { allow, network, signal }: FetchOptions,
): Promise<Fetched> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE);
  const over = AbortSignal.any([signal, late.signal]);
  let from: Target | null = null;
  try {
    const first = readTarget(text, { allow });
    if (typeof first === "string") throw refusalOf(first, text, allow);
    let target = first;
    for (let hop = 0;; hop++) {
      const next = await ask(target, network, over);
      if (!("location" in next)) return next;
      if (hop === MAX_HOPS) {
        throw new WebError(
          `refused: ${first.host} redirects more than ${MAX_HOPS} times`,
        );
      }
      from = target;
      target = follow(from, next.location, allow);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NotPublic && from !== null) {
      // Nothing of the address, which the model did not name.
      throw new WebError(
        `refused: ${from.host} redirects to an address that is not public`,
      );
    }
    if (late.signal.aborted) {
      throw new WebError(
        `the page took longer than ${PATIENCE / 1_000} seconds`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Where a redirect leads. Its address is the server's: it is not repeated. */
function follow(
  from: Target,
  location: string,
  allow: readonly string[] | null,
): Target {
  const target = readTarget(location, { base: from.url, allow });
  if (typeof target === "string") {
    const why = target === "not-listed"
      ? "a host that is not among those that may be read"
      : "an address that is not read";
    throw new WebError(`refused: ${from.host} redirects to ${why}`);
  }
  if (from.url.protocol === "https:" && target.url.protocol === "http:") {
    throw new WebError(
      `refused: ${from.host} redirects from https to plain http`,
    );
  }
  return target;
}

/** One hop: the document, or where it moved. */
async function ask(
  target: Target,
  network: Network,
  signal: AbortSignal,
): Promise<Fetched | { location: string }> {
  const stream = await reach(target, network, signal);
  try {
    const answer = await get(stream, target.url);
    const { status, headers } = answer;
    const location = headers.get("location");
    if (REDIRECTS.includes(status) && location !== undefined) {
      return { location };
    }
    if (status < 200 || status > 299) throw refusedWith(target, status);
    const { type, charset } = readType(headers.get("content-type") ?? "");
    if (!TYPES.has(type)) {
      throw new WebError(
        `the page is ${kindOf(type)}, not text that can be read`,
      );
    }
    const body = await answer.body();
    const bytes = unpack(body, headers.get("content-encoding") ?? "");
    return { url: target.url, type, charset, bytes };
  } finally {
    stream.destroy();
  }
}

const MEANING: Record<number, string> = {
  401: "a login is needed",
  403: "it does not want to show this page",
  404: "there is no such page",
  410: "the page is gone",
  429: "it has been asked too often",
};

function refusedWith({ host }: Target, status: number): WebError {
  const meaning = MEANING[status] ??
    (status >= 500 ? "the server has a problem" : null);
  return new WebError(
    `${host} answered HTTP ${status}${meaning ? `: ${meaning}` : ""}`,
  );
}

const KINDS = new Map([
  ["application/pdf", "a PDF"],
  ["application/zip", "an archive"],
  ["audio", "sound"],
  ["font", "a font"],
  ["image", "a picture"],
  ["video", "a video"],
]);

/** In words of ours: a server may write anything into its content type. */
function kindOf(type: string): string {
  return KINDS.get(type) ?? KINDS.get(type.split("/")[0]!) ??
    "some other kind of file";
}

function readType(
  header: string,
): { type: string; charset: string | null } {
  const [type = "", ...parameters] = header.split(";");
  for (const parameter of parameters) {
    const [name = "", value = ""] = parameter.split("=", 2);
    if (name.trim().toLowerCase() !== "charset") continue;
    const charset = value.trim().replace(/^"(.*)"$/, "$1");
    return { type: type.trim().toLowerCase(), charset };
  }
  return { type: type.trim().toLowerCase(), charset: null };
}

/** A connection to the first checked address of a host that takes one. */
async function reach(
  { url, host, port, literal }: Target,
  network: Network,
  signal: AbortSignal,
): Promise<Duplex> {
  const addresses = await publicAddresses(host, literal, network, signal);
  const secure = url.protocol === "https:" ? host : null;
  let last: unknown;
  for (const [i, address] of addresses.entries()) {
    const place = { address, port, secure, literal };
    const patience = new AbortController();
    const others = i + 1 < addresses.length;
    const timer = others
      ? setTimeout(() => patience.abort(), CONNECT_PATIENCE)
      : undefined;
    try {
      const either = AbortSignal.any([signal, patience.signal]);
      return await open(network, place, either);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof WebError) throw error;
      last = error;
    } finally {
      clearTimeout(timer);
    }
  }
  throw new WebError(`${host} does not answer`, { cause: last });
}

/**
 * The addresses of a host, both kinds in turn. One that is not public spoils all
 * of them: whoever mixes them means to be asked twice (case S03).
 */
async function publicAddresses(
  host: string,
  literal: boolean,
  network: Network,
  signal: AbortSignal,
): Promise<string[]> {
  const found = literal ? [host] : await resolve(host, network, signal);
  const own = network.own();
  const addresses = found.map((address) => publicAddress(address, own));
  if (addresses.length === 0 || addresses.includes(null)) {
    // The same words for a name that does not exist: a stranger's text could
    // otherwise try out the names of the network we are in.
    throw new NotPublic(
      literal
        ? `refused: ${host} is not a public address`
        : `refused: ${host} has no public address; it may be misspelled, or ` +
          "inside a private network",
    );
  }
  const checked = addresses as string[];
  const sixes = checked.filter((address) => isIPv6(address));
  const fours = checked.filter((address) => !isIPv6(address));
  const [one, other] = isIPv6(checked[0]!) ? [sixes, fours] : [fours, sixes];
  return one.flatMap((address, i) => [address, other[i]])
    .concat(other.slice(one.length))
    .filter((address) => address !== undefined)
    .slice(0, MAX_ADDRESSES);
}

/** A look-up cannot be called off; nobody waits for it after the deadline. */
async function resolve(
  host: string,
  network: Network,
  signal: AbortSignal,
): Promise<string[]> {
  signal.throwIfAborted();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const found = network.resolve(host).catch(() => []);
    return await Promise.race([found, over]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
