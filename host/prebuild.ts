/**
 * Builds the islands ahead of a start. `deno task build` runs this.
 *
 * @module
 */
import { build } from "./build.ts";

const { files, reused } = await build({
  root: new URL("../", import.meta.url),
});
console.log(
  `${reused ? "Still good" : "Built"}: ${files.size} files in _npm/`,
);
