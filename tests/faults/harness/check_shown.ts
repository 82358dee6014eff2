/**
 * N2 and N6: every frame that was shown is in the log byte for byte, and a
 * reading, however often it was broken off, has each entry once and in order.
 *
 * @module
 */
import { isTerminal, type RunEvent } from "../../../lib/chat/events.ts";
import { parseFrameId } from "../../../lib/chat/ids.ts";
import { mergeDeltas } from "../../../lib/chat/merge.ts";
import type { StoredEntry } from "../../../lib/store/contract.ts";
import type { Broken } from "./checker.ts";
import type { History, Record } from "./history.ts";

type Shown = Extract<Record, { kind: "shown" }>;

export function checkShown(
  history: History,
  logs: Map<string, StoredEntry[]>,
  broken: Broken,
): void {
  /** Reading → the last entry it was shown. */
  const last = new Map<number, number>();
  for (const record of history.records) {
    if (record.kind === "shown") {
      const after = last.get(record.reading) ?? 0;
      const seq = checkFrame(record, after, logs.get(record.run) ?? [], broken);
      last.set(record.reading, seq);
    } else if (record.kind === "resync") {
      broken("N6", `${where(record)} was told to forget what it had`);
    } else if (record.kind === "ended") {
      const entry = logs.get(record.run)?.[(last.get(record.reading) ?? 0) - 1];
      const event = entry && JSON.parse(entry.json) as RunEvent;
      if (event === undefined || !isTerminal(event)) {
        broken("N6", `${where(record)} ended without the end of the run`);
      }
    }
  }
}

/** The sequence it is shown up to. */
function checkFrame(
  shown: Shown,
  after: number,
  log: StoredEntry[],
  broken: Broken,
): number {
  const place = parseFrameId(shown.id);
  if (place === null || place.run !== shown.run) {
    broken("N6", `${where(shown)} was shown "${shown.id}"`);
    return after;
  }
  const { epoch, seq } = place.cursor;
  if (seq <= after) {
    broken("N6", `${where(shown)} was shown ${seq} after ${after}`);
    return after;
  }
  const entry = log[seq - 1];
  if (entry === undefined || entry.epoch !== epoch) {
    broken("N2", `${where(shown)} was shown ${epoch}-${seq}: not in the log`);
    return seq;
  }
  if (seq === after + 1) {
    if (entry.json !== shown.json) {
      broken("N2", `${where(shown)} was shown other bytes for ${epoch}-${seq}`);
    }
    return seq;
  }
  const merged = frameOf(log.slice(after, seq));
  if (merged === null) {
    broken("N6", `${where(shown)} was shown ${seq} after ${after}: a gap`);
  } else if (merged !== shown.json) {
    broken(
      "N6",
      `${where(shown)} was shown other bytes for ${after + 1}-${seq}`,
    );
  }
  return seq;
}

/**
 * The data of the frame that shows these entries: neighbouring deltas may come as
 * one to a reader far behind (protocol 2.4). Null if they cannot be one frame.
 */
export function frameOf(entries: { json: string }[]): string | null {
  if (entries.length < 2) return entries[0]?.json ?? null;
  const [first, ...others] = entries.map(({ json }) =>
    JSON.parse(json) as RunEvent
  );
  let merged: RunEvent | null = first!;
  for (const event of others) {
    merged = merged === null ? null : mergeDeltas(merged, event);
  }
  return merged === null ? null : JSON.stringify(merged);
}

function where({ client, run }: { client: number; run: string }): string {
  return `client ${client}, reading run "${run}",`;
}
