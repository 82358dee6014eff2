/**
 * The other tabs of a real browser: Web Locks and BroadcastChannel. Both are
 * there in secure contexts only, and a plain LAN address is none.
 *
 * @module
 */
import type { LogEntry } from "../chat/events.ts";
import type { Tabs } from "./shared_tape.ts";

/** Null where the browser does not have both. */
export function browserTabs(): Tabs | null {
  const { locks } = navigator as { locks?: LockManager };
  if (locks === undefined || typeof BroadcastChannel === "undefined") {
    return null;
  }
  return {
    hold(name, mine) {
      const wish = new AbortController();
      const { promise, resolve } = Promise.withResolvers<void>();
      // An aborted wish rejects: that is how it ends.
      locks.request(name, { signal: wish.signal }, () => {
        mine();
        return promise;
      }).catch(() => {});
      return () => {
        wish.abort();
        resolve();
      };
    },
    line(name, receive) {
      const channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }: MessageEvent<LogEntry>) => receive(data);
      return {
        post: (entry) => channel.postMessage(entry),
        close: () => channel.close(),
      };
    },
  };
}
