/**
 * `deno task dev`: serves the app and starts it anew on every change.
 *
 * @module
 */
import {
  addressFlags,
  chooseHost,
  configFlags,
  envFlags,
  run,
} from "./launch.ts";

const WATCH = "--watch=routes,islands,static,lib,host";

const host = await chooseHost();
const flags = ["-A", ...configFlags(host), ...envFlags(), WATCH];
if (host === "npm") {
  Deno.exit(await run(["run", ...flags, "host/serve.ts", "--dev"]));
}
Deno.exit(await run(["serve", ...flags, ...addressFlags(), "dev_server.ts"]));
