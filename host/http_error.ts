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

/**
 * The HTTP status an error stands for: its own, 507 or 503 where the store fails
 * (known by its name, as in `lib/web`), or 500.
 */
export function statusOf(error: unknown): number {
  if (error instanceof Error && error.name === "StoreError") {
    return "kind" in error && error.kind === "full" ? 507 : 503;
  }
  if (!(error instanceof Error) || !("status" in error)) return 500;
  const known = error.name === "HttpError" || error.name === "HttpProblem";
  return known && typeof error.status === "number" ? error.status : 500;
}
