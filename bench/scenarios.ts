/**
 * What is measured, one function per line of the goals (docs: performance). Each
 * is a round; rounds alternate between the raw proxy and the server, so that
 * noise of the machine meets both.
 *
 * @module
 */
import { exchange, get } from "./http.ts";
import { ask, type Crowd, type Door, ourDoor, rawDoor, read } from "./load.ts";
import type { Running } from "./processes.ts";
import { type Figure, type Goal, percentile } from "./report.ts";
import { question, type Script } from "./script.ts";
import { stopRound } from "./stop.ts";

/** The three processes of a bench. */
export interface Stage {
  upstream: Running;
  raw: Running;
  ours: Running;
}

export interface Sizes {
  /** Streams and seconds at typing pace. */
  streams: number;
  seconds: number;
  /** Streams as fast as possible, 500 tokens each. */
  fast: number;
  /** Readers of one run, and its seconds. */
  readers: number;
  readerSeconds: number;
  /** Waves of 50 agent turns. */
  waves: number;
  /** Questions asked one after the other. */
  firsts: number;
  /** Times Stop is pressed, for each kind of work. */
  stops: number;
}

export interface Scenario {
  name: string;
  /** Measures once; the figures of several rounds are joined by name. */
  round(stage: Stage, sizes: Sizes): Promise<Figure[]>;
}

const RATE = 20;

interface Measured extends Crowd {
  /** Server CPU, seconds. */
  cpu: number;
  /** The most memory held above what the server held before all rounds, KB. */
  memory: number;
}

/** What a server held when it was first measured, KB. */
const idle = new Map<Running, number>();

async function measure(
  server: Running,
  work: () => Promise<Crowd>,
): Promise<Measured> {
  const cpu = server.cpu();
  const before = idle.get(server) ?? server.memory();
  idle.set(server, before);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, server.memory());
  }, 200);
  try {
    const crowd = await work();
    return { ...crowd, cpu: server.cpu() - cpu, memory: peak - before };
  } finally {
    clearInterval(watch);
  }
}

/** Runs both, the one that goes first changing from round to round. */
let flip = false;
async function both<T>(
  stage: Stage,
  work: (server: Running, door: Door) => Promise<T>,
): Promise<{ raw: T; ours: T }> {
  const raw = () => work(stage.raw, rawDoor(stage.raw.url));
  const ours = () => work(stage.ours, ourDoor(stage.ours.url));
  flip = !flip;
  if (flip) return { raw: await raw(), ours: await ours() };
  const second = await ours();
  return { raw: await raw(), ours: second };
}

function figure(
  name: string,
  unit: string,
  ours: number,
  raw: number | null,
  goal: Goal | null,
): Omit<Figure, "scenario"> {
  return { name, unit, ours: [ours], raw: raw === null ? [] : [raw], goal };
}

const intact = (crowd: Crowd, raw: Crowd | null) => {
  if (crowd.reason !== null) console.error(`  ours: ${crowd.reason}`);
  if (raw && raw.reason !== null) console.error(`  raw: ${raw.reason}`);
  return figure(
    "broken streams",
    "",
    crowd.broken,
    raw?.broken ?? null,
    { of: "value", atMost: 0 },
  );
};

const perToken = ({ cpu, tokens }: Measured) => cpu / tokens * 1e6;

async function streams(
  stage: Stage,
  count: number,
  script: Partial<Script>,
  rampMs: number,
): Promise<{ raw: Measured; ours: Measured }> {
  return await both(
    stage,
    (server, door) =>
      measure(server, () => ask(door, { streams: count, script, rampMs })),
  );
}

function scenario(
  name: string,
  round: (
    stage: Stage,
    sizes: Sizes,
  ) => Promise<Omit<Figure, "scenario">[]>,
): Scenario {
  return {
    name,
    round: async (stage, sizes) =>
      (await round(stage, sizes)).map((figure) => ({
        scenario: name,
        ...figure,
      })),
  };
}

const typing = scenario("typing pace", async (stage, sizes) => {
  const script = { tokens: RATE * sizes.seconds, rate: RATE };
  const { raw, ours } = await streams(stage, sizes.streams, script, 1_000);
  const over = (atMost: number): Goal => ({ of: "over", atMost });
  return [
    figure("CPU per token", "µs", perToken(ours), perToken(raw), {
      of: "ratio",
      atMost: 2,
    }),
    figure(
      "delay p50",
      "ms",
      percentile(ours.delays, 0.5),
      percentile(raw.delays, 0.5),
      over(30),
    ),
    figure(
      "delay p99",
      "ms",
      percentile(ours.delays, 0.99),
      percentile(raw.delays, 0.99),
      over(100),
    ),
    figure(
      "memory per open stream",
      "KB",
      ours.memory / sizes.streams,
      raw.memory / sizes.streams,
      { of: "value", atMost: 100 },
    ),
    intact(ours, raw),
  ];
});

const fast = scenario("as fast as possible", async (stage, sizes) => {
  const { raw, ours } = await streams(stage, sizes.fast, { tokens: 500 }, 0);
  return [
    figure("CPU per token", "µs", perToken(ours), perToken(raw), {
      of: "ratio",
      atMost: 1.5,
    }),
    intact(ours, raw),
  ];
});

const first = scenario("one stream", async (stage, sizes) => {
  const times = await both(stage, async (_server, door) => {
    const times: number[] = [];
    for (let i = 0; i < sizes.firsts; i++) {
      const options = { streams: 1, script: { tokens: 1 }, rampMs: 0 };
      times.push((await ask(door, options)).first[0]!);
    }
    return times.sort((a, b) => a - b);
  });
  return [
    figure(
      "first token, median",
      "ms",
      percentile(times.ours, 0.5),
      percentile(times.raw, 0.5),
      { of: "over", atMost: 10 },
    ),
  ];
});

const turns = scenario("agent turn, 50 at once", async ({ ours }, sizes) => {
  const script = { tokens: 1, tool: true };
  let broken: Crowd | null = null;
  const cpu = ours.cpu();
  for (let i = 0; i < sizes.waves; i++) {
    const options = { streams: 50, script, rampMs: 0 };
    const crowd = await ask(ourDoor(ours.url), options);
    if (broken === null || crowd.broken > 0) broken = crowd;
  }
  const spent = (ours.cpu() - cpu) / (sizes.waves * 50);
  return [
    figure("CPU per turn", "ms", spent * 1000, null, {
      of: "value",
      atMost: 2,
    }),
    intact(broken!, null),
  ];
});

const readers = scenario("many readers, one run", async (stage, sizes) => {
  const { ours, upstream } = stage;
  const script = {
    tokens: RATE * sizes.readerSeconds,
    rate: RATE,
    waitMs: 2_500,
  };
  const calls = async () =>
    Number((await get(new URL("/calls", upstream.url))).text);
  const before = await calls();
  let started = "";
  await exchange({
    method: "POST",
    url: new URL("/api/runs", ours.url),
    accept: "application/json",
    body: { text: question(script) },
  }, (text) => started += text);
  const url = new URL(JSON.parse(started).events, ours.url);
  const { tokens } = script;
  // From when all are there and nothing was said yet: the frames' cost alone.
  let cpu = 0;
  const allThere = setTimeout(() => cpu = ours.cpu(), script.waitMs - 200);
  const options = { streams: sizes.readers, tokens, rampMs: 2_000 };
  const crowd = await read(url, options);
  clearTimeout(allThere);
  return [
    figure(
      `CPU per frame and reader (${sizes.readers})`,
      "µs",
      (ours.cpu() - cpu) / crowd.frames * 1e6,
      null,
      { of: "value", atMost: 15 },
    ),
    figure("different texts", "", crowd.texts.size, null, {
      of: "value",
      atMost: 1,
    }),
    figure("upstream calls", "", await calls() - before, null, {
      of: "value",
      atMost: 1,
    }),
    intact(crowd, null),
  ];
});

/** An answer ten times as long: the cost of a token stays. */
const growth = scenario("growth", async ({ ours }) => {
  const cost = async (tokens: number) => {
    const options = { streams: 5, script: { tokens }, rampMs: 0 };
    return perToken(
      await measure(ours, () => ask(ourDoor(ours.url), options)),
    );
  };
  // Short enough to end soon, long enough to hide what starting a run costs.
  const short = await cost(2_000);
  const long = await cost(20_000);
  return [
    figure("CPU per token, answer 10 x as long", "x", long / short, null, {
      of: "value",
      atMost: 1.1,
    }),
  ];
});

const page = scenario("first page", async ({ ours }) => {
  const times = 100;
  const cpu = ours.cpu();
  let html = "";
  for (let i = 0; i < times; i++) html = (await get(ours.url)).text;
  const spent = (ours.cpu() - cpu) / times * 1000;
  return [
    figure("CPU per page", "ms", spent, null, { of: "value", atMost: 5 }),
    figure("scripts, gzip", "KB", await scripts(ours.url, html), null, {
      of: "value",
      atMost: 45,
    }),
  ];
});

/**
 * The scripts a page loads at once, with all they import, as gzip, KB. What is
 * imported by a call comes later, when it is needed.
 */
async function scripts(server: URL, html: string): Promise<number> {
  const tags = /<(?:script|link)\b[^>]*?\b(?:src|href)="([^"]+\.m?js[^"]*)"/g;
  const imports = /(?:from|import)\s*["']([^"']+\.m?js[^"']*)["']/g;
  // An island's module stands in the page's data.
  const named = /["'](\/[^"'\s<>]+\.m?js)["']/g;
  const found = new Set<string>();
  const note = (text: string, pattern: RegExp, base: URL) => {
    for (const [, path] of text.matchAll(pattern)) {
      found.add(new URL(path!, base).href);
    }
  };
  note(html, tags, server);
  note(html, named, server);
  let bytes = 0;
  for (const href of found) {
    const url = new URL(href);
    const { text } = await get(url);
    note(text, imports, url);
    const zipped = new Blob([text]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    bytes += (await new Response(zipped).arrayBuffer()).byteLength;
  }
  return bytes / 1024;
}

/** All of them, in the order they run. */
const stop: Scenario = {
  name: "stop",
  round: (_stage, sizes) => stopRound(sizes.stops),
};

export const SCENARIOS = [
  first,
  typing,
  fast,
  turns,
  readers,
  growth,
  page,
  stop,
];
