/**
 * Backups through `deno task backup` while another process writes, each restored
 * into a folder of its own through `deno task restore` and checked.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openStore } from "../../lib/store/mod.ts";
import { assertPrefix } from "./history_check.ts";

const script = (name: string) => new URL(name, import.meta.url).pathname;

interface Printed {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a task on the database file in `data`; gives what it printed. */
export function task(
  name: "backup" | "restore",
  data: string,
  ...args: string[]
): Promise<Printed> {
  return taskWith({ DATABASE_URL: "" }, name, data, ...args);
}

/** The same with other variables. */
export async function taskWith(
  env: Record<string, string>,
  name: "backup" | "restore",
  data: string,
  ...args: string[]
): Promise<Printed> {
  const path = script(`../../tasks/${name}.ts`);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", path, ...args],
    env: { TICKERTAPE_DATA: data, NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

export interface Load {
  /** An empty folder. */
  dir: string;
  /** Chats written to at once. */
  lanes: number;
  /** Acknowledged writes before the first backup. */
  warmUp: number;
  /** How many backups are made. */
  backups: number;
  /** Acknowledged writes between two of them. */
  between: number;
}

export interface LoadReport {
  /** Acknowledged writes per second, over all. */
  rate: number;
  writes: number;
  /** Of each backup: how many writes it holds, and how long it took, ms. */
  backups: { writes: number; ms: number; bytes: number }[];
}

/** Fails if a backup holds anything but a prefix of what was written. */
export async function backupUnderLoad(load: Load): Promise<LoadReport> {
  const { dir, lanes, warmUp, backups, between } = load;
  const data = `${dir}/data`;
  const writer = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-config", script("./write_history.ts")],
      ...[`${data}/tickertape.db`, String(lanes)],
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const start = performance.now();
  const acks = new Acks(writer.stdout);
  const made: { file: string; floor: number; ms: number }[] = [];
  try {
    await acks.reach(warmUp);
    for (let index = 0; index < backups; index++) {
      const file = `${dir}/${index}.db`;
      const floor = acks.floor;
      const begun = performance.now();
      const { code, stderr } = await task("backup", data, file);
      assertEquals(code, 0, stderr);
      made.push({ file, floor, ms: Math.round(performance.now() - begun) });
      await acks.reach(acks.floor + between);
    }
  } finally {
    await writer.stdin.close();
  }
  assertEquals((await writer.status).code, 0);
  await acks.ended;
  const seconds = (performance.now() - start) / 1000;

  const report: LoadReport = {
    rate: Math.round(acks.floor / seconds),
    writes: acks.floor,
    backups: [],
  };
  for (const { file, floor, ms } of made) {
    const elsewhere = `${file}.restored`;
    const { code, stderr } = await task("restore", elsewhere, file);
    assertEquals(code, 0, stderr);
    const path = `${elsewhere}/tickertape.db`;
    const store = openStore({ kind: "sqlite", path });
    const writes = await assertPrefix(store, floor);
    await store.close();
    assert(writes <= acks.floor, `${writes} of ${acks.floor} writes`);
    report.backups.push({ writes, ms, bytes: Deno.statSync(file).size });
  }
  return report;
}

/** What the writer says is acknowledged. */
class Acks {
  floor = 0;
  readonly ended: Promise<void>;
  #over = false;
  #waiting: { floor: number; resolve: () => void }[] = [];

  constructor(stdout: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.ended = this.#hear(stdout);
  }

  /** Resolves when all writes up to this one are acknowledged. */
  async reach(floor: number): Promise<void> {
    if (this.floor >= floor) return;
    await new Promise<void>((resolve) =>
      this.#waiting.push({ floor, resolve })
    );
    if (this.#over) throw new Error(`The writer ended at ${this.floor}`);
  }

  async #hear(stdout: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#take(Number(line));
    }
    this.#over = true;
    for (const { resolve } of this.#waiting) resolve();
  }

  #take(floor: number): void {
    this.floor = Math.max(this.floor, floor);
    this.#waiting = this.#waiting.filter(({ floor, resolve }) => {
      if (floor <= this.floor) resolve();
      return floor > this.floor;
    });
  }
}
