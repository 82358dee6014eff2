import AllowAgain from "../islands/AllowAgain.tsx";
import type { ToolServerView } from "../lib/chat/views.ts";
import { ToolsPage } from "../lib/ui/components/tools_page.tsx";
import { toolsPageMessages } from "../lib/ui/tools_page_messages.ts";
import type { Handlers, PageProps } from "../lib/web/route.ts";

interface Data {
  servers: ToolServerView[];
}

export const handler: Handlers<Data> = {
  GET({ state }) {
    state.title = toolsPageMessages[state.lang].title;
    return { data: { servers: state.toolServers.status(state.owner) } };
  },
};

/** Seconds between two looks while a server is still coming up. */
const RELOAD_S = "2";

/** The servers of tools and how they are; read without scripts. */
export default function Tools({ data, state }: PageProps<Data>) {
  const coming = data.servers.some(({ state }) => state === "connecting");
  return (
    <>
      {coming && <meta http-equiv="refresh" content={RELOAD_S} />}
      <ToolsPage
        servers={data.servers}
        lang={state.lang}
        // As `POST /api/tools/confirm` has it (case T11).
        Allow={state.access === "loopback" ? AllowAgain : null}
      />
    </>
  );
}
