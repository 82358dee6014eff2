/**
 * The browser as the screen's models see it. Everything they touch of the world
 * comes through here, so that the same models run in a plain test.
 *
 * @module
 */

import { fetchDrawings } from "./later.ts";
import type { shareTape, Tabs } from "./shared_tape.ts";
import { browserTabs } from "./tabs.ts";

/** What happens to a page that models care about. */
export type PageEvent = "online" | "offline" | "visible" | "hidden";

/** A message between tabs: this chat is not what it was, look again. */
export type TabMessage = "changed";

/** A line to the other tabs that look at the same chat. */
export interface TabChannel {
  post(message: TabMessage): void;
  close(): void;
}

export interface Environment {
  fetch(input: string, init?: RequestInit): Promise<Response>;
  /** Milliseconds; only differences matter. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Calls back once after `ms`; the answer cancels it. */
  after(ms: number, call: () => void): () => void;
  /** Calls back before the next repaint; the answer cancels it. */
  frame(call: () => void): () => void;
  /** True when text should appear at once: page hidden, or motion unwanted. */
  still(): boolean;
  /** A fresh idempotency key. */
  newKey(): string;
  /**
   * The reader of tapes, and what a tape may ask to draw, fetched with the first
   * run: a page opens without them.
   */
  tapeReader(): Promise<typeof shareTape>;
  read(key: string): string | null;
  /** The names kept that begin like this. */
  keys(prefix: string): string[];
  /** Null forgets. Never throws: a full or forbidden storage is no storage. */
  write(key: string, value: string | null): void;
  /** Another tab has written or forgotten something. */
  onWrite(call: (key: string) => void): () => void;
  on(event: PageEvent, call: () => void): () => void;
  channel(name: string, receive: (message: TabMessage) => void): TabChannel;
  /** Null where tabs cannot agree on who reads. */
  readonly tabs: Tabs | null;
  /** The address bar. */
  path(): string;
  push(path: string): void;
  onPop(call: () => void): () => void;
}

/** `randomUUID` exists only in secure contexts, and a LAN address is not one. */
const newKey = () =>
  Array.from(
    crypto.getRandomValues(new Uint8Array(16)),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");

/** The environment of a real page. */
export function browserEnvironment(): Environment {
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  return {
    fetch: (input, init) => fetch(input, init),
    now: () => performance.now(),
    random: () => Math.random(),
    after(ms, call) {
      const id = setTimeout(call, ms);
      return () => clearTimeout(id);
    },
    frame(call) {
      const id = requestAnimationFrame(call);
      return () => cancelAnimationFrame(id);
    },
    still: () => document.hidden || reduced.matches,
    newKey,
    async tapeReader() {
      const [{ shareTape }] = await Promise.all([
        import("./shared_tape.ts"),
        fetchDrawings(),
      ]);
      return shareTape;
    },
    read(key) {
      try {
        return localStorage.getItem(key);
      } catch {
        return null;
      }
    },
    keys(prefix) {
      try {
        return Object.keys(localStorage).filter((key) =>
          key.startsWith(prefix)
        );
      } catch {
        return [];
      }
    },
    write(key, value) {
      try {
        if (value === null) localStorage.removeItem(key);
        else localStorage.setItem(key, value);
      } catch {
        // Private windows and full disks: the page works, it only forgets.
      }
    },
    onWrite(call) {
      const written = ({ key }: StorageEvent) => {
        if (key !== null) call(key);
      };
      addEventListener("storage", written);
      return () => removeEventListener("storage", written);
    },
    on(event, call) {
      if (event === "online" || event === "offline") {
        addEventListener(event, call);
        return () => removeEventListener(event, call);
      }
      const changed = () => {
        if (document.hidden === (event === "hidden")) call();
      };
      document.addEventListener("visibilitychange", changed);
      return () => document.removeEventListener("visibilitychange", changed);
    },
    channel(name, receive) {
      if (typeof BroadcastChannel === "undefined") {
        return { post() {}, close() {} };
      }
      const channel = new BroadcastChannel(name);
      channel.onmessage = (event: MessageEvent<TabMessage>) =>
        receive(event.data);
      return {
        post: (message) => channel.postMessage(message),
        close: () => channel.close(),
      };
    },
    tabs: browserTabs(),
    path: () => location.pathname,
    push: (path) => history.pushState(null, "", path),
    onPop(call) {
      addEventListener("popstate", call);
      return () => removeEventListener("popstate", call);
    },
  };
}

/**
 * The environment of a page being rendered on the server: nothing happens, but
 * the form gets its key.
 */
export const serverEnvironment: Environment = {
  fetch: () => Promise.reject(new TypeError("Cannot fetch: rendering")),
  now: () => 0,
  random: () => 0,
  after: () => () => {},
  frame: () => () => {},
  still: () => true,
  newKey,
  tapeReader: () => Promise.reject(new TypeError("Cannot read: rendering")),
  read: () => null,
  keys: () => [],
  write() {},
  onWrite: () => () => {},
  on: () => () => {},
  channel: () => ({ post() {}, close() {} }),
  tabs: null,
  path: () => "/",
  push() {},
  onPop: () => () => {},
};
