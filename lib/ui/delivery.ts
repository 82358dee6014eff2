/**
 * Carries a message from the outbox to the server. Every try bears the same
 * idempotency key, so however many arrive, it is one question (N10).
 *
 * @module
 */
import type { StartedRun } from "../chat/views.ts";
import type { Api, Result } from "./api.ts";
import type { Environment } from "./environment.ts";
import type { Outgoing } from "./outbox.ts";

/** Pauses between tries; afterwards the person or the network decides. */
const AGAIN_AFTER_MS = [1_000, 3_000, 8_000];

export interface Delivery {
  /** Null when this message is already on its way. */
  deliver(message: Outgoing): Promise<Result<StartedRun>> | null;
}

export function createDelivery(api: Api, env: Environment): Delivery {
  const onTheWay = new Set<string>();

  async function carry(message: Outgoing) {
    let result = await api.start(message);
    for (const pause of AGAIN_AFTER_MS) {
      if (result.ok || !isPassing(result.status)) break;
      const ms = Math.max(pause, result.retryAfterMs ?? 0);
      await new Promise<void>((resolve) => env.after(ms, resolve));
      result = await api.start(message);
    }
    return result;
  }

  return {
    deliver(message) {
      if (onTheWay.has(message.key)) return null;
      onTheWay.add(message.key);
      return carry(message).finally(() => onTheWay.delete(message.key));
    },
  };
}

/** Whether the same again later can help. `status` 0 is a failed network. */
export function isPassing(status: number): boolean {
  return status === 0 || status === 429 || status >= 500;
}
