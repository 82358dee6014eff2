/**
 * Shows on the terminal what the agent does.
 *
 * @module
 */
import type { AgentEvent } from "../lib/chat/events.ts";

/** Prints the model's words, the calls it makes, and what the tools answer. */
export function show(event: AgentEvent): void {
  switch (event.type) {
    case "text-delta":
      return void Deno.stdout.writeSync(new TextEncoder().encode(event.delta));
    case "text-end":
      return console.log();
    case "tool-input-available":
      return console.log(`→ ${event.toolName} ${JSON.stringify(event.input)}`);
    case "tool-output-available":
      return console.log(`← ${event.output.text}`);
    case "tool-input-error":
    case "tool-output-error":
      return console.log(`✗ ${event.errorText}`);
  }
}
