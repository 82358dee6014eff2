/**
 * Asks the server what the open chat is now. What it says counts only if nothing
 * has changed here between the question and the answer.
 *
 * @module
 */
import type { ReadonlySignal } from "@preact/signals";
import type { ChatView } from "../chat/views.ts";
import type { Api } from "./api.ts";

export interface Sync {
  /** Looks, and once more if it is called again meanwhile. */
  sync(): Promise<void>;
  /** Something changed here: an older word of the server's does not count. */
  changed(): void;
  dispose(): void;
}

/** @param take Hears what the chat is. */
export function createSync(
  api: Pick<Api, "chat">,
  { chatId, view }: {
    chatId: ReadonlySignal<string | null>;
    view: ReadonlySignal<number>;
  },
  take: (chat: ChatView) => void,
): Sync {
  let changes = 0;
  let looking: Promise<void> | null = null;
  let disposed = false;

  async function look() {
    while (!disposed) {
      const at = changes;
      const mine = view.peek();
      const id = chatId.peek();
      if (id === null) return;
      const result = await api.chat(id);
      if (at !== changes || mine !== view.peek()) continue;
      if (result.ok) take(result.value);
      return;
    }
  }

  return {
    sync() {
      changes++;
      return looking ??= look().finally(() => looking = null);
    },
    changed: () => void changes++,
    dispose: () => disposed = true,
  };
}
