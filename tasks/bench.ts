/**
 * `deno task bench`: the benchmarks, with whichever host can be had.
 *
 * @module
 */
import { buildFresh, chooseHost, configFlags, run } from "./launch.ts";

const host = await chooseHost();
if (host === "fresh") await buildFresh();
Deno.exit(
  await run(
    ["run", "-A", ...configFlags(host), "bench/mod.ts", ...Deno.args],
    { TICKERTAPE_SERVE_WITH: host },
  ),
);
