// Child process of backup_load.ts: writes a history into the given database, in
// so many chats at once, until its input ends. Prints up to which write all are
// acknowledged.
import { openStore } from "../../lib/store/mod.ts";
import { writeHistory } from "./history.ts";

const [path, lanes] = Deno.args;
const store = openStore({ kind: "sqlite", path: path! });
let over = false;
(async () => {
  for await (const _ of Deno.stdin.readable);
  over = true;
})();
const encoder = new TextEncoder();
await writeHistory(
  store,
  Number(lanes),
  () => over,
  (floor) => Deno.stdout.writeSync(encoder.encode(`${floor}\n`)),
);
await store.close();
