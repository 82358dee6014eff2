/**
 * What a server offers: `GET {base}/models`, asked of servers that may be
 * anything at all. Bounded in time and bytes, no redirect is followed, and the
 * key goes to the server it belongs to alone (case S07).
 *
 * @module
 */
import http from "node:http";

/** A longer answer is no list of models. */
const MAX_BYTES = 2 * 1024 * 1024;
/** More than any provider offers; nobody scrolls through more. */
const MAX_MODELS = 2_000;
/** A longer name is noise, and would not fit a chat's settings. */
const MAX_NAME = 200;

/** What came of asking. */
export type Listing =
  | {
    kind: "list";
    /** In the server's order, no name twice. */
    models: ListedModel[];
    /** In OpenAI's own envelope; some hosted servers send the bare array. */
    enveloped: boolean;
  }
  /** An answer with another status than 200. */
  | { kind: "status"; status: number }
  /** An answer that is no list of models. */
  | { kind: "strange" }
  /** No whole answer in the time given. */
  | { kind: "late" }
  | { kind: "unreachable" };

export interface ListedModel {
  /** What a request calls it. */
  name: string;
  /** `owned_by`: by it some servers can be told apart; "" if there is none. */
  owner: string;
}

export interface ListRequest {
  /** Null: the request carries no key. */
  apiKey: string | null;
  /** Without a trailing slash. */
  baseUrl: string;
  /** For the whole answer. */
  ms: number;
  signal?: AbortSignal;
}

/** Asks a server for its models. Never rejects. */
export async function listModels(request: ListRequest): Promise<Listing> {
  const stop = new AbortController();
  const leave = () => stop.abort();
  const timer = setTimeout(leave, request.ms);
  request.signal?.addEventListener("abort", leave, { once: true });
  if (request.signal?.aborted) leave();
  try {
    return await ask(request, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return { kind: "late" };
    return { kind: error === STRANGE ? "strange" : "unreachable" };
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", leave);
    // Closes the connection of an answer that was not read to its end.
    leave();
  }
}

/** Thrown while reading an answer that cannot be a list. */
const STRANGE = Symbol("strange");

async function ask(
  { apiKey, baseUrl }: ListRequest,
  signal: AbortSignal,
): Promise<Listing> {
  const url = new URL(`${baseUrl}/models`);
  const headers: Record<string, string> = {
    accept: "application/json",
    ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  const { status, body } = isHere(url)
    ? await getDirectly(url, headers, signal)
    : await fetch(url, { headers, signal, redirect: "manual" });
  if (status !== 200) return { kind: "status", status };
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > MAX_BYTES) throw STRANGE;
    text += decoder.decode(part, { stream: true });
  }
  return readList(text);
}

const isHere = ({ protocol, hostname }: URL) =>
  protocol === "http:" &&
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

interface Answer {
  status: number;
  body: AsyncIterable<Uint8Array>;
}

/**
 * Asks this computer: not through a proxy of the environment, which `fetch`
 * would use, and on a connection of its own, because one kept from a server that
 * was restarted since would fail.
 */
function getDirectly(
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  http.get(url, { agent: false, headers, signal }, (message) => {
    // An answer that is left unread breaks off, which is no news.
    message.on("error", () => {});
    resolve({ status: message.statusCode ?? 0, body: message });
  }).on("error", reject);
  return promise;
}

function readList(text: string): Listing {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: "strange" };
  }
  const { object, data } = (body ?? {}) as Record<string, unknown>;
  const enveloped = object === "list";
  // Ollama without a single model says null.
  const rows = Array.isArray(body) ? body : enveloped ? data ?? [] : data;
  if (!Array.isArray(rows)) return { kind: "strange" };
  const models = new Map<string, ListedModel>();
  for (const row of rows.slice(0, MAX_MODELS)) {
    const { id, owned_by } = (row ?? {}) as Record<string, unknown>;
    // One row of something else, and it is a list of something else.
    if (typeof id !== "string") return { kind: "strange" };
    if (!isName(id)) continue;
    const owner = typeof owned_by === "string" ? owned_by : "";
    models.set(id, { name: id, owner });
  }
  return { kind: "list", models: [...models.values()], enveloped };
}

const isName = (id: string) =>
  id !== "" && id.length <= MAX_NAME && id.trim() === id &&
  // deno-lint-ignore no-control-regex
  !/[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(id);

/** Why there is no list, in a few words without an address. */
export function whyNoList(listing: Exclude<Listing, { kind: "list" }>): string {
  switch (listing.kind) {
    case "status":
      return `status ${listing.status}`;
    case "strange":
      return "what answers is no list of models";
    case "late":
      return "no answer in time";
    case "unreachable":
      return "it cannot be reached";
  }
}
