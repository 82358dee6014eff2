/**
 * `deno task bench`: streams through the real server and through a raw
 * pass-through proxy of the same upstream, in the same run, and prints what each
 * cost next to the goals. On a shared machine only the ratios count.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { canMeasure } from "./cpu.ts";
import { ask, ourDoor, rawDoor } from "./load.ts";
import { startProgram, startServer } from "./processes.ts";
import { type Figure, judge, type Row, table } from "./report.ts";
import { SCENARIOS, type Sizes, type Stage } from "./scenarios.ts";

const HELP = `deno task bench [--quick] [--streams N] [--seconds S]
                [--only NAME] [--json FILE]

  --quick      one round of small sizes, under two minutes
  --streams N  streams at typing pace (1000; quick 200)
  --seconds S  how long each of them is (10; quick 5)
  --only NAME  only the scenarios whose name contains NAME
  --json FILE  write the figures there too`;

const FULL: Sizes = {
  streams: 1_000,
  seconds: 10,
  fast: 100,
  readers: 1_000,
  readerSeconds: 10,
  waves: 10,
  firsts: 40,
  stops: 100,
};
const QUICK: Sizes = {
  streams: 200,
  seconds: 5,
  fast: 100,
  readers: 200,
  readerSeconds: 4,
  waves: 4,
  firsts: 20,
  stops: 20,
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      quick: { type: "boolean", default: false },
      streams: { type: "string" },
      seconds: { type: "string" },
      only: { type: "string", default: "" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (!canMeasure()) {
    throw new Error("Cannot measure: CPU is read from /proc, on Linux only");
  }
  const base = values.quick ? QUICK : FULL;
  const sizes = {
    ...base,
    streams: Number(values.streams ?? base.streams),
    seconds: Number(values.seconds ?? base.seconds),
  };
  const rounds = values.quick ? 1 : 3;
  const rows = (await bench(values.only, sizes, rounds)).map(judge);
  console.log(`\n${table(rows)}\n`);
  if (values.json !== undefined) {
    await Deno.writeTextFile(values.json, json(sizes, rows));
  }
}

/** Runs the scenarios; figures of several rounds come back as one. */
async function bench(
  only: string,
  sizes: Sizes,
  rounds: number,
): Promise<Figure[]> {
  const upstream = await startProgram("upstream.ts");
  const stops = [upstream.stop];
  try {
    const starts = await timeStarts(rounds, upstream.url);
    const raw = await startProgram("proxy.ts", upstream.url.href);
    stops.push(raw.stop);
    const ours = await startServer(upstream.url);
    stops.push(ours.stop);
    const stage = { upstream, raw, ours };
    await warmUp(stage);
    const figures = only === "" ? [starts] : [];
    for (const scenario of SCENARIOS) {
      if (!scenario.name.includes(only)) continue;
      for (let round = 1; round <= rounds; round++) {
        console.error(`${scenario.name} (${round}/${rounds})`);
        for (const figure of await scenario.round(stage, sizes)) {
          join(figures, figure);
        }
      }
    }
    return figures;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** The first start may build and compile; it is not the one that counts. */
async function timeStarts(rounds: number, upstream: URL): Promise<Figure> {
  console.error("start");
  const times: number[] = [];
  for (let i = 0; i <= rounds; i++) {
    const server = await startServer(upstream);
    if (i > 0) times.push(server.startedIn / 1000);
    await server.stop();
  }
  return {
    scenario: "start",
    name: "to the first page",
    unit: "s",
    ours: times,
    raw: [],
    goal: { of: "value", atMost: 2 },
  };
}

/** Lets both compile their hot code before anything counts. */
async function warmUp({ raw, ours }: Stage): Promise<void> {
  for (const door of [rawDoor(raw.url), ourDoor(ours.url)]) {
    await ask(door, { streams: 50, script: { tokens: 200 }, rampMs: 0 });
    await ask(door, {
      streams: 50,
      script: { tokens: 20, rate: 20 },
      rampMs: 200,
    });
  }
}

function join(figures: Figure[], figure: Figure): void {
  const before = figures.find(({ scenario, name }) =>
    scenario === figure.scenario && name === figure.name
  );
  if (before === undefined) figures.push(figure);
  else {
    before.ours.push(...figure.ours);
    before.raw.push(...figure.raw);
  }
}

function json(sizes: Sizes, rows: Row[]): string {
  const { deno, v8 } = Deno.version;
  const machine = { deno, v8, cores: navigator.hardwareConcurrency };
  return `${JSON.stringify({ machine, sizes, rows }, null, 2)}\n`;
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
