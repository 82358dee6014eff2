import ChatEn from "../islands/ChatEn.tsx";
import ChatZh from "../islands/ChatZh.tsx";
import type { ChatSummary } from "../lib/chat/views.ts";
import { type ToolTrouble, troubleOf } from "../lib/ui/tool_trouble.ts";
import type { Handlers, PageProps } from "../lib/web/route.ts";

interface Data {
  chats: ChatSummary[];
  toolTrouble: ToolTrouble[];
}

export const handler: Handlers<Data> = {
  async GET({ state }) {
    const { runs, owner, toolServers } = state;
    return {
      data: {
        chats: await runs.chats(owner),
        toolTrouble: troubleOf(toolServers.status(owner)),
      },
    };
  },
};

/** A new chat. */
export default function NewChat({ data, state }: PageProps<Data>) {
  const Chat = state.lang === "zh" ? ChatZh : ChatEn;
  return (
    <Chat
      chat={null}
      chats={data.chats}
      lang={state.lang}
      theme={state.theme}
      model={state.model}
      toolTrouble={data.toolTrouble}
    />
  );
}
