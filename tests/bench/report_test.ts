import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Figure,
  judge,
  median,
  percentile,
  table,
} from "../../bench/report.ts";
import { question, readScript } from "../../bench/script.ts";
import { TokenReader, TokenWriter } from "../../bench/tokens.ts";

const cpu: Figure = {
  scenario: "typing pace",
  name: "CPU per token",
  unit: "µs",
  ours: [30, 60, 50],
  raw: [20, 20, 10],
  goal: { of: "ratio", atMost: 2 },
};

Deno.test("percentile() is the value a share of the values reaches", () => {
  const values = Array.from({ length: 200 }, (_, i) => i + 1);
  assertEquals(percentile(values, 0.5), 100);
  assertEquals(percentile(values, 0.99), 198);
  assertEquals(percentile([7], 0.99), 7);
  assert(Number.isNaN(percentile([], 0.5)));
});

Deno.test("median() is the middle, or the mean of the two in the middle", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([10, 1, 3, 2]), 2.5);
  assert(Number.isNaN(median([])));
});

Deno.test("judge() takes the median of the rounds' ratios, not the ratio of medians", () => {
  const row = judge(cpu);
  assertEquals(row.ratio, 3);
  assertEquals([row.ours, row.raw], [50, 20]);
  assertEquals(row.met, false);
  assertEquals(row.goal, "≤ 2 x raw");
  assertEquals(judge({ ...cpu, goal: { of: "ratio", atMost: 3 } }).met, true);
});

Deno.test("judge() holds a delay to what it is over raw, and a size to itself", () => {
  const delay = judge({ ...cpu, goal: { of: "over", atMost: 40 } });
  assertEquals(delay.met, true);
  assertEquals(delay.goal, "≤ 40 µs over raw");
  const size = judge({ ...cpu, raw: [], goal: { of: "value", atMost: 49 } });
  assertEquals([size.met, size.ratio, size.raw], [false, null, null]);
});

Deno.test("judge() calls nothing met that was not measured", () => {
  assertEquals(judge({ ...cpu, ours: [], raw: [] }).met, null);
  assertEquals(judge({ ...cpu, ours: [NaN], raw: [1] }).met, null);
  assertEquals(judge({ ...cpu, goal: null }).met, null);
});

Deno.test("table() aligns its columns and names a scenario once", () => {
  const lines = table([judge(cpu), judge({ ...cpu, name: "again" })])
    .split("\n");
  assertEquals(lines.length, 3);
  assertStringIncludes(lines[1]!, "typing pace  CPU per token  50 µs");
  assert(lines[1]!.endsWith("NO"));
  assert(!lines[2]!.includes("typing pace"));
  const at = lines[0]!.indexOf("goal");
  assertEquals(lines[2]!.indexOf("≤"), at);
});

Deno.test("readScript() reads what question() wrote", () => {
  const script = { tokens: 12, rate: 20, waitMs: 3, tool: true };
  assertEquals(readScript(question(script)), script);
});

Deno.test("TokenReader sees loss, order and a wrong hash, wherever pieces are cut", () => {
  const writer = new TokenWriter(3);
  const [a, b, c, seal] = Array.from({ length: 4 }, () => writer.next());
  const read = (...pieces: (string | undefined)[]) => {
    const reader = new TokenReader(() => {});
    for (const char of pieces.join("")) reader.push(char, 0);
    return [reader.count, reader.inOrder, reader.sealed];
  };
  assertEquals(read(a, b, c, seal), [3, true, true]);
  assertEquals(read(a, b, c), [3, true, null]);
  assertEquals(read(a, b, c, "#0 "), [3, true, false]);
  assertEquals(read(a, c, seal), [2, false, false]);
  assertEquals(read(a, a, b, c, seal), [4, false, false]);
  assertEquals(read(b, a), [2, false, null]);
});

Deno.test("TokenReader tells how long a token travelled", () => {
  const delays: number[] = [];
  const reader = new TokenReader((micros) => delays.push(micros));
  const token = new TokenWriter(1).next();
  const sent = parseInt(token.split(".")[1]!, 36);
  reader.push(token, sent + 1500);
  assertEquals(delays, [1500]);
});
