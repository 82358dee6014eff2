/**
 * Opens the SDK's client over one of the two transports. The one file that knows
 * how a connection begins; loaded when the first server is needed.
 *
 * @module
 */
import {
  Client,
  type Tool,
  type Transport,
} from "@modelcontextprotocol/client";
import { defineTool, type Definition } from "./definition.ts";
import type { ServerSpec } from "./file.ts";
import { HttpTransport } from "./http.ts";
import { ProgramTransport } from "./stdio.ts";

export interface OpenOptions {
  /** The server says that its tools are others now. */
  onToolsChanged(): void;
  /** The connection ended, whoever ended it. */
  onClose(): void;
  /** Milliseconds for all of it. */
  timeoutMs: number;
  /** Gives up. */
  signal: AbortSignal;
}

/** A server that is spoken to. */
export interface OpenServer {
  readonly client: Client;
  /** What a program wrote to stderr last; for the log. */
  complaint(): string;
  close(): Promise<void>;
}

/** What servers are told of us. */
const OURS = { name: "tickertape", title: "Tickertape", version: "1.0.0" };
/** A program that does not know the question of 2026 may not answer it at all. */
const PROBE_MS = 1_500;
const BYE_MS = 1_000;
const PAGES = 20;
const MAX_TOOLS = 100;
/** Tools that cannot be used, told of one by one; a server may list thousands. */
const MAX_WARNINGS = 10;

/**
 * Connects, speaking the newest version of the protocol both sides know.
 *
 * Of what a server may ask of its client (sampling, elicitation, roots) nothing
 * is offered: it would let a stranger's program spend the model's money or
 * question the person in our name.
 */
export async function openServer(
  spec: ServerSpec,
  options: OpenOptions,
): Promise<OpenServer> {
  try {
    return await open(spec, options, "auto");
  } catch (error) {
    // Some programs end at a question they do not know. Ask in the old way.
    const code = (error as { code?: unknown }).code;
    const again = spec.link.kind === "stdio" && !options.signal.aborted &&
      code === "ERA_NEGOTIATION_FAILED";
    if (!again) throw error;
    return await open(spec, options, "legacy");
  }
}

async function open(
  { link }: ServerSpec,
  { onToolsChanged, onClose, timeoutMs, signal }: OpenOptions,
  mode: "auto" | "legacy",
): Promise<OpenServer> {
  const client = new Client(OURS, {
    versionNegotiation: {
      mode,
      ...(link.kind === "stdio" ? { probe: { timeoutMs: PROBE_MS } } : {}),
    },
    inputRequired: { autoFulfill: false },
    listChanged: {
      tools: {
        autoRefresh: false,
        debounceMs: 200,
        onChanged: () => onToolsChanged(),
      },
    },
  });
  // What cannot be understood is dropped; what matters rejects the request.
  client.onerror = () => {};
  const transport = link.kind === "stdio"
    ? new ProgramTransport(link)
    : new HttpTransport(link);
  const giveUp = () => void transport.close();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await client.connect(transport as Transport, {
      timeout: timeoutMs,
      signal,
    });
    signal.throwIfAborted();
  } catch (error) {
    await transport.close().catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  client.onclose = onClose;
  return {
    client,
    complaint: () =>
      transport instanceof ProgramTransport ? transport.complaint : "",
    async close() {
      if (!(transport instanceof ProgramTransport)) {
        await within(BYE_MS, transport.terminateSession().catch(() => {}));
      }
      await client.close();
    },
  };
}

async function within(ms: number, promise: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

/** A server's tools, as far as they can be used, and why the others cannot. */
export async function listTools(
  client: Client,
  timeout: number,
): Promise<{ tools: Definition[]; warnings: string[] }> {
  if (client.getServerCapabilities()?.tools === undefined) {
    return { tools: [], warnings: [] };
  }
  const found = new Map<string, Definition>();
  const warnings: string[] = [];
  let unfit = 0;
  const leaveOut = (why: string) => {
    if (++unfit <= MAX_WARNINGS) warnings.push(why);
  };
  const limit = performance.now() + timeout;
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const left = Math.max(1, limit - performance.now());
    // Page by page: the SDK's own walk keeps all of it before anyone may look.
    const listed = await client.request({
      method: "tools/list",
      params: cursor === undefined ? {} : { cursor },
    }, { timeout: left });
    for (const tool of listed.tools as Tool[]) {
      const defined = defineTool(tool);
      const shown = JSON.stringify(tool.name.slice(0, 80));
      if (typeof defined === "string") {
        leaveOut(`tool ${shown} is left out: ${defined}`);
      } else if (found.has(tool.name)) {
        leaveOut(`tool ${shown} is listed twice; the first one counts`);
      } else found.set(tool.name, defined);
      if (found.size > MAX_TOOLS) break;
    }
    cursor = listed.nextCursor;
    if (cursor === undefined || found.size > MAX_TOOLS) break;
  }
  if (unfit > MAX_WARNINGS) {
    warnings.push(`lists more than ${MAX_WARNINGS} tools that cannot be used`);
  }
  if (found.size > MAX_TOOLS || cursor !== undefined) {
    warnings.push(`has more than ${MAX_TOOLS} tools; the first ones count`);
  }
  return { tools: [...found.values()].slice(0, MAX_TOOLS), warnings };
}
