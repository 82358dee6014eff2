/**
 * A real server on a disk that fails: now and then, full, locked, read-only.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { readOnly, smallDisk } from "../store/mounts.ts";
import { type Fault, injected } from "./disk/trace.ts";
import { Random } from "./disk/random.ts";
import { faultTest, figure, type Say } from "./harness/fault_test.ts";
import { person } from "./harness/people.ts";
import { chance, newSeed } from "./harness/random.ts";
import { question } from "./harness/script.ts";
import { StartError, startServer } from "./harness/server.ts";
import { Stage, TAKEN_MS } from "./harness/stage.ts";

const PEOPLE = 8;

faultTest(
  "safety R05, N1-N6: a server whose disk fails now and then breaks no promise and stays up",
  { needs: ["linux", "root", "strace"], sizes: { ci: 6, full: 60 } },
  async (episodes, say) => {
    const random = new Random(newSeed());
    await using stage = new Stage({ again: 50 });
    const server = await stage.start();
    const closing = new AbortController();
    const people = Array.from({ length: PEOPLE }, (_, n) =>
      person({
        name: `p${n}`,
        client: stage.client(),
        chance: chance(random.below(2 ** 31)),
        closing: closing.signal,
        patience: TAKEN_MS,
      }));
    const day = Promise.all(people);
    let failed = 0;
    for (let n = 0; n < episodes; n++) {
      await pause(200 + random.below(600));
      failed += await failingFor(300 + random.below(900), server.pid, {
        calls: random.pick(["pwrite64", "fsync"]),
        error: random.pick(["EIO", "ENOSPC"]),
        when: 1 + random.below(40),
        more: random.pick([0, 3, 200]),
      });
    }
    closing.abort();
    await day;
    await stage.quiet();
    const violations = await stage.check();
    const { history } = stage;
    say(
      "R05",
      `${failed} calls failed in ${episodes} episodes, ` +
        `${history.of("acked").length} messages acknowledged, ` +
        `${history.of("shown").length} frames shown, ` +
        `${violations.length} promises broken`,
    );
    assert(failed > 0, "no call failed");
    assertEquals(violations.slice(0, 20), []);
    assertEquals(stage.integrity(), "ok");
    // The same process as at the beginning.
    assertEquals((await get(`${server.url}/api/chats`)).status, 200);
  },
);

/** Has calls of a running process fail for a while; gives how many did. */
async function failingFor(
  ms: number,
  pid: number,
  fault: Fault,
): Promise<number> {
  const strace = new Deno.Command("strace", {
    args: [
      ...["-f", "-q", "-p", `${pid}`, "-e", `trace=${fault.calls}`],
      ...["-e", "signal=none", "-e", injected(fault)],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  setTimeout(() => strace.kill("SIGTERM"), ms);
  const { stderr } = await strace.output();
  return new TextDecoder().decode(stderr).split("(INJECTED)").length - 1;
}

faultTest(
  "safety R23, N9: a full disk is told (507), loses nothing, and is over as soon as there is room",
  {
    needs: ["linux", "root"],
    // How long it stays full: not at all, and longer than a lease.
    sizes: { ci: [0], full: [0, 0, 1_000, 15_000] },
  },
  async (held, say) => {
    await using stage = new Stage({ again: 50 });
    const disk = await smallDisk(stage.data, 16 * 1024);
    if (typeof disk === "string") throw new Error(disk);
    stage.atEnd(() => disk.undo());
    await stage.start();
    for (const [round, ms] of held.entries()) {
      await fillUp(stage, round, ms, say);
    }
    await stage.quiet();
    assertEquals(await stage.check(), []);
    assertEquals(stage.integrity(), "ok");
  },
);

async function fillUp(
  stage: Stage,
  round: number,
  heldMs: number,
  say: Say,
): Promise<void> {
  const { url } = stage.server();
  const client = stage.client();
  const early = await client.ask(
    `early${round}`,
    question({ key: `e${round}` }),
  );
  assert(early.kind === "started");
  await client.read(early.run);
  const words = 4_000;
  const asked = question({ key: `long${round}`, words, hold: 20, pace: 1 });
  const long = await client.ask(`long${round}`, asked);
  assert(long.kind === "started");
  const reading = client.read(long.run);
  // Said again where it is waited for.
  reading.catch(() => {});
  await stage.upstream.said(`long${round}`, 20);

  const ballast = `${stage.data}/ballast`;
  fill(ballast);
  // What the log still has room for is taken; then it is told.
  const draft = "x".repeat(20_000);
  let refused;
  for (let n = 0; refused === undefined; n++) {
    assert(n < 200, "the disk does not get full");
    const key = `full${round}.${n}`;
    const outcome = await client.ask(key, `${question({ key })} ${draft}`);
    if (outcome.kind === "refused") refused = { ...outcome, key };
  }
  assertEquals([refused.status, refused.code], [507, "store_full"]);
  // The answer in progress meets the full disk too.
  stage.upstream.release();
  for (const path of ["/api/chats", `/api/chats/${early.chat}`]) {
    assertEquals((await get(url + path)).status, 200, path);
  }
  const replayed = await get(
    `${url}/api/runs/${early.run}/events`,
    "text/event-stream",
  );
  assertMatch(replayed.text, /\[DONE\]/);
  const page = await get(`${url}/c/${early.chat}`, "text/html");
  assertEquals(page.status, 200);

  await pause(heldMs);
  Deno.removeSync(ballast);
  const freed = performance.now();
  // The words were kept by the page, which sends them again with their key.
  const { key } = refused;
  const again = await client.ask(key, `${question({ key })} ${draft}`);
  assertEquals(again.kind, "started");
  const took = performance.now() - freed;
  await reading;
  const { status, message } = await stage.row(long.run);
  assert(status === "failed" || status === "interrupted", status);
  say(
    "R23",
    `a full disk is told with 507, asking works ${figure(took, 1_000)} after ` +
      `there is room, the answer in progress ends as ${status}` +
      `${
        message!.includes("engine_unavailable") ? " (engine_unavailable)" : ""
      } ` +
      `after ${((performance.now() - freed) / 1000).toFixed(1)} s`,
  );
}

/** Writes a file until not a byte more fits. */
function fill(path: string): void {
  using file = Deno.openSync(path, { create: true, append: true });
  for (const size of [65_536, 4_096, 1]) {
    try {
      while (true) file.writeSync(new Uint8Array(size));
    } catch (error) {
      assertEquals((error as { code?: string }).code, "ENOSPC");
    }
  }
}

faultTest(
  "safety R24, N9: a database another program holds locked costs a wait, then 503, and nothing else",
  { sizes: { ci: 1, full: 1 } },
  async (_, say) => {
    await using stage = new Stage({ again: 50 });
    const { url } = await stage.start();
    const other = new DatabaseSync(`${stage.data}/tickertape.db`);
    stage.atEnd(() => Promise.resolve(other.close()));
    const client = stage.client();
    other.exec("BEGIN IMMEDIATE");
    const began = performance.now();
    const refused = await fetch(`${url}/api/runs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: question({ key: "k" }) }),
    });
    const took = performance.now() - began;
    assertEquals(refused.status, 503);
    assertEquals((await refused.json()).code, "store_unavailable");
    assert(took > 4_500 && took < 8_000, `it took ${took} ms`);
    assertEquals((await get(`${url}/api/chats`)).status, 200);
    // One that comes when the lock is nearly over waits and is taken.
    setTimeout(() => other.exec("ROLLBACK"), 500);
    const outcome = await client.ask("k2", question({ key: "k2" }));
    assert(outcome.kind === "started");
    await client.read(outcome.run);
    await stage.quiet();
    assertEquals(await stage.check(), []);
    say("R24", `503 after ${figure(took, 5_000)} of another's lock`);
  },
);

faultTest(
  "safety R23 R24 R25, N11: a server does not start where it cannot write or read, and says why",
  { needs: ["linux", "root"], sizes: { ci: 1, full: 1 } },
  async () => {
    await using stage = new Stage();
    const disk = await smallDisk(stage.data, 16 * 1024);
    if (typeof disk === "string") throw new Error(disk);
    stage.atEnd(() => disk.undo());
    await stage.start();
    await stage.end("SIGTERM");
    fill(`${stage.data}/ballast`);
    await refuses(stage, /the disk is full. Free some space/);
    Deno.removeSync(`${stage.data}/ballast`);
    const path = `${stage.data}/tickertape.db`;
    for (const locked of [stage.data, path]) {
      const lock = await readOnly(locked);
      if (typeof lock === "string") throw new Error(lock);
      try {
        await refuses(stage, /cannot be written. Give the server's user/);
      } finally {
        await lock.undo();
      }
    }
    const whole = Deno.readFileSync(path);
    for (const at of [0, 17, 70]) {
      const flipped = whole.slice();
      flipped[at]! ^= 0xff;
      Deno.writeFileSync(path, flipped);
      await refuses(stage, /left as it is/);
      assertEquals(Deno.readFileSync(path), flipped);
    }
    Deno.writeFileSync(path, whole);
    await stage.start();
  },
);

/** The server ends by itself, with the file's name and these words. */
async function refuses(stage: Stage, words: RegExp): Promise<void> {
  const { data, upstream: { baseUrl } } = stage;
  try {
    await using _ = await startServer({ data, upstream: baseUrl });
  } catch (error) {
    assert(error instanceof StartError, String(error));
    assert(error.code !== null && error.code > 0, `exit code ${error.code}`);
    assertMatch(error.output, words);
    assert(error.output.includes(data), error.output);
    return;
  }
  throw new Error("The server has started");
}

async function get(url: string, accept = "application/json") {
  const response = await fetch(url, { headers: { accept } });
  return { status: response.status, text: await response.text() };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
