/**
 * A limit on request bodies, by what they announce and by what arrives (DN2, E06).
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

export interface Limited {
  req: Request;
  /** Whether more than the limit arrived, whatever the reader made of it. */
  exceeded: () => boolean;
}

/**
 * The request with at most `limit` bytes of body. What has a Content-Length is
 * bounded by the HTTP layer already and passes through; what has none (chunked)
 * is counted while it is read and breaks off above the limit.
 *
 * @throws {HttpProblem} 413 if the announced length is above the limit.
 */
export function limited(req: Request, limit: number): Limited {
  const length = req.headers.get("content-length") ?? "";
  const announced = /^\d+$/.test(length);
  if (announced && Number(length) > limit) throw tooLarge(limit);
  if (req.body === null || announced) {
    return { req, exceeded: () => false };
  }
  const reader = req.body.getReader();
  let seen = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      seen += value.byteLength;
      if (seen <= limit) return controller.enqueue(value);
      controller.error(tooLarge(limit));
      await reader.cancel();
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  // Not the signal: Deno aborts it after every answer, and warns once read.
  const { method, headers } = req;
  return {
    req: new Request(req.url, { method, headers, body }),
    exceeded: () => seen > limit,
  };
}
