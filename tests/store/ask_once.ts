// Child process of sqlite_open_test.ts: one question into the given database.
import { openStore } from "../../lib/store/mod.ts";
import { ask, created } from "./helpers.ts";

const store = openStore({ kind: "sqlite", path: Deno.args[0]! });
const run = await created(store, ask());
await store.close();
console.log(run.id);
