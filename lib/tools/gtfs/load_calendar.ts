/**
 * Reads calendar.txt and calendar_dates.txt, of which a feed has one or both.
 *
 * @module
 */
import { dayOf } from "./clock.ts";
import { readTable, type Row } from "./csv.ts";
import { FeedError, quoted } from "./errors.ts";
import type { Import } from "./load.ts";

/** A day as YYYYMMDD. */
export function readDay(row: Row, field: string): number {
  const text = row.required(field);
  const found = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  const value = found &&
    dayOf(Number(found[1]), Number(found[2]), Number(found[3]));
  if (value === null) {
    throw row.fault(field, `is not a date YYYYMMDD: ${quoted(text)}`);
  }
  return value;
}

const DAYS = [
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
  "sunday",
];

/** Reads which services run on which days. */
export async function loadCalendar(job: Import): Promise<void> {
  const { feed, services } = job;
  if (!feed.has("calendar.txt") && !feed.has("calendar_dates.txt")) {
    throw new FeedError("has neither calendar.txt nor calendar_dates.txt");
  }
  const put = job.db.prepare("insert into services values (?, ?, ?, ?)");
  await readTable(job, "calendar.txt", ["service_id", ...DAYS], (row) => {
    const id = row.required("service_id");
    if (services.has(id)) {
      throw row.fault("service_id", `stands twice: ${quoted(id)}`);
    }
    let days = 0;
    for (const [bit, name] of DAYS.entries()) {
      row.required(name);
      if (row.choice(name, 1)) days |= 1 << bit;
    }
    const key = services.size;
    put.run(key, days, readDay(row, "start_date"), readDay(row, "end_date"));
    services.set(id, key);
  });
  const except = job.db.prepare(
    "insert or replace into exceptions values (?, ?, ?)",
  );
  const columns = ["service_id", "date", "exception_type"];
  await readTable(job, "calendar_dates.txt", columns, (row) => {
    const id = row.required("service_id");
    const type = row.required("exception_type");
    if (type !== "1" && type !== "2") {
      throw row.fault("exception_type", `is not 1 or 2: ${quoted(type)}`);
    }
    let key = services.get(id);
    if (key === undefined) {
      // A service that has only single days: no weekdays, an empty range.
      key = services.size;
      put.run(key, 0, 0, -1);
      services.set(id, key);
    }
    except.run(readDay(row, "date"), key, type === "1" ? 1 : 0);
  });
}
