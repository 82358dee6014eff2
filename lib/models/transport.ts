/**
 * How requests travel to a provider: a `fetch` for `npm:openai` that sends plain
 * http through `node:http`, whose bytes arrive without a promise and a web stream
 * per read, and everything else through Deno's own `fetch`.
 *
 * What it saves of the whole adapter's CPU, Deno 2.9.6, against `fetch` with a
 * BYOB reader: as fast as possible 9 us a token become 5. At 20 tokens a second
 * the event loop is busy for 18 us a token instead of 26, which is what decides
 * how many streams a process can carry; the process as a whole spends 28 either
 * way with 300 streams, and 25 instead of 27 with 1,500.
 *
 * https stays with `fetch`. `node:https` of this Deno is no cheaper at typing
 * pace (30 us, `fetch` 31), costs 1.3 MB per connection unless a TLS context is
 * shared, and knows neither `DENO_CERT` and `--cert` nor
 * `--unsafely-ignore-certificate-errors`; only `NODE_EXTRA_CA_CERTS` and
 * `DENO_TLS_CA_STORE` mean the same to both.
 *
 * @module
 */
import http from "node:http";
import { type IncomingBody, incomingBody } from "./incoming.ts";

/** A kept connection nobody uses: shorter than a NAT forgets one. */
const IDLE_MS = 30_000;

/** `node:http` allows 16 KiB, less than some gateways send; `fetch` more. */
const HEAD_BYTES = 64 * 1024;

/** The responses of `node:http` have no body of their own. */
const bodies = new WeakMap<Response, IncomingBody>();

/** What carries this response's body, unless `Response.body` does. */
export function incomingOf(response: Response): IncomingBody | undefined {
  return bodies.get(response);
}

/**
 * A `fetch` with connections of its own, kept for the next request; idle ones
 * hold no process open. Redirects are not followed.
 *
 * A response has a status and headers; its body is read by `readBody`. The
 * promise rejects with the signal's reason, or with an error that names no
 * address (S06).
 *
 * @param env where a proxy may be configured, which only `fetch` can use.
 * @param plain carries what is not plain http, and what goes through a proxy.
 */
export function createTransport(
  env: Record<string, string | undefined> = Deno.env.toObject(),
  plain: typeof fetch = fetch,
): typeof fetch {
  const agent = new http.Agent({ keepAlive: true, timeout: IDLE_MS });
  return (input, init) => {
    const url = URL.parse(String(input));
    const body = init?.body;
    return url?.protocol === "http:" && typeof body === "string" &&
        !proxied(url, env)
      ? send(url, body, init!, agent)
      : plain(input, init);
  };
}

async function send(
  url: URL,
  body: string,
  { method, headers, signal }: RequestInit,
  agent: http.Agent,
): Promise<Response> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  let incoming: IncomingBody | undefined;
  const request = http.request(url, {
    agent,
    method,
    maxHeaderSize: HEAD_BYTES,
    headers: {
      ...Object.fromEntries(new Headers(headers)),
      // Compression delays tokens and costs both ends.
      "accept-encoding": "identity",
    },
  });
  function abort() {
    request.destroy();
    reject(signal?.reason);
  }
  signal?.addEventListener("abort", abort, { once: true });
  request.once("response", (message) => {
    incoming = incomingBody(message);
    try {
      const response = responseOf(message);
      bodies.set(response, incoming);
      resolve(response);
    } catch {
      incoming.leave();
      reject(new Error("Cannot read the answer: bad status or headers"));
    }
  });
  request.on("error", (error) => {
    // A body that ends with its connection would otherwise look whole.
    incoming?.breakOff(error);
    reject(withoutAddress(error));
  });
  // An answer that switches protocols (101) comes as neither of the two.
  request.once("close", () => {
    signal?.removeEventListener("abort", abort);
    reject(new Error("Cannot read the answer: connection closed"));
  });
  request.end(body);
  return await promise;
}

function responseOf(message: http.IncomingMessage): Response {
  const headers = new Headers();
  const { rawHeaders, statusCode: status } = message;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at]!, rawHeaders[at + 1]!);
  }
  return new Response(null, { status, headers });
}

/** Node's messages name hosts and addresses; its codes say as much. */
function withoutAddress(error: Error & { code?: string }): Error {
  const what = error.code ?? error.name;
  if (what.startsWith("HPE_")) {
    return new Error(`Cannot read the answer: ${what}`);
  }
  return /^(?:ECONNRESET|ECONNABORTED|EPIPE)$/.test(what)
    ? new Error(`Cannot send the request: connection broke (${what})`)
    : new Error(`Cannot connect: ${what}`);
}

/**
 * Whether plain http to this host goes through a proxy. In doubt it does: `fetch`
 * reads the same variables and decides. This computer is always reached directly.
 */
function proxied(
  { hostname, port }: URL,
  env: Record<string, string | undefined>,
): boolean {
  const names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
  if (!names.some((name) => env[name])) return false;
  if (/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)) return false;
  const excepted = (env.no_proxy || env.NO_PROXY || "").toLowerCase();
  return !excepted.split(",").some((entry) => {
    const name = entry.trim().replace(/^\*?\./, "");
    return name === "*" || name === hostname ||
      name === `${hostname}:${port || 80}` ||
      (name !== "" && hostname.endsWith(`.${name}`));
  });
}
