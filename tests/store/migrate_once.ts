// Child process of sqlite_migrate_kill_test.ts: says "go" and opens the given
// database, which brings it to the newest schema.
import { openDatabase } from "../../lib/store/sqlite_open.ts";

console.log("go");
openDatabase(Deno.args[0]!).close();
console.log("done");
