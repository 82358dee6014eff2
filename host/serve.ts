/**
 * Serves the app with the npm host. `deno task start` runs this.
 *
 * @module
 */
import { runServer } from "./server.ts";

await runServer({ host: "npm", dev: Deno.args.includes("--dev") });
