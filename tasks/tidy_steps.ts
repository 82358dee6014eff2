/**
 * The checks that need no server.
 *
 * @module
 */
import { configFlags, exists, type Host, runAll } from "./launch.ts";

const FOLDERS = [
  "bench",
  "examples",
  "host",
  "islands",
  "lib",
  "routes",
  "tasks",
  "tests",
];
/** Only these import Fresh. */
const FRESH_FILES = ["main.ts", "dev.ts", "dev_server.ts"];

/** Checks format, lint and types; ends the process at the first that fails. */
export async function tidy(host: Host): Promise<void> {
  const config = configFlags(host).slice(0, 2);
  const files = [...FOLDERS.filter((name) => exists(name)), "server.ts"];
  if (host === "fresh") files.push(...FRESH_FILES);
  await runAll(
    ["fmt", "--check", ...config],
    ["lint", ...config],
    ["check", ...configFlags(host), ...files],
  );
}
