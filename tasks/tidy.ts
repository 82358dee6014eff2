/**
 * `deno task tidy`: formatting, lint and types.
 *
 * @module
 */
import { chooseHost } from "./launch.ts";
import { tidy } from "./tidy_steps.ts";

await tidy(await chooseHost());
