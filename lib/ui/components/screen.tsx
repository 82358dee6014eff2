import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { ChatSummary, ChatView, Language } from "../../chat/views.ts";
import { type ChatModel, createChatModel } from "../chat_model.ts";
import { browserEnvironment, serverEnvironment } from "../environment.ts";
import * as later from "../later.ts";
import { loadMessages } from "../load_messages.ts";
import type { Messages } from "../messages_en.ts";
import type { Follow } from "../scroll.ts";
import { createSettings, type Theme } from "../settings.ts";
import type { ToolTrouble } from "../tool_trouble.ts";
import { Speaking } from "../words.ts";
import { ChatSettingsButton } from "./chat_settings.tsx";
import { Composer } from "./composer.tsx";
import { Icon } from "./icons.tsx";
import { Sidebar } from "./sidebar.tsx";
import { Announcer, StatusLine } from "./status.tsx";
import { ToolNotice } from "./tool_notice.tsx";
import { Transcript } from "./transcript.tsx";

/** Everything the screen starts from; plain JSON, made by the page's handler. */
export interface ScreenStart {
  chat: ChatView | null;
  chats: ChatSummary[];
  lang: Language;
  theme: Theme;
  model: { id: string; demo: boolean };
  toolTrouble: ToolTrouble[];
}

/** The whole application as one person sees it. */
export function Screen(
  { chat, chats, lang, words, theme, model: llm, toolTrouble }:
    & ScreenStart
    & { words: Messages },
) {
  const browser = typeof document !== "undefined";
  const model = useMemo(
    () =>
      createChatModel(
        { chat, chats },
        browser ? browserEnvironment() : serverEnvironment,
      ),
    [],
  );
  const settings = useMemo(
    () =>
      createSettings({ lang, words, theme }, {
        document: () => document,
        load: loadMessages,
      }),
    [],
  );
  const menu = useSignal(false);
  const panel = useSignal(false);
  const follow = useSignal<Follow | null>(null);
  const demo = useSignal(llm.demo);
  const ready = useSignal(false);
  const speech = settings.speech.value;
  const text = speech.words;
  const title = model.title.value;

  useEffect(() => {
    ready.value = true;
    return model.start();
  }, []);
  useEffect(() => {
    document.title = title === "" ? text.appName : `${title} · ${text.appName}`;
  }, [title, text]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.isComposing) return;
      // A dialog closes itself, and only that.
      if (document.querySelector("dialog[open]") !== null) return;
      if (menu.peek()) menu.value = false;
      else if (model.branches.editing.peek() !== null) model.branches.leave();
      else model.stop();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  return (
    <Speaking value={speech}>
      <div
        class={menu.value ? "screen menu-open" : "screen"}
        data-ready={ready.value ? "" : undefined}
      >
        <a class="skip" href="#composer">{text.skipToComposer}</a>
        <Sidebar model={model} settings={settings} open={menu} />
        <a
          class="backdrop"
          href="#"
          tabIndex={-1}
          aria-hidden="true"
          onClick={(event) => {
            event.preventDefault();
            menu.value = false;
          }}
        />
        <main inert={menu.value}>
          <header class="bar">
            <a
              class="icon-button narrow"
              href="#chats"
              aria-label={text.openMenu}
              data-testid="menu"
              onClick={(event) => {
                event.preventDefault();
                menu.value = true;
              }}
            >
              <Icon name="menu" />
            </a>
            <span
              class={title === "" ? "bar-title new" : "bar-title"}
              dir="auto"
            >
              {title || text.appName}
            </span>
            <ChatSettingsButton model={model} standard={llm.id} open={panel} />
            <a
              class="icon-button narrow"
              href="/"
              aria-label={text.newChat}
              onClick={(event) => {
                event.preventDefault();
                model.newChat();
              }}
            >
              <Icon name="plus" />
            </a>
          </header>
          <Transcript model={model} follow={follow} />
          <div class="foot">
            <StatusLine model={model} />
            {model.queue.items.value.length > 0 && <Queue model={model} />}
            <Composer model={model} />
            <ToolNotice trouble={toolTrouble} />
            {demo.value && (
              <p class="demo" data-testid="demo">
                {text.demo}
                <button
                  type="button"
                  class="icon-button scripted"
                  aria-label={text.dismiss}
                  onClick={() => demo.value = false}
                >
                  <Icon name="close" />
                </button>
              </p>
            )}
          </div>
          <Announcer model={model} />
        </main>
      </div>
    </Speaking>
  );
}

/** Messages that wait; only their words where nothing more could be fetched. */
function Queue({ model }: { model: ChatModel }) {
  const more = later.more.use();
  if (more !== null) return <more.QueueList model={model} />;
  return (
    <section class="queue" data-testid="queue">
      <ol>
        {model.queue.items.value.map(({ key, text, state }) => (
          <li key={key} data-testid="queue-item" data-state={state}>
            <p dir="auto">{text}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}
