// Child process of sqlite_remove_test.ts: deletes a chat of "ann" in the given
// database and says so as soon as nobody finds it, while its rows are still
// being taken out.
import { openStore } from "../../lib/store/mod.ts";

const [path, chat] = Deno.args;
const store = openStore({ kind: "sqlite", path: path! });
const removed = store.remove("ann", chat!);
while (await store.chat("ann", chat!) !== null) {
  await new Promise((resolve) => setTimeout(resolve, 1));
}
console.log("unlinked");
await removed;
console.log("removed");
