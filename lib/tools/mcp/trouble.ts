/**
 * Why a server cannot be used, in plain words. What really happened is for the
 * log: addresses, commands and a server's own words stay out of what is shown.
 *
 * @module
 */

/** The JSON-RPC error we give ourselves when the other side fell silent. */
export const LOST = -32098;

/** A server cannot be used; `message` may be shown. */
export class ServerTrouble extends Error {
  override name = "ServerTrouble";
}

/** The plain words for what went wrong with a server. */
export function troubleOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    const words = wordsOf(at as Error & Fields);
    if (words !== null) return words;
  }
  return "The server does not speak the protocol as expected.";
}

interface Fields {
  /** Of the SDK's errors: a word of its own, or a JSON-RPC number. */
  code?: unknown;
  /** Of its HTTP errors. */
  status?: unknown;
}

function wordsOf(error: Error & Fields): string | null {
  if (error instanceof ServerTrouble) return error.message;
  if (error instanceof Deno.errors.NotFound) {
    return "The server's program is not installed here.";
  }
  if (
    error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable
  ) {
    return "The server's program may not be started here.";
  }
  if (typeof error.status === "number") return wordsOfStatus(error.status);
  if (error.name === "UnauthorizedError") return wordsOfStatus(401);
  if (error.code === "REQUEST_TIMEOUT") {
    return "The server did not answer in time.";
  }
  if (isLost(error)) {
    return "The server ended the connection.";
  }
  if (error instanceof TypeError) return "The server cannot be reached.";
  return null;
}

/** Whether the connection ended while an answer was waited for. */
export function isLost(error: unknown): boolean {
  const { code } = error as Fields;
  return code === LOST || code === "CONNECTION_CLOSED" ||
    code === "NOT_CONNECTED";
}

function wordsOfStatus(status: number): string {
  if (status === 401 || status === 403) {
    return "The server refuses the token it was given, or wants one.";
  }
  return status >= 300 && status < 400
    ? "The server sends requests on to another address, which is refused."
    : `The server answered with HTTP status ${status}.`;
}

/**
 * For the log: what is known of an error, in one line. Of an address its host
 * alone: many servers have their key in the path or the query.
 */
export function detailOf(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 4; at = at.cause) {
    parts.push(`${at.name}: ${at.message}`);
  }
  return (parts.join(" <- ") || String(error)).replace(/\s+/g, " ")
    .replace(/\b(https?:\/\/[^\s\/?#"')]*)[^\s"')]+/gi, "$1/…")
    .slice(0, 1_000);
}
