/**
 * `deno task ok`: what CI asks for.
 *
 * @module
 */
import { chooseHost, ROOT } from "./launch.ts";
import { tidy } from "./tidy_steps.ts";

const host = await chooseHost();
await tidy(host);
Deno.env.set("TICKERTAPE_SERVE_WITH", host);
await import(new URL("tasks/run_tests.ts", ROOT).href);
