/**
 * The process around the app: settings, log, signals, and what is printed.
 *
 * @module
 */
import { ConfigError, readConfig } from "../lib/config.ts";
import { createLog } from "../lib/log.ts";
import { createServices, type Services } from "../lib/services.ts";
import { guardProcess } from "../lib/web/process_guard.ts";
import {
  createHandler,
  type HostName,
  type RunningApp,
  startApp,
  urlOf,
} from "./app.ts";
import { portTaken } from "./words.ts";

/**
 * Time for runs to end by themselves once a signal came, and for the whole end,
 * in ms. Hosts give four to ten seconds before they kill (G17).
 */
const GRACE = 2_000;
const END = 3_800;

/** One Ctrl-C comes twice: from the terminal and passed on by `deno task`, ms. */
const ECHO = 500;

export interface ServerOptions {
  host: HostName;
  dev?: boolean;
}

/** Serves until a signal, on the address of the settings. */
export async function runServer(options: ServerOptions): Promise<void> {
  const { services, log, config } = await openProcess();
  let app: RunningApp;
  try {
    const { port, hostname } = config;
    app = await startApp({ ...options, services, log, port, hostname });
  } catch (error) {
    await services.close();
    if (error instanceof Deno.errors.AddrInUse) {
      return fail(portTaken(config.port));
    }
    throw error;
  }
  // Not before: a failure to start has to end the process.
  guardProcess(log);
  announce(app.url, options.host, services);
  onSignal(() => app.close(GRACE), options.dev);
}

/** What `deno serve` takes as a module's default export. */
export async function openServer(
  options: ServerOptions,
): Promise<Deno.ServeDefaultExport> {
  const { services, log } = await openProcess();
  const handler = await createHandler({ ...options, services, log });
  guardProcess(log);
  onSignal(() => services.close(GRACE), options.dev);
  return {
    fetch: handler,
    onListen: (addr) =>
      announce(urlOf(addr as Deno.NetAddr), options.host, services),
  };
}

/** Reads the settings and opens what they name; says what is wrong and ends. */
async function openProcess() {
  try {
    const config = readConfig(Deno.env.toObject());
    for (const warning of config.warnings) console.error(`Note: ${warning}`);
    const log = createLog({ level: config.log });
    return { config, log, services: await createServices(config, log) };
  } catch (error) {
    const known = error instanceof ConfigError ||
      error instanceof Error &&
        ["StoreError", "McpFileError"].includes(error.name);
    if (known) return fail(`Cannot start. ${error.message}`);
    throw error;
  }
}

function announce(url: string, host: HostName, services: Services): void {
  console.log(
    `\nTickertape  ${url}\nhost        ${host}\nmodel       ${services.models.words()}\n`,
  );
}

/**
 * The first Ctrl-C ends in order, the second at once. Under `--watch` Deno itself
 * ends the process once nothing is open.
 */
function onSignal(close: () => Promise<void>, dev = false): void {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM"];
  let since: number | undefined;
  const end = async () => {
    if (since !== undefined) {
      if (performance.now() - since > ECHO) Deno.exit(130);
      return;
    }
    since = performance.now();
    // What is not saved by then is in the log as far as it was shown.
    const late = setTimeout(() => Deno.exit(0), END);
    await close();
    clearTimeout(late);
    if (!dev) Deno.exit(0);
    for (const signal of signals) Deno.removeSignalListener(signal, end);
  };
  for (const signal of signals) Deno.addSignalListener(signal, end);
}

function fail(message: string): never {
  console.error(message);
  Deno.exit(1);
}
