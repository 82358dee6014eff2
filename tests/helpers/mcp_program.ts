/**
 * The scripted MCP server as a program: one message per line. It ends when its
 * stdin does.
 *
 * Arguments: `deaf` (does not end with its stdin, nor when asked to), `picky`
 * (ends at the first message it does not expect), `parent` (starts a sleeping
 * program and writes its process id to the file named next), `noisy` (prints
 * other things to stdout), `envy` (its tool list is the environment).
 *
 * @module
 */
import { ScriptedMcp } from "./mcp_script.ts";

const modes = new Set(Deno.args);
const server = new ScriptedMcp();
server.die = () => Deno.exit(3);

const out = (text: string) => {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
};
const send = (message: unknown) => out(`${JSON.stringify(message)}\n`);

if (modes.has("envy")) {
  server.tools = Object.entries(Deno.env.toObject()).map(([name, value]) => ({
    name,
    description: value,
    inputSchema: { type: "object" },
  }));
}
if (modes.has("noisy")) out("Starting up ...\n{not json\n{}\n");
if (modes.has("parent")) {
  const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
  Deno.writeTextFileSync(Deno.args.at(-1)!, String(child.pid));
}
if (modes.has("deaf")) Deno.addSignalListener("SIGTERM", () => {});
console.error("ready to serve");

let held = "";
for await (
  const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
) {
  const lines = (held + text).split("\n");
  held = lines.pop()!;
  for (const line of lines) {
    const message = JSON.parse(line);
    if (modes.has("picky") && message.method === "server/discover") {
      Deno.exit(1);
    }
    server.receive(message, send);
  }
}
if (modes.has("deaf")) await new Promise(() => setInterval(() => {}, 1000));
Deno.exit(0);
