/** Opens a Postgres database and closes it: one of several at the same moment. */
import { openStore } from "../../lib/store/mod.ts";

const [url] = Deno.args as [string];
// They start at different speeds, and are to open at the same moment.
console.log("ready");
await Deno.stdin.read(new Uint8Array(1));
const store = await openStore({ kind: "postgres", url });
await store.close();
