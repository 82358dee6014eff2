/**
 * Keeps the process up when a promise nobody awaited rejects or a timer throws
 * (DN1): either would end every run of every person.
 *
 * @module
 */
import type { Log } from "../log.ts";

/**
 * Logs such errors and goes on.
 *
 * @returns a function that takes the listeners off again.
 */
export function guardProcess(log: Log): () => void {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    log.error("unhandled rejection", {}, event.reason ?? "no reason");
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    log.error("uncaught error", {}, event.error ?? event.message);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return () => {
    globalThis.removeEventListener("unhandledrejection", onRejection);
    globalThis.removeEventListener("error", onError);
  };
}
