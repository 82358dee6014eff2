/**
 * The tools of an MCP server: here of the reference server "everything", started
 * as a program because `03-mcp.json` says so.
 *
 * ```sh
 * deno run -A --config deno.npm.json examples/03-mcp.ts "What is the sum of 2 and 40?"
 * ```
 *
 * The same file under the name `tickertape.mcp.json` gives its servers to the
 * chat.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { ask } from "../lib/agent/mod.ts";
import { openMcp, readMcpFile } from "../lib/tools/mcp/mod.ts";
import { openModel } from "./model.ts";
import { show } from "./show.ts";

const file = fileURLToPath(new URL("03-mcp.json", import.meta.url));
const { servers } = await readMcpFile(file, Deno.env.toObject());

// What each tool said of itself at first sight: one that changes is left out
// until a person has confirmed it. The chat keeps this in its database.
const seen = new Map<string, string>();

const mcp = openMcp({
  servers,
  pins: {
    get: (key) => Promise.resolve(seen.get(key) ?? null),
    put: (key, value) => Promise.resolve(void seen.set(key, value)),
  },
  now: () => new Date(),
  warn: console.error,
  warm: false,
});
const tools = await mcp.tools("me", 30_000);
console.log("Tools:", tools.map((tool) => tool.name).join(" "));

await ask({
  model: await openModel(),
  tools,
  question: Deno.args.join(" ") || "What is the sum of 2 and 40?",
  onEvent: show,
  // Only what "read" names in the file runs unasked.
  approve: ({ call }) => confirm(call ? `Allow ${call.name}?` : "Go on?"),
});
await mcp.close();
