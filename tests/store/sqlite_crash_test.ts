import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../lib/store/mod.ts";
import { delta, testInDir } from "./helpers.ts";

const ROUNDS = 8;

/** Lets a child append until it has acknowledged `acks` times, then kills it. */
async function killedAfter(acks: number, path: string): Promise<string[]> {
  const script = new URL("./append_forever.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "-A", script, path],
    stdout: "piped",
  }).spawn();
  let said = "";
  let killed = false;
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    said += decoder.decode(chunk, { stream: true });
    if (!killed && said.split("\n").length > acks) {
      child.kill("SIGKILL");
      killed = true;
    }
  }
  assertEquals((await child.status).signal, "SIGKILL");
  // The kill may have cut the last line.
  return said.split("\n").slice(0, -1);
}

testInDir(
  "safety R02: sqlite keeps every acknowledged entry through kill -9",
  async (dir) => {
    const path = `${dir}/tickertape.db`;
    const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
    console.log(`seed ${seed}`);
    const acked = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      // Steps of the golden ratio spread the moments of death evenly.
      const acks = 1 + Math.floor(((seed / 2 ** 32 + round * 0.618) % 1) * 400);
      for (const line of await killedAfter(acks, path)) {
        const [run, seq] = line.split(" ");
        acked.set(run!, Math.max(acked.get(run!) ?? 0, Number(seq)));
      }
      // Reopened after a crash, with the log of the dead process still there.
      const store = openStore({ kind: "sqlite", path });
      for (const [run, seq] of acked) {
        const log = await store.read(run, 0, 1e6);
        assert(log.length >= seq, `run "${run}": ${log.length} of ${seq}`);
        assertEquals((await store.run(run))!.lastSeq, log.length);
        log.slice(1).forEach((entry, index) =>
          assertEquals(entry, { epoch: 1, ...delta(index + 2) })
        );
      }
      await store.close();
    }
    assert(acked.size > 20, "the children did not get far");
    const db = new DatabaseSync(path);
    assertEquals({ ...db.prepare("PRAGMA integrity_check").get() }, {
      integrity_check: "ok",
    });
    db.close();
  },
);
