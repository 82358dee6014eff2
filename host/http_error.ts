/**
 * Failed requests with their HTTP status. An `HttpError` has the name and shape
 * of Fresh's, so an error page reads both alike; routes throw the `HttpProblem`
 * of `lib/web`.
 *
 * @module
 */
export class HttpError extends Error {
  override name = "HttpError";

  constructor(readonly status: number, message?: string) {
    super(message);
  }
}

/** The HTTP status an error stands for: its own, or 500. */
export function statusOf(error: unknown): number {
  if (!(error instanceof Error) || !("status" in error)) return 500;
  const known = error.name === "HttpError" || error.name === "HttpProblem";
  return known && typeof error.status === "number" ? error.status : 500;
}
