/**
 * The list of chats, kept fresh: after every run, when the page is looked at
 * again, and for as long as a chat that is not open is being answered.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ChatSummary } from "../chat/views.ts";
import type { Api } from "./api.ts";
import type { Environment } from "./environment.ts";

/** How often the list is looked at while another chat is being answered. */
const LOOK_AGAIN_MS = 4_000;
/** The same while the others only wait for somebody, who may take all day. */
const LOOK_RARELY_MS = 30_000;

export interface ChatList {
  readonly chats: ReadonlySignal<ChatSummary[]>;
  refresh(): Promise<void>;
  dispose(): void;
}

/** @param open The chat on the screen; its own run is followed anyway. */
export function createChatList(
  start: ChatSummary[],
  open: () => string | null,
  api: Api,
  env: Environment,
): ChatList {
  const chats = signal(start);
  let cancel: (() => void) | null = null;
  let disposed = false;

  async function refresh() {
    const result = await api.chats();
    if (disposed) return;
    if (result.ok) chats.value = result.value;
    cancel?.();
    cancel = null;
    const elsewhere = chats.peek().filter(({ id, activeRun }) =>
      activeRun !== null && id !== open()
    );
    if (elsewhere.length === 0) return;
    const still = elsewhere.every(({ waiting }) => waiting);
    cancel = env.after(still ? LOOK_RARELY_MS : LOOK_AGAIN_MS, refresh);
  }

  return {
    chats,
    refresh,
    dispose() {
      disposed = true;
      cancel?.();
    },
  };
}
