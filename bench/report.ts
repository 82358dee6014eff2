/**
 * The arithmetic of the figures, and the table they are printed in.
 *
 * @module
 */

/** What a figure is held to: itself, its ratio to raw, or what it is over raw. */
export interface Goal {
  of: "value" | "ratio" | "over";
  atMost: number;
}

export interface Figure {
  scenario: string;
  name: string;
  unit: string;
  /** One per round; the median counts. */
  ours: number[];
  /** The raw proxy's, from the same rounds; empty where there is none. */
  raw: number[];
  goal: Goal | null;
}

export interface Row {
  scenario: string;
  name: string;
  unit: string;
  ours: number;
  raw: number | null;
  /** Median of the rounds' ratios, so that a noisy round does not count twice. */
  ratio: number | null;
  goal: string;
  /** Null without a goal, or where there is nothing to judge. */
  met: boolean | null;
}

/** The value below which a share `p` of the ascending values lies. */
export function percentile(ascending: number[], p: number): number {
  if (ascending.length === 0) return NaN;
  const at = Math.ceil(ascending.length * p) - 1;
  return ascending[Math.max(0, Math.min(ascending.length - 1, at))]!;
}

/** The middle value; of two middle ones their mean. NaN for none. */
export function median(values: number[]): number {
  const ascending = values.toSorted((a, b) => a - b);
  const middle = ascending.length >> 1;
  return ascending.length % 2 === 1
    ? ascending[middle]!
    : (ascending[middle - 1]! + ascending[middle]!) / 2;
}

/** A figure with its verdict. */
export function judge({ ours, raw, goal, ...about }: Figure): Row {
  const paired = raw.length > 0;
  const ratio = paired ? median(ours.map((v, i) => v / raw[i]!)) : null;
  const over = paired ? median(ours.map((v, i) => v - raw[i]!)) : NaN;
  const judged = goal === null
    ? NaN
    : { value: median(ours), ratio: ratio ?? NaN, over }[goal.of];
  return {
    ...about,
    ours: median(ours),
    raw: paired ? median(raw) : null,
    ratio,
    goal: goal === null ? "" : words(goal, about.unit),
    met: goal === null || Number.isNaN(judged) ? null : judged <= goal.atMost,
  };
}

function words({ of, atMost }: Goal, unit: string): string {
  if (of === "ratio") return `≤ ${atMost} x raw`;
  return `≤ ${atMost} ${unit}${of === "over" ? " over raw" : ""}`.trim();
}

/** The rows as a table of plain text. */
export function table(rows: Row[]): string {
  const lines = [
    ["", "figure", "ours", "raw", "x raw", "goal", "met"],
    ...rows.map((row, i) => [
      row.scenario === rows[i - 1]?.scenario ? "" : row.scenario,
      row.name,
      `${round(row.ours)} ${row.unit}`.trim(),
      row.raw === null ? "" : round(row.raw),
      row.ratio === null || !Number.isFinite(row.ratio)
        ? ""
        : row.ratio.toFixed(2),
      row.goal,
      row.met === null ? "" : row.met ? "yes" : "NO",
    ]),
  ];
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length))
  );
  return lines
    .map((line) =>
      line.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd()
    )
    .join("\n");
}

/** Three digits are all a shared machine can promise. */
function round(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (Number.isInteger(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
