import type { Signal } from "@preact/signals";
import type { ChatModel } from "../chat_model.ts";
import type { Settings } from "../settings.ts";
import { useText } from "../words.ts";
import { DeleteChat } from "./delete_chat.tsx";
import { Icon } from "./icons.tsx";
import { SettingsBar } from "./settings_bar.tsx";
import { Mark } from "./tape_mark.tsx";

export interface SidebarProps {
  model: ChatModel;
  settings: Settings;
  /** The drawer of narrow screens. */
  open: Signal<boolean>;
}

/** A plain click; with a modifier the link is the browser's. */
const plain = (event: MouseEvent) =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey &&
  !event.altKey;

/** The list of chats. Links are links: they work without scripts. */
export function Sidebar({ model, settings, open }: SidebarProps) {
  const text = useText();
  const chats = model.chats.value;
  const current = model.chatId.value;
  const asking = model.asking.value > 0;
  const go = (event: MouseEvent, action: () => void) => {
    if (!plain(event)) return;
    event.preventDefault();
    open.value = false;
    action();
  };
  return (
    <nav class="sidebar" id="chats" aria-label={text.chats}>
      <header>
        <a class="brand" href="/" onClick={(e) => go(e, model.newChat)}>
          <Mark />
          <span>{text.appName}</span>
        </a>
        <a
          class="icon-button narrow"
          href="#"
          aria-label={text.closeMenu}
          onClick={(e) => go(e, () => {})}
        >
          <Icon name="close" />
        </a>
      </header>
      <a
        class="new-chat"
        href="/"
        data-testid="new-chat"
        aria-current={current === null ? "page" : undefined}
        onClick={(e) => go(e, model.newChat)}
      >
        <Icon name="plus" />
        <span>{text.newChat}</span>
      </a>
      {chats.length === 0
        ? <p class="none">{text.noChats}</p>
        : (
          <ul class="chat-list">
            {chats.map(({ id, title, activeRun, waiting }) => (
              <li key={id}>
                <a
                  href={`/c/${id}`}
                  title={title}
                  aria-current={id === current ? "page" : undefined}
                  data-testid="chat-link"
                  data-chat={id}
                  onClick={(e) => go(e, () => model.open(id))}
                >
                  <span class="chat-title" dir="auto">{title}</span>
                  {activeRun !== null && (
                    <State
                      waiting={id === current ? asking : waiting === true}
                    />
                  )}
                </a>
                <DeleteChat model={model} id={id} title={title} />
              </li>
            ))}
          </ul>
        )}
      <a class="tools-link" href="/tools" data-testid="tools-link">
        <Icon name="tool" />
        <span>{text.tools}</span>
      </a>
      <SettingsBar settings={settings} />
    </nav>
  );
}

/** Being answered, or waiting for somebody to look. */
function State({ waiting }: { waiting: boolean }) {
  const text = useText();
  return waiting
    ? (
      <span class="waits" role="img" aria-label={text.chatWaits}>
        <Icon name="clock" />
      </span>
    )
    : <span class="pulse" role="img" aria-label={text.running} />;
}
