/**
 * The one error of this room.
 *
 * @module
 */

import { ToolRefusal } from "../../agent/contracts.ts";

/**
 * A page that could not be read. `message` is for the model and whoever reads
 * along: it names nothing of the network the model did not name itself, and
 * repeats nothing a server said.
 */
export class WebError extends ToolRefusal {
  override name = "WebError";
}
