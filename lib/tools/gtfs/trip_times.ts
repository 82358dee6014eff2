/**
 * The times of one trip: reading them, and believing all or none of them.
 *
 * @module
 */
import type { Row } from "./csv.ts";
import { at, quoted } from "./errors.ts";

/** A row of stop_times.txt as staged; times are null where blank. */
export type StagedTime = {
  trip: number;
  seq: number;
  place: number;
  arrival: number | null;
  departure: number | null;
  pickup: number;
  dropoff: number;
  headsign: number;
  line: number;
};

/** A row whose times are known; `about` 1 when they were put between two others. */
export interface StopTime extends StagedTime {
  arrival: number;
  departure: number;
  about: 0 | 1;
}

/** No trip takes a week; a longer time is a slip of the pen. */
const MAX_HOURS = 168;

/** Seconds of a GTFS time, which may pass 24:00:00; null when blank. */
export function readTime(row: Row, field: string): number | null {
  const text = row.text(field);
  if (text === "") return null;
  const found = /^(\d{1,3}):([0-5]\d):([0-5]\d)$/.exec(text);
  if (!found || Number(found[1]) >= MAX_HOURS) {
    throw row.fault(field, `is not a time HH:MM:SS: ${quoted(text)}`);
  }
  return Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3]);
}

function faultAt(line: number, field: string, reason: string): string {
  return at({ file: "stop_times.txt", line, field }) + reason;
}

/**
 * A trip's rows with the gaps between two known times filled evenly, which is
 * what the reference leaves to the reader, or the reason it cannot be used.
 */
export function settle(rows: StagedTime[]): StopTime[] | string {
  const first = rows[0];
  const last = rows.at(-1);
  if (!first || !last || rows.length < 2) {
    return "a trip has less than two stops";
  }
  const times: StopTime[] = [];
  let gap: StagedTime[] = [];
  let before = -1;
  for (const row of rows) {
    const arrival = row.arrival ?? row.departure;
    const departure = row.departure ?? row.arrival;
    if (arrival === null || departure === null) {
      if (row === first || row === last) {
        return faultAt(
          row.line,
          "departure_time",
          "is blank at an end of a trip",
        );
      }
      gap.push(row);
      continue;
    }
    if (arrival < before || departure < arrival) {
      return faultAt(row.line, "arrival_time", "goes back in time");
    }
    for (const [i, blank] of gap.entries()) {
      const part = (i + 1) / (gap.length + 1);
      const time = Math.round(before + (arrival - before) * part);
      times.push({ ...blank, arrival: time, departure: time, about: 1 });
    }
    gap = [];
    times.push({ ...row, arrival, departure, about: 0 });
    before = departure;
  }
  return times;
}
