/**
 * `deno task start`: serves the app with whichever host can be had.
 *
 * @module
 */
import {
  addressFlags,
  buildFresh,
  chooseHost,
  configFlags,
  envFlags,
  run,
} from "./launch.ts";

const host = await chooseHost();
if (host === "npm") {
  Deno.exit(
    await run([
      "run",
      "-A",
      ...configFlags(host),
      ...envFlags(),
      "host/serve.ts",
    ]),
  );
}
const address = addressFlags();
await buildFresh();
Deno.exit(
  await run([
    "serve",
    "-A",
    ...configFlags(host),
    ...envFlags(),
    ...address,
    "server.ts",
  ]),
);
