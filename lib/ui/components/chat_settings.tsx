import { type Signal, useSignal } from "@preact/signals";
import type { ChatModel } from "../chat_model.ts";
import { useText } from "../words.ts";
import type { ChatPanel } from "./chat_panel.tsx";
import { Icon } from "./icons.tsx";

export interface ChatSettingsProps {
  model: ChatModel;
  /** What answers where a chat has no choice of its own. */
  standard: string;
  /** Whether the panel is open. */
  open: Signal<boolean>;
}

/** Which model answers here; opens the chat's settings, fetched when wanted. */
export function ChatSettingsButton(
  { model, standard, open }: ChatSettingsProps,
) {
  const text = useText();
  const panel = useSignal<typeof ChatPanel | null>(null);
  const Panel = panel.value;
  const name = model.settings.current.value.model ?? standard;
  // A chat on its way to the server takes what it was sent with.
  const off = model.phase.value === "sending" && model.chatId.value === null;

  const show = async () => {
    try {
      panel.value = (await import("./chat_panel.tsx")).ChatPanel;
      open.value = true;
    } catch {
      model.notice.value = { kind: "panelNotLoaded" };
    }
  };

  return (
    <>
      <button
        type="button"
        class="bar-model scripted"
        aria-haspopup="dialog"
        aria-label={`${text.chatSettings}: ${name}`}
        title={text.chatSettings}
        data-testid="chat-settings"
        disabled={off}
        onClick={show}
      >
        <span class="digits">{name}</span>
        <Icon name="sliders" />
      </button>
      {open.value && Panel !== null && (
        <Panel
          settings={model.settings}
          standard={standard}
          close={() => open.value = false}
        />
      )}
    </>
  );
}
