/**
 * `deno task restore <file>`: puts a backup in the database's place. What was
 * there is kept under another name.
 *
 * @module
 */
import { restoreSqlite } from "../lib/store/sqlite_restore.ts";
import {
  carePostgres,
  megabytes,
  named,
  place,
  told,
  words,
} from "./store_care.ts";

const USAGE = `Usage: deno task restore <file>
Stop the server first; deno task backup makes such a file.`;

async function restore(file: string): Promise<number> {
  const { file: database, url } = place();
  if (url !== null) return await carePostgres("restore", url, file);
  const { bytes, chats, runs, kept } = restoreSqlite(file, database);
  console.log(
    `Restored ${
      megabytes(bytes)
    }, ${chats} chats, ${runs} runs to "${database}".`,
  );
  console.log(
    kept === null
      ? "There was no database before."
      : `The one that was there is kept as "${kept}".`,
  );
  return 0;
}

const [wish] = words;
if (words.length !== 1 || wish!.startsWith("-")) {
  console.error(USAGE);
  Deno.exit(2);
}
Deno.exit(await told(() => restore(named(wish!))));
