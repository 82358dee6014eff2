// Child process of sqlite_park_test.ts: says "ready", waits for a line, then
// answers and takes each of the given parked runs. Prints what it got.
import { openStore } from "../../lib/store/mod.ts";
import { LEASE_MS } from "./helpers.ts";

const [path, me, ...runs] = Deno.args;
const store = openStore({ kind: "sqlite", path: path! });
console.log("ready");
await Deno.stdin.read(new Uint8Array(1));
for (const run of runs) {
  const answer = await store.answer(run, "c1", JSON.stringify(me));
  const taken = await store.take(run, me!, LEASE_MS);
  console.log(`${run} ${answer} ${taken?.epoch ?? "-"}`);
}
await store.close();
