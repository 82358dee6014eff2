/**
 * `deno task token`: makes, lists and takes back the tokens programs ask with.
 * Works beside a running server, which knows of it with the next request.
 *
 * @module
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TokenNameError, Tokens } from "../lib/access/tokens.ts";
import { ConfigError, readConfig } from "../lib/config.ts";
import { openNamed } from "../lib/store/mod.ts";
import { configFlags, environment, ROOT, run as runDeno } from "./launch.ts";

const USAGE = `Usage: deno task token add <name>
       deno task token list
       deno task token revoke <name>`;

/** Says that this is the process that has the packages. */
const AGAIN = "--with-packages";

/** Runs one command; the exit code says whether it was done. */
async function run(tokens: Tokens, args: string[]): Promise<number> {
  const [command, ...words] = args;
  const name = words.join(" ");
  if (command === "add" && name !== "") {
    const token = await tokens.add(name);
    console.log(token);
    console.error(
      "Keep it now, it is not shown again. Send it as: Authorization: Bearer <token>",
    );
    return 0;
  }
  if (command === "revoke" && name !== "") {
    const revoked = await tokens.revoke(name);
    console.error(
      revoked
        ? `"${name}" is refused from now on.`
        : `Cannot revoke "${name}": there is no token of that name`,
    );
    return revoked ? 0 : 1;
  }
  if (command === "list" && name === "") {
    const rows = await tokens.list();
    if (rows.length === 0) console.error("There is no token.");
    for (const { name, createdAt, lastUsed } of rows) {
      const used = lastUsed === null ? "never used" : `last used ${lastUsed}`;
      console.log(`${name}  made ${createdAt}  ${used}`);
    }
    return 0;
  }
  console.error(USAGE);
  return 2;
}

async function main(args: string[]): Promise<number> {
  try {
    const { data, database } = readConfig(environment());
    if (database !== null && args[0] !== AGAIN) {
      // Postgres needs a package, which the tasks do without.
      const self = ["run", "-A", ...configFlags("npm"), "tasks/token.ts"];
      return await runDeno([...self, AGAIN, ...args]);
    }
    const path = resolve(fileURLToPath(ROOT), data, "tickertape.db");
    const store = await openNamed(database, path);
    try {
      return await run(
        new Tokens(store),
        args.filter((word) => word !== AGAIN),
      );
    } finally {
      await store.close();
    }
  } catch (error) {
    const known = error instanceof TokenNameError ||
      error instanceof ConfigError ||
      error instanceof Error && error.name === "StoreError";
    if (!known) throw error;
    console.error(error.message);
    return 1;
  }
}

Deno.exit(await main(Deno.args));
