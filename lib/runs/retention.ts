/**
 * Forgets chats nobody has asked in for a long time, where the settings say so.
 *
 * @module
 */
import type { Store } from "../store/contract.ts";

export interface RetentionOptions {
  store: Store;
  /** Days after the last question of a chat. */
  days: number;
  now: () => Date;
  report: (message: string, error: unknown) => void;
}

export interface Retention {
  /** Removes everything that is too old now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
/** Chats removed in one go: nobody else waits long for the store. */
const AT_ONCE = 20;

/** Looks at once and then every hour, until closed. */
export function startRetention(options: RetentionOptions): Retention {
  const { store, days, now, report } = options;
  let closed = false;
  let looking = Promise.resolve();

  async function remove() {
    const before = now().getTime() - days * DAY;
    try {
      while (!closed && await store.removeOlder(before, AT_ONCE) === AT_ONCE);
    } catch (error) {
      report("Old chats could not be removed", error);
    }
  }

  const look = () => looking = looking.then(remove);
  const timer = setInterval(look, HOUR);
  look();
  return {
    look,
    close() {
      closed = true;
      clearInterval(timer);
      return looking;
    },
  };
}
