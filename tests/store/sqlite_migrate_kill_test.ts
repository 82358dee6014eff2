import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../lib/store/mod.ts";
import { pragma } from "../../lib/store/sqlite_file.ts";
import { MIGRATIONS } from "../../lib/store/sqlite_schema.ts";
import { testInDir } from "./helpers.ts";
import { contents, type Old, oldFile } from "./old_files.ts";

const KILLS = Deno.env.get("TICKERTAPE_FAULTS") === "full" ? 100 : 6;
/** So many chats that a migration takes a while. */
const CHATS = 10_000;

/**
 * Lets a child migrate the file and kills it so many ms after it began; says how
 * long it took if it was faster.
 */
async function migrate(path: string, killAfter: number | null) {
  const script = new URL("./migrate_once.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "-A", script, path],
    stdout: "piped",
  }).spawn();
  let said = "", began = 0, timer: ReturnType<typeof setTimeout> | undefined;
  for await (
    const text of child.stdout.pipeThrough(new TextDecoderStream())
  ) {
    if (said === "") {
      began = performance.now();
      if (killAfter !== null) {
        timer = setTimeout(() => {
          try {
            child.kill("SIGKILL");
          } catch {
            // It was faster.
          }
        }, killAfter);
      }
    }
    said += text;
  }
  const took = performance.now() - began;
  clearTimeout(timer);
  await child.status;
  return { done: said.includes("done"), took };
}

function state(old: Old, schema: 1 | 2) {
  const db = new DatabaseSync(old.path);
  try {
    assertEquals(pragma(db, "integrity_check"), "ok");
    const tables = db.prepare(
      "SELECT count(*) AS many FROM sqlite_schema WHERE type = 'table'",
    ).get()!.many;
    return {
      schema: pragma(db, "user_version") as number,
      tables,
      contents: contents(db, schema),
    };
  } finally {
    db.close();
  }
}

for (const schema of [1, 2] as const) {
  testInDir(
    `safety R30: a kill during the migration of schema ${schema} leaves an old or a new file, whole`,
    async (dir) => {
      const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
      console.log(`seed ${seed}`);
      const old = oldFile(dir, schema, Date.now(), CHATS);
      const bytes = Deno.readFileSync(old.path);
      const before = state(old, schema);
      const { done, took } = await migrate(old.path, null);
      assert(done);
      const after = state(old, schema);
      assertEquals(after.schema, MIGRATIONS.length);
      assertEquals(after.contents, before.contents);

      const found: Record<string, number> = {};
      for (let kill = 0; kill < KILLS; kill++) {
        for (const end of ["-wal", "-shm"]) {
          await Deno.remove(old.path + end).catch(() => {});
        }
        Deno.writeFileSync(old.path, bytes);
        // Steps of the golden ratio spread the moments of death evenly.
        const share = (seed / 2 ** 32 + kill * 0.618) % 1;
        const { done } = await migrate(old.path, share * took);
        const left = state(old, schema);
        assertEquals(left.contents, before.contents);
        const step = left.schema;
        found[done ? "in time" : step] = (found[done ? "in time" : step] ?? 0) +
          1;
        if (step === schema) assertEquals(left.tables, before.tables);
        if (step === MIGRATIONS.length) assertEquals(left.tables, after.tables);
        // The next start goes on from there.
        const store = openStore({ kind: "sqlite", path: old.path });
        assertEquals((await store.read(old.over, 0, 100)).length, 70);
        await store.close();
        const ended = state(old, schema);
        assertEquals({ ...ended }, { ...after });
      }
      console.log(
        `migration ${Math.round(took)} ms, ${KILLS} kills left schema ` +
          JSON.stringify(found),
      );
    },
  );
}
