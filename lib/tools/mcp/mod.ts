/**
 * Tools that other programs bring, by the Model Context Protocol.
 *
 * ```ts
 * const { servers } = await readMcpFile(null, Deno.env.toObject());
 * const mcp = openMcp({ servers, pins, now, warn, warm: true });
 * const tools = await mcp.tools(owner);
 * ```
 *
 * Everything a server says is a stranger's word: its tools count as `external`
 * unless the operator vouches for them in the file, what they return is
 * untrusted, and a tool that is not what it was at first sight stays off until a
 * person has confirmed it.
 *
 * @module
 */
import type { Tool } from "../../agent/contracts.ts";
import type { ToolServerView } from "../../chat/views.ts";
import type { ServerSpec } from "./file.ts";
import { Pins, type PinStore } from "./pin.ts";
import { Session } from "./session.ts";

export { type McpFile, McpFileError, readMcpFile } from "./file.ts";
export type { PinStore, ServerSpec };

export interface McpOptions {
  servers: ServerSpec[];
  /** Keeps what every tool was at first sight. */
  pins: PinStore;
  now: () => Date;
  /** A line for the log about a server that is broken or has changed. */
  warn: (message: string) => void;
  /**
   * Connect as soon as somebody looks at the status. For where there is one
   * person only: elsewhere every passer-by would start programs.
   */
  warm: boolean;
}

export interface McpHub {
  /**
   * The tools this person may call now. Never rejects: of a server that is dead,
   * or not up after `waitMs` (2,000), there are none; it goes on coming up in the
   * background. A run that goes on after an approval had better wait longer.
   */
  tools(owner: string, waitMs?: number): Promise<Tool[]>;
  /** Every server as far as this person's connection to it has got. */
  status(owner: string): ToolServerView[];
  /**
   * Accepts a changed tool as {@linkcode status} last showed it; false if there is
   * no such change, or it has changed again since then.
   */
  confirm(owner: string, server: string, tool: string): Promise<boolean>;
  /** Ends every connection and every program. */
  close(): Promise<void>;
}

const WAIT_MS = 2_000;
/** Connections of all people together; a program each, if they are programs. */
const MAX_CONNECTIONS = 64;

/** Makes the hub. Nothing is started before somebody needs it. */
export function openMcp(options: McpOptions): McpHub {
  const { servers, now, warn: say, warm } = options;
  const warn = oftenOnce(say);
  const shared = { pins: new Pins(options.pins, now), now, warn };
  const people = new Map<string, Map<string, Session>>();
  let closed = false;

  const fresh = () =>
    new Map(servers.map((spec) => [spec.name, new Session(spec, shared)]));

  /** Asks this person's servers, new ones if there is room for their programs. */
  const look = (owner: string): Promise<unknown> => {
    if (closed || servers.length === 0) return Promise.resolve();
    const own = people.get(owner) ?? fresh();
    people.set(owner, own);
    const sessions = [...own.values()];
    const room = makeRoom(people, owner);
    return Promise.allSettled(
      sessions.filter((session) => room || session.live)
        .map((session) => session.look()),
    );
  };

  return {
    async tools(owner, waitMs = WAIT_MS) {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, waitMs);
      await Promise.race([look(owner), late]);
      clearTimeout(timer);
      const sessions = [...people.get(owner)?.values() ?? []];
      return unique(sessions.flatMap((session) => session.tools()), warn);
    },
    status(owner) {
      if (warm) void look(owner);
      return [...(people.get(owner) ?? fresh()).values()]
        .map((session) => session.view());
    },
    confirm: async (owner, server, tool) =>
      await people.get(owner)?.get(server)?.confirm(tool) ?? false,
    async close() {
      closed = true;
      const sessions = [...people.values()].flatMap((of) => [...of.values()]);
      people.clear();
      await Promise.all(sessions.map(({ connection }) => connection.close()));
    },
  };
}

/**
 * Ends the connections that are missed least and forgets people who have none.
 * False if all of them are at work and there are too many for one more person.
 */
function makeRoom(
  people: Map<string, Map<string, Session>>,
  owner: string,
): boolean {
  const others = [...people].filter(([other]) => other !== owner);
  const live = others.flatMap(([, sessions]) => [...sessions.values()])
    .filter((session) => session.live);
  const room = MAX_CONNECTIONS - people.get(owner)!.size;
  const spare = live.map(({ connection }) => connection)
    .filter(({ idle }) => idle)
    .sort((a, b) => a.usedAt - b.usedAt)
    .slice(0, Math.max(0, live.length - room));
  for (const connection of spare) void connection.rest();
  if (people.size > MAX_CONNECTIONS) {
    for (const [other, sessions] of others) {
      const all = [...sessions.values()];
      if (all.some((session) => session.live)) continue;
      people.delete(other);
      for (const { connection } of all) void connection.close();
    }
  }
  return live.length - spare.length <= room;
}

/** Two tools of one name cannot stand side by side (case T07). */
function unique(tools: Tool[], warn: (message: string) => void): Tool[] {
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    if (!byName.has(tool.name)) byName.set(tool.name, tool);
    else warn(`${tool.source}: two tools are called ${tool.name}; one is out`);
  }
  return [...byName.values()];
}

/** A broken server is asked again and again; the log need not say so each time. */
function oftenOnce(warn: (message: string) => void): (message: string) => void {
  const said = new Map<string, number>();
  return (message) => {
    const last = said.get(message);
    const now = performance.now();
    if (last !== undefined && now - last < 60_000) return;
    if (said.size >= 500) said.clear();
    said.set(message, now);
    warn(message);
  };
}
