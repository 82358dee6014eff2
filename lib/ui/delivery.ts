/**
 * Carries a message from the outbox to the server. Every try bears the same
 * idempotency key, so however many arrive, it is one question (N10).
 *
 * @module
 */
import type { QueuedRun, StartedRun } from "../chat/views.ts";
import type { Api, Failure, Result } from "./api.ts";
import type { Environment } from "./environment.ts";
import type { Outgoing } from "./outbox.ts";

/** Pauses between tries; afterwards the person or the network decides. */
const AGAIN_AFTER_MS = [1_000, 3_000, 8_000];

export type Delivered = Result<StartedRun | QueuedRun>;

export interface Delivery {
  /**
   * Null when this message is already on its way. Those of one chat go one after
   * the other: what was written first is asked first.
   */
  deliver(message: Outgoing): Promise<Delivered> | null;
  /** Ends the pauses, but not those the server asked for. */
  hurry(): void;
}

/** @param failed A try failed, and another one follows. */
export function createDelivery(
  api: Api,
  env: Environment,
  failed: (key: string, failure: Failure) => void,
): Delivery {
  const onTheWay = new Set<string>();
  const pauses = new Set<() => void>();
  /** The last message on its way, by chat. */
  const lines = new Map<string, Promise<Delivered>>();

  async function carry(message: Outgoing): Promise<Delivered> {
    let result = await api.start(message);
    for (const pause of AGAIN_AFTER_MS) {
      if (result.ok || !isPassing(result.status)) break;
      failed(message.key, result);
      await rest(pause, result.retryAfterMs);
      result = await api.start(message);
    }
    return result;
  }

  /** A network that is back ends a pause, but not one the server asked for. */
  const rest = (pause: number, asked: number | null) =>
    new Promise<void>((resolve) => {
      const end = () => {
        off.forEach((call) => call());
        pauses.delete(end);
        resolve();
      };
      const off = [env.after(Math.max(pause, asked ?? 0), end)];
      if (asked === null) {
        pauses.add(end);
        off.push(env.on("online", end), env.on("visible", end));
      }
    });

  return {
    hurry: () => [...pauses].forEach((end) => end()),
    deliver(message) {
      if (onTheWay.has(message.key)) return null;
      onTheWay.add(message.key);
      const line = message.chat ?? message.key;
      const before = lines.get(line);
      const way =
        (before === undefined
          ? carry(message)
          : before.then((result) => isHeld(result) ? result : carry(message)))
          .finally(() => {
            onTheWay.delete(message.key);
            if (lines.get(line) === way) lines.delete(line);
          });
      lines.set(line, way);
      return way;
    },
  };
}

/** Whether the same again later can help. `status` 0 is a failed network. */
export function isPassing(status: number): boolean {
  return status === 0 || status === 429 || status >= 500;
}

/** Whether a message stays in the outbox, and those behind it too. */
export function isHeld(result: Delivered): result is Failure {
  return !result.ok && (isPassing(result.status) || result.status === 401);
}
