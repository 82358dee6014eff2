/**
 * A hub over servers of a test, with pins in memory, and what its tools need to
 * run.
 *
 * @module
 */
import type {
  Tool,
  ToolContext,
  ToolProgress,
} from "../../lib/agent/contracts.ts";
import type { ToolOutput } from "../../lib/chat/events.ts";
import { type McpHub, openMcp } from "../../lib/tools/mcp/mod.ts";
import { parseMcpFile } from "../../lib/tools/mcp/file.ts";

const ROOT = new URL("../../", import.meta.url);
/** How the scripted server is started as a program. */
export const program = (...modes: string[]) => ({
  command: Deno.execPath(),
  args: [
    "run",
    "-A",
    "--no-config",
    new URL("tests/helpers/mcp_program.ts", ROOT).pathname,
    ...modes,
  ],
});

/** Exactly as pinned: asked for without a version it would change the lock. */
const { imports } = JSON.parse(
  Deno.readTextFileSync(new URL("deno.npm.json", ROOT)),
);

/** How the reference server from npm is started. */
export const everything = (...args: string[]) => ({
  command: Deno.execPath(),
  args: [
    "run",
    "-A",
    "--config",
    new URL("deno.npm.json", ROOT).pathname,
    imports["@modelcontextprotocol/server-everything"],
    ...args,
  ],
});

export interface TestHub extends AsyncDisposable {
  hub: McpHub;
  /** Everything that was said for the log. */
  said: string[];
  pins: Map<string, string>;
  /** The tool of this name; fails if it is not offered. */
  tool(name: string, owner?: string): Promise<Tool>;
}

export interface TestHubOptions {
  /** Kept by several hubs: a restart. */
  pins?: Map<string, string>;
  env?: Record<string, string>;
  now?: () => Date;
  warm?: boolean;
}

/** Opens a hub over `mcpServers` as they would stand in the file. */
export function openTestHub(
  mcpServers: Record<string, unknown>,
  options: TestHubOptions = {},
): TestHub {
  const { pins = new Map(), now = () => new Date(), warm = false } = options;
  const env = { ...Deno.env.toObject(), ...options.env };
  const text = JSON.stringify({ mcpServers });
  const said: string[] = [];
  const hub = openMcp({
    servers: parseMcpFile(text, "test.json", env).servers,
    pins: {
      get: (key) => Promise.resolve(pins.get(key) ?? null),
      put: (key, json) => Promise.resolve(void pins.set(key, json)),
    },
    now,
    warn: (message) => said.push(message),
    warm,
  });
  return {
    hub,
    said,
    pins,
    async tool(name, owner = "ann") {
      const tools = await hub.tools(owner, 10_000);
      const found = tools.find((tool) => tool.name === name);
      if (found !== undefined) return found;
      const names = tools.map((tool) => tool.name).join(", ");
      throw new Error(`no tool ${name} among ${names}; ${said.join("; ")}`);
    },
    [Symbol.asyncDispose]: () => hub.close(),
  };
}

/** Runs a tool as the toolbox does, and hears of its progress. */
export async function runTool(
  tool: Tool,
  input: unknown,
  options: {
    signal?: AbortSignal;
    progress?: (progress: ToolProgress) => void;
  } = {},
): Promise<ToolOutput> {
  const context: ToolContext = {
    signal: options.signal ?? new AbortController().signal,
    now: new Date(),
    progress: options.progress ?? (() => {}),
  };
  return await tool.run(tool.input.parse(input), context);
}

/** Looks again and again, for what has no signal; fails after ten seconds. */
export async function eventually(condition: () => boolean): Promise<void> {
  const limit = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`In vain: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
