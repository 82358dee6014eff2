/**
 * Ask the agent one question and print its words as they come.
 *
 * ```sh
 * deno run -A --config deno.npm.json examples/01-ask.ts "When is the next bus from the railway station to the university?"
 * ```
 *
 * The model is the one OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL name;
 * without them one that runs on this computer, else the built-in demo.
 *
 * @module
 */
import { ask } from "../lib/agent/mod.ts";
import { readConfig } from "../lib/config.ts";
import { createCatalog } from "../lib/models/catalog.ts";
import { startDemoUpstream } from "../lib/models/demo/mod.ts";
import { createTools } from "../lib/tools/mod.ts";

const question = Deno.args.join(" ") || "What can you do?";

const models = createCatalog({
  config: readConfig(Deno.env.toObject()),
  demo: startDemoUpstream,
  warn: console.error,
});
// Bus schedules, the time, and a calculator.
const { tools, close } = createTools({ cacheDir: "data/cache" });

const encoder = new TextEncoder();
const print = (text: string) => Deno.stdout.writeSync(encoder.encode(text));

await ask({
  model: await models.standard(),
  tools,
  question,
  onEvent(event) {
    if (event.type === "text-delta") print(event.delta);
    if (event.type === "text-end") print("\n");
  },
});

await close();
await models.close();
