/**
 * What `deno task dev` serves where JSR can be reached: builds the Fresh app,
 * then serves it as in production, so that the guard and its policy are there
 * while one works.
 *
 * @module
 */
import "./dev.ts";
import { openServer } from "./host/server.ts";

export default await openServer({ host: "fresh", dev: true });
