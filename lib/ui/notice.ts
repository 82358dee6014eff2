/**
 * What the person should know about what they just did.
 *
 * @module
 */
import type { Result } from "./api.ts";
import { isPassing } from "./delivery.ts";

export type Notice =
  | {
    kind:
      | "busy"
      | "modelGone"
      | "stopFailed"
      | "chatNotLoaded"
      | "panelNotLoaded"
      | "signIn";
  }
  | { kind: "refusedMessage"; detail: string };

/** What to say about a message that was not taken; null if it will be yet. */
export function noticeOf(
  failure: Extract<Result<unknown>, { ok: false }>,
): Notice | null {
  if (failure.status === 401) return { kind: "signIn" };
  if (failure.code === "run_active") return { kind: "busy" };
  if (failure.code === "no_such_model") return { kind: "modelGone" };
  if (isPassing(failure.status)) return null;
  return { kind: "refusedMessage", detail: failure.detail };
}
