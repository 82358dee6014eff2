/**
 * The people, a process of their own: readers in named groups, told what to do
 * by lines of JSON on its input, one answer a line on its output.
 *
 * @module
 */
import type { Orders, Placed } from "./crowd.ts";
import { Delays } from "./delays.ts";
import { Reader } from "./reader.ts";
import { report, Tally } from "./tally.ts";

/** How long one step of everybody may take, ms. */
const PATIENCE_MS = 400_000;

class Group {
  readonly tally = new Tally();
  readers: Reader[] = [];
}

const groups = new Map<string, Group>();
const held = new Map<string, Deno.Conn[]>();

function group(name: string): Group {
  const found = groups.get(name) ?? new Group();
  groups.set(name, found);
  return found;
}

const pause = (ms: number) => new Promise((go) => setTimeout(go, ms));

/** Does something for each, spread over `rampMs`. */
async function each<T>(
  items: T[],
  rampMs: number,
  work: (item: T, i: number) => Promise<void>,
): Promise<void> {
  await Promise.all(items.map(async (item, i) => {
    await pause(i * rampMs / items.length);
    await work(item, i);
  }));
}

function count<T>(items: T[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) {
    counts[String(item)] = (counts[String(item)] ?? 0) + 1;
  }
  return counts;
}

function placed(readers: Reader[]): Placed {
  const refused = readers.filter(({ status }) => status !== 200);
  return {
    statuses: count(readers.map(({ status }) => status)),
    runs: [...new Set(readers.map(({ run }) => run ?? ""))],
    cookies: readers.map(({ setCookie }) => setCookie?.split(";")[0] ?? ""),
    retryAfter: refused.map(({ retryAfter }) => retryAfter),
  };
}

/** Everything that can be asked of the crowd. */
const doing: { [K in keyof Orders]: Orders[K] } = {
  async open({ group: name, count, rampMs, runs, cookies, reading, ...order }) {
    const { readers, tally } = group(name);
    const fresh = Array.from({ length: count }, (_, i) =>
      new Reader({
        ...order,
        run: runs === undefined ? null : runs[i % runs.length]!,
        cookie: cookies?.[i % cookies.length],
      }, tally));
    readers.push(...fresh);
    await each(
      fresh,
      rampMs,
      (reader) => reading === false ? reader.connect() : reader.open(),
    );
    return placed(fresh);
  },

  async listen({ group: name }) {
    const { readers } = group(name);
    for (const reader of readers) reader.listen();
    await within(readers.map((reader) => reader.closed()));
  },

  drop({ group: name }) {
    for (const reader of group(name).readers) reader.drop();
    return Promise.resolve();
  },

  async resume({ group: name, rampMs }) {
    const back = new Delays();
    const readers = group(name).readers.filter(({ end }) => end === null);
    const began = performance.now();
    await within([each(readers, rampMs, async (reader) => {
      await reader.open();
      await reader.framed();
      back.add(performance.now() - began);
    })]);
    return {
      statuses: count(readers.map(({ status }) => status)),
      back: back.spread(),
    };
  },

  async over({ group: name }) {
    const { readers, tally } = group(name);
    await within(readers.map((reader) => reader.closed()));
    return report(readers, tally);
  },

  report({ group: name, reset }) {
    const { readers, tally } = group(name);
    const told = report(readers, tally);
    if (reset) tally.reset();
    return Promise.resolve(told);
  },

  forget({ group: name }) {
    for (const reader of group(name).readers) reader.drop();
    groups.delete(name);
    return Promise.resolve();
  },

  async hold({ group: name, server, count, bytes }) {
    const { hostname, port } = new URL(server);
    const conns = held.get(name) ?? [];
    held.set(name, conns);
    const text = new TextEncoder().encode(bytes);
    await each(Array.from({ length: count }), 2_000, async () => {
      const conn = await Deno.connect({ hostname, port: Number(port) });
      await conn.write(text);
      conns.push(conn);
    });
  },

  letGo({ group: name }) {
    for (const conn of held.get(name) ?? []) conn.close();
    held.delete(name);
    return Promise.resolve();
  },

  async soak({ group: name, streams, forMs, ...order }) {
    const { tally } = group(name);
    const over = performance.now() + forMs;
    const wrong: Reader[] = [];
    let ended = 0;
    await each(Array.from({ length: streams }), 1_000, async () => {
      while (performance.now() < over) {
        const reader = new Reader({ ...order, door: "ours", run: null }, tally);
        await reader.open();
        await reader.closed();
        ended++;
        if (reader.end === null || reader.wrong !== null) wrong.push(reader);
      }
    });
    const told = report(wrong, tally);
    return { ...told, readers: ended, ended: ended - told.readers };
  },

  async churn({ server, runs, count, atOnce }) {
    const tally = new Tally();
    let left = count;
    let bad = 0;
    await within([Promise.all(Array.from({ length: atOnce }, async (_, i) => {
      while (left-- > 0) {
        const run = runs[(left + i) % runs.length]!;
        const reader = new Reader(
          { door: "ours", server, ask: null, run },
          tally,
        );
        await reader.open();
        if (![200, 204].includes(reader.status)) bad++;
        reader.drop();
      }
    }))]);
    return { bad };
  },
};

async function within(promises: Promise<unknown>[]): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error("The readers waited in vain")),
    PATIENCE_MS,
  );
  try {
    await Promise.race([Promise.all(promises), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function obey(line: string): Promise<void> {
  const { id, what, order } = JSON.parse(line);
  try {
    const work = doing[what as keyof Orders] as (order: unknown) => unknown;
    console.log(JSON.stringify({ id, told: await work(order) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ id, failed: String(error) }));
  }
}

if (import.meta.main) {
  let rest = "";
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const text of lines) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const line of parts) obey(line);
  }
  Deno.exit(0);
}
