/**
 * Writes `deno.npm.json` from `deno.json`: the same settings and npm packages,
 * without JSR. Names of the standard library point to `host/std` instead.
 *
 * @module
 */

/** Import name → the local file that stands in for it where JSR is out of reach. */
export const STAND_INS: Readonly<Record<string, string>> = {
  "@std/assert": "./host/std/assert.ts",
  "@std/http/cookie": "./host/std/http_cookie.ts",
  "@std/http/negotiation": "./host/std/http_negotiation.ts",
  "@std/testing/time": "./host/std/testing_time.ts",
};

interface DenoConfig {
  tasks?: unknown;
  lock?: unknown;
  imports: Record<string, string>;
  [key: string]: unknown;
}

/**
 * The text of `deno.npm.json` for a given `deno.json`.
 *
 * @throws {Error} when a stand-in has no JSR package behind it.
 */
export function npmConfig(denoJson: string): string {
  const { tasks: _tasks, lock: _lock, imports, ...rest }: DenoConfig = JSON
    .parse(denoJson);
  for (const name of Object.keys(STAND_INS)) {
    const known = Object.keys(imports).some((key) =>
      name === key || name.startsWith(`${key}/`)
    );
    if (!known) {
      throw new Error(
        `Cannot stand in for "${name}": deno.json has no such import`,
      );
    }
  }
  const npm = Object.entries(imports).filter(([, target]) =>
    target.startsWith("npm:")
  );
  const config = {
    ...rest,
    lock: { path: "deno.npm.lock" },
    imports: { ...STAND_INS, ...Object.fromEntries(npm) },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const denoJson = await Deno.readTextFile(new URL("deno.json", root));
  await Deno.writeTextFile(
    new URL("deno.npm.json", root),
    npmConfig(denoJson),
  );
}
