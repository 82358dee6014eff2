import ChatEn from "../islands/ChatEn.tsx";
import ChatZh from "../islands/ChatZh.tsx";
import type { ChatSummary } from "../lib/chat/views.ts";
import type { Handlers, PageProps } from "../lib/web/route.ts";

interface Data {
  chats: ChatSummary[];
}

export const handler: Handlers<Data> = {
  async GET({ state }) {
    return { data: { chats: await state.runs.chats(state.owner) } };
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
    />
  );
}
