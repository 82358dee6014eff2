/**
 * The real server with other limits than its own, for tests that cannot wait a
 * minute or be one of five thousand visitors: the limits as JSON, its argument.
 * At SIGUSR2 it collects its garbage and prints the bytes it still holds, so that
 * these can be told from what V8 has not got round to.
 *
 * @module
 */
import { createLog } from "../../../lib/log.ts";
import { readConfig } from "../../../lib/config.ts";
import { createServices } from "../../../lib/services.ts";
import { startApp } from "../../../host/app.ts";

if (import.meta.main) {
  const config = readConfig(Deno.env.toObject());
  const log = createLog({ level: config.log });
  const limits = JSON.parse(
    Deno.args[0]!,
    // JSON has no infinity.
    (_, value) => value === "Infinity" ? Infinity : value,
  );
  const services = await createServices(config, log, { limits });
  const { gc } = globalThis as unknown as { gc?: () => void };
  Deno.addSignalListener("SIGUSR2", () => {
    gc?.();
    const { heapUsed, external } = Deno.memoryUsage();
    console.log(`holds ${heapUsed + external}`);
  });
  const { port, hostname } = config;
  const app = await startApp({ services, log, host: "npm", port, hostname });
  console.log(`Tickertape  ${app.url}`);
}
