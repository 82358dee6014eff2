/**
 * `deno task backup [file]`: copies the database while servers run on it. The
 * copy is checked before it gets its name.
 *
 * @module
 */
import { join } from "node:path";
import { backupSqlite } from "../lib/store/sqlite_backup.ts";
import { backupsOf, stamp } from "../lib/store/sqlite_backups.ts";
import {
  carePostgres,
  megabytes,
  named,
  place,
  told,
  words,
} from "./store_care.ts";

const USAGE = "Usage: deno task backup [file]";

async function backup(wish: string | undefined): Promise<number> {
  const { file: database, url } = place();
  const name = `tickertape-${stamp(new Date())}.${url === null ? "db" : "pg"}`;
  const file = wish === undefined
    ? join(backupsOf(database), name)
    : named(wish);
  if (url !== null) return await carePostgres("backup", url, file);
  const start = performance.now();
  const { bytes, chats, runs } = backupSqlite(database, file);
  const ms = Math.round(performance.now() - start);
  console.log(file);
  console.error(
    `${megabytes(bytes)}, ${chats} chats, ${runs} runs, in ${ms} ms. ` +
      "It keeps what is deleted from now on until you delete it.",
  );
  return 0;
}

if (words.length > 1 || words[0]?.startsWith("-")) {
  console.error(USAGE);
  Deno.exit(2);
}
Deno.exit(await told(() => backup(words[0])));
