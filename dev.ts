/**
 * Builds the Fresh app into `_fresh/`: `deno run -A dev.ts build`.
 *
 * @module
 */
import { Builder } from "fresh/dev";

const builder = new Builder({ root: import.meta.dirname });
await builder.build();
