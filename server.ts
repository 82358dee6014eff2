/**
 * What `deno serve` runs where JSR can be reached: the Fresh app that `dev.ts`
 * built, behind the guard.
 *
 * @module
 */
import { openServer } from "./host/server.ts";

export default await openServer({ host: "fresh" });
