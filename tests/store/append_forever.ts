// Child process of sqlite_crash_test.ts: opens the given database, asks 20
// questions and appends to their logs until it is killed. Prints a line for
// everything it was told is durable: run and sequence.
import { openStore } from "../../lib/store/mod.ts";
import { ask, created, delta } from "./helpers.ts";

const store = openStore({ kind: "sqlite", path: Deno.args[0]! });
const encoder = new TextEncoder();
const say = (line: string) => Deno.stdout.writeSync(encoder.encode(line));

await Promise.all(Array.from({ length: 20 }, async () => {
  const { id } = await created(store, ask());
  say(`${id} 1\n`);
  for (let seq = 2;; seq += 2) {
    const entries = [delta(seq), delta(seq + 1)];
    const outcome = await store.append(id, 1, entries);
    say(`${id} ${outcome === "ok" ? seq + 1 : outcome}\n`);
  }
}));
