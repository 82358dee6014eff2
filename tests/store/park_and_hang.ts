// Child process of sqlite_park_test.ts: parks a run in the given database, says
// which, and hangs until it is killed.
import { openStore } from "../../lib/store/mod.ts";
import { parked } from "./helpers.ts";

const store = openStore({ kind: "sqlite", path: Deno.args[0]! });
const run = await parked(store, Number(Deno.args[1]), ["c1"]);
await store.answer(run.id, "c2", "{}");
console.log(run.id);
setInterval(() => {}, 1000);
