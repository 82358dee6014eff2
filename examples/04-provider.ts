/**
 * A model provider of your own. This one has no mind: it calls the tools you name
 * and repeats what they answer. One that asks a server is `lib/models/openai.ts`.
 *
 * ```sh
 * deno run -A --config deno.npm.json examples/04-provider.ts "What time is it?"
 * ```
 *
 * @module
 */
import type { Model, ToolSpec } from "../lib/agent/contracts.ts";
import { ask } from "../lib/agent/mod.ts";
import { currentTime } from "../lib/tools/current_time.ts";
import { show } from "./show.ts";

export const literalModel: Model = {
  id: "literal",
  async stream({ messages, tools }, emit, signal) {
    const at = messages.findLastIndex(({ role }) => role === "user");
    const question = messages[at]!.text;
    const results = messages.slice(at).filter(({ role }) => role === "tool");
    const words = question.toLowerCase().match(/[a-z]+/g) ?? [];
    const named = words.flatMap((word) =>
      tools.filter(({ name }) => name.split(/[_-]/).at(-1) === word)
    );
    // The agent runs the call and asks again, with its result.
    const tool = named[results.length];
    if (tool !== undefined) {
      const input = JSON.stringify(argumentsIn(question, tool));
      const call = { id: "call", name: tool.name, arguments: input };
      return { finishReason: "tool-calls", toolCalls: [call] };
    }
    const text = results.map(({ text }) => text).join(" ") ||
      `Name one of my tools: ${tools.map(({ name }) => name).join(", ")}.`;
    for (const word of text.split(/(?<=\s)/)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      // Whoever stopped it gets the reason they gave.
      signal.throwIfAborted();
      emit({ type: "text", delta: word });
    }
    return { finishReason: "stop", toolCalls: [] };
  },
};

/** A choice that is named, the next number, or the whole text. */
function argumentsIn(text: string, { parameters }: ToolSpec) {
  const numbers = text.match(/\d+/g) ?? [];
  const find = ({ type, enum: choices }: { type?: string; enum?: string[] }) =>
    choices?.find((choice) => text.includes(choice)) ??
      (type === "string" ? text : type ? Number(numbers.shift()) : null);
  const wanted = Object.entries(parameters.properties ?? {});
  return Object.fromEntries(wanted.map(([name, each]) => [name, find(each)]));
}

if (import.meta.main) {
  const question = Deno.args.join(" ");
  const tools = [currentTime];
  await ask({ model: literalModel, tools, question, onEvent: show });
}
