/**
 * What `deno task backup` and `deno task restore` share: which database is meant,
 * and how its trouble is told.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, readConfig } from "../lib/config.ts";
import { configFlags, environment, readEnv, ROOT, run } from "./launch.ts";

/** Says that this is the process that has the packages. */
const AGAIN = "--with-packages";

/** The words after the task's name. */
export const words = Deno.args.filter((word) => word !== AGAIN);

/** Where the database is. */
export interface Place {
  /** The file; unless there is a URL, just the folder of the backups beside it. */
  file: string;
  /** Of a Postgres database. */
  url: string | null;
}

/** @throws ConfigError when a setting is wrong. */
export function place(): Place {
  const { data, database } = readConfig(environment());
  const folder = resolve(fileURLToPath(ROOT), data);
  return { file: join(folder, "tickertape.db"), url: database };
}

/** A file named on the command line, seen from where the command was typed. */
export function named(file: string): string {
  // `deno task` runs in the project's folder, and says here where it was called.
  const from = readEnv("INIT_CWD") ?? Deno.cwd();
  return isAbsolute(file) ? file : join(from, file);
}

/**
 * Backs up or restores a Postgres database, in a process that may use packages:
 * the tasks themselves do without.
 */
export async function carePostgres(
  task: "backup" | "restore",
  url: string,
  file: string,
): Promise<number> {
  if (Deno.args[0] !== AGAIN) {
    const self = ["run", "-A", ...configFlags("npm"), `tasks/${task}.ts`];
    return await run([...self, AGAIN, file]);
  }
  const { backupPostgres, restorePostgres } = await import(
    "../lib/store/postgres_backup.ts"
  );
  const start = performance.now();
  const { bytes, chats, runs } = task === "backup"
    ? await backupPostgres(url, file)
    : await restorePostgres(url, file);
  const ms = Math.round(performance.now() - start);
  console.log(task === "backup" ? file : `Restored "${file}".`);
  console.error(
    `${megabytes(bytes)}, ${chats} chats, ${runs} runs, in ${ms} ms.`,
  );
  return 0;
}

/** Runs a task and gives its exit code; trouble we know is told in its words. */
export async function told(task: () => Promise<number>): Promise<number> {
  try {
    return await task();
  } catch (error) {
    const known = error instanceof ConfigError ||
      error instanceof Error && error.name === "StoreError";
    if (!known) throw error;
    console.error(error.message);
    return 1;
  }
}

/** `1.2 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
