import type { ToolServerView } from "../chat/views.ts";

/** A server of tools that does not give all it has. */
export interface ToolTrouble {
  server: string;
  kind: "unreachable" | "changed";
}

/** What a person who is about to ask should know of the servers of tools. */
export function troubleOf(servers: ToolServerView[]): ToolTrouble[] {
  return servers.flatMap(({ name, state, tools }): ToolTrouble[] =>
    state === "unreachable"
      ? [{ server: name, kind: "unreachable" }]
      : tools.some((tool) => tool.state === "changed")
      ? [{ server: name, kind: "changed" }]
      : []
  );
}
