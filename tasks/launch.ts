/**
 * What the tasks share: which host serves, and how a child is run. Imports no
 * package, and is run with `--no-config`, so that nothing has to be resolved or
 * downloaded before the choice is made.
 *
 * @module
 */

import { ConfigError, readConfig } from "../lib/config.ts";
import { portTaken } from "../host/words.ts";

export type Host = "fresh" | "npm";

export const ROOT = new URL("../", import.meta.url);

/** How long JSR may take to answer before it counts as out of reach, ms. */
const PATIENCE = 1_500;
const VARIABLE = "TICKERTAPE_SERVE_WITH";

/** Finds out which host serves and says so in one line. */
export async function chooseHost(): Promise<Host> {
  const { host, why } = await findHost();
  console.error(`Host: ${host} (${why})`);
  return host;
}

/** Which host, and why. The variable decides; else whether JSR answers in time. */
export async function findHost(): Promise<{ host: Host; why: string }> {
  const wish = readEnv(VARIABLE);
  if (wish === "fresh" || wish === "npm") {
    return { host: wish, why: `${VARIABLE} says so` };
  }
  if (wish !== undefined) {
    console.error(
      `Cannot use ${VARIABLE}="${wish}": it must be "fresh" or "npm"`,
    );
    Deno.exit(1);
  }
  const missing = await reachJsr();
  return missing === undefined
    ? { host: "fresh", why: "JSR can be reached" }
    : { host: "npm", why: `JSR cannot be reached: ${missing}` };
}

/** Undefined when JSR answers; else what went wrong, in a few words. */
async function reachJsr(): Promise<string | undefined> {
  const base = readEnv("JSR_URL") ?? "https://jsr.io/";
  try {
    const response = await fetch(new URL("/@fresh/core/meta.json", base), {
      signal: AbortSignal.timeout(PATIENCE),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `status ${response.status}`;
  } catch (error) {
    const timeout = error instanceof DOMException &&
      error.name === "TimeoutError";
    return timeout ? `no answer in ${PATIENCE} ms` : "no connection";
  }
}

/** A variable from the environment, or else from `.env`. */
export function readEnv(name: string): string | undefined {
  const value = Deno.env.get(name) ?? dotEnv().get(name);
  return value === "" ? undefined : value;
}

/** The environment a server started here would have. */
export function environment(): Record<string, string> {
  return { ...Object.fromEntries(dotEnv()), ...Deno.env.toObject() };
}

/** The plain `NAME=value` lines of `.env`; the server's own reader is Deno's. */
function dotEnv(): Map<string, string> {
  let text: string;
  try {
    text = Deno.readTextFileSync(new URL(".env", ROOT));
  } catch {
    return new Map();
  }
  const line = /^\s*(?:export\s+)?(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^#]*))/;
  return new Map(
    text.split("\n").flatMap((row) => {
      const [, name, double, single, bare] = line.exec(row) ?? [];
      if (name === undefined) return [];
      return [[name, double ?? single ?? bare!.trim()] as const];
    }),
  );
}

/** Flags that pick the configuration of a host. */
export function configFlags(host: Host): string[] {
  return host === "npm"
    ? ["--config", "deno.npm.json", "--frozen"]
    : ["--config", "deno.json"];
}

/** Flags that hand `.env` to a server, if there is one. */
export function envFlags(): string[] {
  return exists(".env") ? ["--env-file=.env"] : [];
}

/** Whether the project has this file. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs `deno` in the project folder and answers its exit code. The terminal
 * sends Ctrl-C to both of us; SIGTERM is passed on as the same, because that is
 * what ends a `--watch`.
 */
export async function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const wait = () => {};
  const pass = () => {
    try {
      child.kill("SIGINT");
    } catch {
      // It has ended already.
    }
  };
  const windows = Deno.build.os === "windows";
  Deno.addSignalListener("SIGINT", wait);
  if (!windows) Deno.addSignalListener("SIGTERM", pass);
  const { code } = await child.status;
  Deno.removeSignalListener("SIGINT", wait);
  if (!windows) Deno.removeSignalListener("SIGTERM", pass);
  return code;
}

/** Runs one after the other; ends the process at the first that fails. */
export async function runAll(...steps: string[][]): Promise<void> {
  for (const args of steps) {
    const code = await run(args);
    if (code !== 0) Deno.exit(code);
  }
}

/**
 * Flags for `deno serve`, which wants the address before our settings are read.
 * Says what is wrong with them, and ends the process, as the server would.
 */
export function addressFlags(): string[] {
  try {
    const { port, hostname } = readConfig(environment());
    Deno.listen({ port, hostname }).close();
    return [`--port=${port}`, `--host=${hostname}`];
  } catch (error) {
    if (error instanceof ConfigError) {
      console.error(`Cannot start. ${error.message}`);
    } else if (error instanceof Deno.errors.AddrInUse) {
      console.error(portTaken(Number(readEnv("PORT") ?? 8000)));
    } else throw error;
    return Deno.exit(1);
  }
}

/** Builds the Fresh app unless `_fresh/` is newer than everything it is made of. */
export async function buildFresh(): Promise<void> {
  const built = modified("_fresh/snapshot.js");
  const parts = ["routes", "islands", "static", "lib", "main.ts", "deno.json"];
  if (built !== undefined && parts.every((part) => newest(part) < built)) {
    return;
  }
  await runAll(["run", "-A", ...configFlags("fresh"), "dev.ts", "build"]);
}

function modified(path: string): number | undefined {
  try {
    return Deno.statSync(new URL(path, ROOT)).mtime?.getTime();
  } catch {
    return undefined;
  }
}

/** The latest change in a file or folder, ms since 1970. */
function newest(path: string): number {
  const own = modified(path) ?? 0;
  try {
    return Math.max(
      own,
      ...Array.from(
        Deno.readDirSync(new URL(path, ROOT)),
        ({ name }) => newest(`${path}/${encodeURIComponent(name)}`),
      ),
    );
  } catch {
    return own;
  }
}
