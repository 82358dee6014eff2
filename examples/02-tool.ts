/**
 * Tools of your own: one that reads, and one that changes something, which the
 * agent may not do before a person has allowed it.
 *
 * ```sh
 * deno run -A --config deno.npm.json examples/02-tool.ts "How many lamps are in stock? Reserve 2 of them."
 * ```
 *
 * Asks before it reserves; `--yes` allows everything.
 *
 * @module
 */
import * as z from "zod";
import { ask, tool } from "../lib/agent/mod.ts";
import { openModel } from "./model.ts";
import { show } from "./show.ts";

const shelf = { lamp: 7, chair: 2, table: 0 };
const item = z.enum(["lamp", "chair", "table"]);

const stock = tool({
  name: "stock",
  description: "How many of an item are on the shelf.",
  input: z.object({ item }),
  effect: "read",
  run: ({ item }) => ({ text: `In stock: ${shelf[item]}.` }),
});

const reserve = tool({
  name: "reserve",
  description: "Takes some of an item off the shelf for the customer.",
  input: z.object({ item, count: z.int().positive() }),
  effect: "write",
  run({ item, count }) {
    // What a tool throws is told to the model, which can make the best of it.
    if (count > shelf[item]) throw new Error(`only ${shelf[item]} are left`);
    shelf[item] -= count;
    return { text: `Reserved ${count}, ${shelf[item]} left.` };
  },
});

const args = Deno.args.filter((arg) => arg !== "--yes");
const yes = args.length < Deno.args.length;

await ask({
  model: await openModel(),
  tools: [stock, reserve],
  question: args.join(" ") || "Is there a chair in stock?",
  onEvent: show,
  // Where there is no terminal to ask on, `confirm` answers no.
  approve: ({ call }) =>
    yes || confirm(
      call ? `Allow ${call.name} ${JSON.stringify(call.input)}?` : "Go on?",
    ),
});
console.log("On the shelf:", shelf);
