/**
 * `deno task build`: builds what the browser loads.
 *
 * @module
 */
import { chooseHost, configFlags, runAll } from "./launch.ts";

const host = await chooseHost();
await runAll(
  host === "npm"
    ? ["run", "-A", ...configFlags(host), "host/prebuild.ts"]
    : ["run", "-A", ...configFlags(host), "dev.ts", "build"],
);
