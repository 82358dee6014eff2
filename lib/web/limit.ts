/**
 * Limits on request bodies: on each, by what it announces and by what arrives,
 * and on all large ones together (DN2, E06).
 *
 * @module
 */
import { HttpProblem } from "./problem.ts";

/** The refusal of a body that is too large. */
export function tooLarge(limit: number): HttpProblem {
  return new HttpProblem(
    413,
    "too_large",
    `The request body is larger than ${limit} bytes.`,
  );
}

/** The bytes of body a request announces; null if it announces none. */
function announcedBytes({ headers }: Request): number | null {
  const length = headers.get("content-length") ?? "";
  return /^\d+$/.test(length) ? Number(length) : null;
}

export interface Limited {
  req: Request;
  /** Whether more than the limit arrived, whatever the reader made of it. */
  exceeded: () => boolean;
}

/**
 * The request with at most `limit` bytes of body. What has a Content-Length is
 * bounded by the HTTP layer already and passes through, unless its end matters;
 * what has none (chunked) is counted while it is read and breaks off above the
 * limit.
 *
 * @param onRead Told when the body was read to its end or left.
 * @throws {HttpProblem} 413 if the announced length is above the limit.
 */
export function limited(
  req: Request,
  limit: number,
  onRead?: () => void,
): Limited {
  const announced = announcedBytes(req);
  if (announced !== null && announced > limit) throw tooLarge(limit);
  if (req.body === null || (announced !== null && onRead === undefined)) {
    return { req, exceeded: () => false };
  }
  const reader = req.body.getReader();
  let seen = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) {
        onRead?.();
        return controller.close();
      }
      seen += value.byteLength;
      if (seen <= limit) return controller.enqueue(value);
      controller.error(tooLarge(limit));
      await reader.cancel();
    },
    cancel: (reason) => {
      onRead?.();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  const { method, headers } = req;
  const counted = new Request(req.url, { method, headers, body });
  // Read only by who wants to know of a client that hangs up: without
  // `no-legacy-abort` Deno aborts it after every answer, and warns once read.
  Object.defineProperty(counted, "signal", { get: () => req.signal });
  return { req: counted, exceeded: () => seen > limit };
}

/** What all requests together may hold of large bodies while these are read. */
export class BodyRoom {
  readonly #small: number;
  #left: number;

  /** @param bytes Up to `small` a body counts for nothing. */
  constructor(bytes: { small: number; large: number }) {
    this.#small = bytes.small;
    this.#left = bytes.large;
  }

  /**
   * The request {@linkcode limited}, if there is room for its body.
   *
   * @returns `leave` gives the room back, if the body has not been read by then.
   * @throws {HttpProblem} 413; 503 if there is no room just now.
   */
  admit(req: Request, limit: number): Limited & { leave: () => void } {
    const most = announcedBytes(req) ?? limit;
    if (req.body === null || most <= this.#small || most > limit) {
      return { ...limited(req, limit), leave: () => {} };
    }
    if (most > this.#left) throw busy();
    this.#left -= most;
    let held = most;
    const leave = () => {
      this.#left += held;
      held = 0;
    };
    return { ...limited(req, limit, leave), leave };
  }
}

function busy(): HttpProblem {
  return new HttpProblem(
    503,
    "busy",
    "Too many large messages are arriving at once. Try again in a moment.",
    { headers: { "retry-after": "2" } },
  );
}
