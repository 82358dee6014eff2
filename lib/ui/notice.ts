/**
 * What the person should know about what they just did.
 *
 * @module
 */
import type { Failure } from "./api.ts";
import { isPassing } from "./delivery.ts";

export type Notice =
  | {
    kind:
      | "busy"
      | "modelGone"
      | "stopFailed"
      | "chatNotLoaded"
      | "panelNotLoaded"
      | "queueFull"
      | "queueFailed"
      | "alreadySent"
      | "versionNotShown"
      | "chatNotDeleted";
  }
  | { kind: "refusedMessage"; detail: string };

/**
 * Why a message is not with the server yet: no network, an ended login, no room
 * left where it would be stored, too many in a minute, or anything else there.
 */
export type Trouble = "network" | "signIn" | "full" | "tooMany" | "server";

/** What to say about a message that was not taken; null if it will be yet. */
export function noticeOf(failure: Failure): Notice | null {
  if (failure.code === "run_active") return { kind: "busy" };
  if (failure.code === "no_such_model") return { kind: "modelGone" };
  if (failure.code === "queue_full") return { kind: "queueFull" };
  if (isPassing(failure.status) || failure.status === 401) return null;
  return { kind: "refusedMessage", detail: failure.detail };
}

/** Why a message that will be taken yet is not. */
export function troubleOf({ status }: Failure): Trouble {
  switch (status) {
    case 0:
      return "network";
    case 401:
      return "signIn";
    case 429:
      return "tooMany";
    case 507:
      return "full";
    default:
      return "server";
  }
}
