import { assertEquals } from "@std/assert";
import { openStore } from "../../lib/store/mod.ts";
import {
  ask,
  Clock,
  created,
  delta,
  LEASE_MS,
  parked,
  testInDir,
} from "./helpers.ts";

const HOUR = 3_600_000;

function child(script: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-config",
      "-A",
      new URL(script, import.meta.url).pathname,
      ...args,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

/** What a child prints, line by line. */
async function* lines(process: Deno.ChildProcess): AsyncGenerator<string> {
  let rest = "";
  for await (
    const text of process.stdout.pipeThrough(new TextDecoderStream())
  ) {
    const whole = (rest + text).split("\n");
    rest = whole.pop()!;
    yield* whole;
  }
}

testInDir(
  "safety R02: a parked run and its answers survive kill -9, and it is taken after",
  async (dir) => {
    const path = `${dir}/tickertape.db`;
    const until = Date.now() + HOUR;
    const process = child("./park_and_hang.ts", path, String(until));
    const said = lines(process);
    const id = (await said.next()).value as string;
    process.kill("SIGKILL");
    assertEquals((await process.status).signal, "SIGKILL");
    await process.stdin.close();
    assertEquals((await said.next()).done, true);

    const store = openStore({ kind: "sqlite", path });
    const row = (await store.run(id))!;
    assertEquals([row.status, row.leaseOwner], ["running", null]);
    assertEquals(await store.answers(id), [{ question: "c2", json: "{}" }]);
    // Somebody answered and died before the run was taken: a sweep finds it.
    const swept = await store.takeExpired("node-2", LEASE_MS);
    assertEquals(swept.map((run) => [run.id, run.epoch]), [[id, 2]]);
    assertEquals(await store.append(id, 1, [delta(2)]), "fenced");
    assertEquals(await store.append(id, 2, [delta(2)]), "ok");
    await store.close();
  },
);

testInDir(
  "T04: of several processes one records the answer, and one gets the run",
  async (dir) => {
    const path = `${dir}/tickertape.db`;
    const store = openStore({ kind: "sqlite", path });
    const runs = await Promise.all(
      Array.from({ length: 20 }, () => parked(store, Date.now() + HOUR)),
    );
    const ids = runs.map((run) => run.id);
    const processes = ["p1", "p2", "p3"].map((me, index) => {
      // Each begins somewhere else, so that each is first somewhere.
      const mine = [...ids.slice(index * 7), ...ids.slice(0, index * 7)];
      const process = child("./answer_and_take.ts", path, me, ...mine);
      return { me, process, said: lines(process) };
    });
    for (const { said } of processes) {
      assertEquals((await said.next()).value, "ready");
    }
    const got = await Promise.all(
      processes.map(async ({ me, process, said }) => {
        const writer = process.stdin.getWriter();
        await writer.write(new Uint8Array(1));
        await writer.close();
        const mine = [];
        for await (const line of said) {
          const [run, answer, epoch] = line.split(" ");
          mine.push({ me, run: run!, answer: answer!, epoch: epoch! });
        }
        assertEquals((await process.status).code, 0);
        return mine;
      }),
    );
    for (const id of ids) {
      const of = got.flat().filter(({ run }) => run === id);
      assertEquals(of.length, 3);
      const answered = of.filter(({ answer }) => answer === "recorded");
      const taken = of.filter(({ epoch }) => epoch !== "-");
      assertEquals([answered.length, taken.length], [1, 1]);
      assertEquals(taken[0]!.epoch, "2");
      assertEquals(await store.answers(id), [
        { question: "c1", json: JSON.stringify(answered[0]!.me) },
      ]);
      const row = (await store.run(id))!;
      assertEquals([row.epoch, row.leaseOwner], [2, taken[0]!.me]);
    }
    const winners = new Set(
      got.flat().filter(({ epoch }) => epoch !== "-").map(({ me }) => me),
    );
    console.log(`${winners.size} of 3 processes got runs`);
    await store.close();
  },
);

testInDir(
  "N3: parking holds between two stores on one file",
  async (dir) => {
    const clock = new Clock();
    const path = `${dir}/tickertape.db`;
    const open = () => openStore({ kind: "sqlite", path, now: clock.now });
    const a = open(), b = open();
    const { id, chat } = await created(a, ask());
    assertEquals(await b.answer(id, "c1", "{}"), "recorded");
    assertEquals(await a.park(id, 1, clock.now() + HOUR, ["c1"]), "called");
    assertEquals(await a.park(id, 1, clock.now() + HOUR, ["c2"]), "parked");
    assertEquals((await b.create(ask({ chat }))).kind, "active");
    assertEquals((await b.take(id, "node-2", LEASE_MS))!.epoch, 2);
    assertEquals(await a.append(id, 1, [delta(2)]), "fenced");
    assertEquals(await b.append(id, 2, [delta(2)]), "ok");
    assertEquals(await b.park(id, 2, clock.now() + HOUR, ["c3"]), "parked");
    // The first owner may be the one that goes on.
    assertEquals((await a.take(id, "node-1", LEASE_MS))!.epoch, 3);
    assertEquals(await a.append(id, 3, [delta(3)]), "ok");
    assertEquals(await b.append(id, 2, [delta(3)]), "fenced");
    await a.close();
    await b.close();
  },
);
