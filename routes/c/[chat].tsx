import ChatEn from "../../islands/ChatEn.tsx";
import ChatZh from "../../islands/ChatZh.tsx";
import { isChatId } from "../../lib/chat/ids.ts";
import type { ChatSummary, ChatView } from "../../lib/chat/views.ts";
import { NotFound } from "../../lib/ui/components/message_page.tsx";
import { type ToolTrouble, troubleOf } from "../../lib/ui/tool_trouble.ts";
import { messages } from "../../lib/ui/messages.ts";
import type { Handlers, PageProps } from "../../lib/web/route.ts";

interface Data {
  chat: ChatView | null;
  chats: ChatSummary[];
  toolTrouble: ToolTrouble[];
}

/** Seconds between reloads of a growing answer where there are no scripts. */
const RELOAD_S = "4";

export const handler: Handlers<Data> = {
  async GET({ params, state }) {
    const { runs, owner, toolServers } = state;
    const id = params.chat!;
    const chat = isChatId(id) ? await runs.chat(owner, id) : null;
    if (chat === null) {
      state.title = messages(state.lang).notFoundTitle;
      return {
        data: { chat: null, chats: [], toolTrouble: [] },
        status: 404,
      };
    }
    state.title = chat.title;
    return {
      data: {
        chat,
        chats: await runs.chats(owner),
        toolTrouble: troubleOf(toolServers.status(owner)),
      },
    };
  },
};

/** A chat: readable as it is, alive with scripts. */
export default function ChatPage({ data, state }: PageProps<Data>) {
  if (data.chat === null) return <NotFound lang={state.lang} />;
  const Chat = state.lang === "zh" ? ChatZh : ChatEn;
  return (
    <>
      {data.chat.activeRun !== null && (
        <noscript>
          <meta http-equiv="refresh" content={RELOAD_S} />
        </noscript>
      )}
      <Chat
        chat={data.chat}
        chats={data.chats}
        lang={state.lang}
        theme={state.theme}
        model={state.model}
        toolTrouble={data.toolTrouble}
      />
    </>
  );
}
