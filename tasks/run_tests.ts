/**
 * `deno task test`: runs the tests with whichever host can be had. Arguments go
 * to `deno test`. Where there is no Chromium the tests in a browser are skipped
 * and say so; TICKERTAPE_E2E=require makes that an error.
 *
 * Not called `test.ts`: `deno test` would take it for a test and start itself.
 *
 * @module
 */
import { buildFresh, chooseHost, configFlags, run } from "./launch.ts";

const host = await chooseHost();
if (host === "fresh") await buildFresh();
Deno.exit(
  await run(["test", "-A", ...configFlags(host), ...Deno.args], {
    TICKERTAPE_SERVE_WITH: host,
  }),
);
