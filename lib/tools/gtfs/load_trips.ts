/**
 * Reads trips, their times and frequencies into the database. A trip is checked
 * whole: either every time of it can be believed or it is left out.
 *
 * @module
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { readTable, type Row } from "./csv.ts";
import { FeedError, quoted } from "./errors.ts";
import type { Import } from "./load.ts";
import {
  readTime,
  settle,
  type StagedTime,
  type StopTime,
} from "./trip_times.ts";

/** What became of the trips. */
export interface TripsResult {
  /** The latest departure of any service day, in seconds. */
  latest: number;
  /** Trips left out, and the first few reasons. */
  leftOut: number;
  reasons: string[];
}

interface Frequency {
  start: number;
  end: number;
  headway: number;
  exact: boolean;
}

interface Trip {
  route: number;
  service: number;
  /** Row in `labels`, or -1 for "the last stop's name". */
  headsign: number;
  runs: Frequency[];
  /** Why it cannot be used; the first reason. */
  fault: string | undefined;
}

/** Rows written before others get their turn. */
const PAUSE = 500;
/** A trip repeated more often than this is a slip of the pen. */
const MAX_RUNS = 20_000;

function neededTime(row: Row, field: string): number {
  row.required(field);
  return readTime(row, field)!;
}

async function readTrips(job: Import): Promise<Map<string, Trip>> {
  const trips = new Map<string, Trip>();
  const columns = ["route_id", "service_id", "trip_id"];
  await readTable(job, "trips.txt", columns, (row) => {
    const id = row.required("trip_id");
    if (trips.has(id)) {
      throw row.fault("trip_id", `stands twice: ${quoted(id)}`);
    }
    const route = job.routes.get(row.required("route_id"));
    const service = job.services.get(row.required("service_id"));
    const missing = route === undefined
      ? "route_id"
      : service === undefined
      ? "service_id"
      : undefined;
    const fault = missing && row.fault(
      missing,
      `is not in the feed: ${quoted(row.text(missing))}`,
    ).message;
    const sign = row.text("trip_headsign");
    const headsign = sign
      ? job.labelId(job.names.label("trip_headsign", sign, id))
      : -1;
    trips.set(id, {
      route: route ?? -1,
      service: service ?? -1,
      headsign,
      runs: [],
      fault,
    });
  });
  const frequency = ["trip_id", "start_time", "end_time", "headway_secs"];
  await readTable(job, "frequencies.txt", frequency, (row) => {
    const trip = trips.get(row.required("trip_id"));
    if (!trip) {
      throw row.fault(
        "trip_id",
        `is not in the feed: ${quoted(row.text("trip_id"))}`,
      );
    }
    const headway = row.whole("headway_secs");
    if (headway < 10) {
      throw row.fault("headway_secs", `is too short: ${headway}`);
    }
    trip.runs.push({
      start: neededTime(row, "start_time"),
      end: neededTime(row, "end_time"),
      headway,
      exact: row.choice("exact_times", 1) === 1,
    });
  });
  return trips;
}

/** Stages stop_times.txt sorted by trip, as the file may come in any order. */
async function stageTimes(job: Import, trips: Map<string, Trip>) {
  job.db.exec(
    `create temp table staged (trip integer, seq integer, place integer,
    arrival integer, departure integer, pickup integer, dropoff integer,
    headsign integer, line integer, primary key (trip, seq)) without rowid`,
  );
  const put = job.db.prepare(
    "insert or ignore into staged values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const numbers = new Map([...trips.keys()].map((id, i) => [id, i]));
  const columns = ["trip_id", "stop_id", "stop_sequence"];
  let strays = 0;
  await readTable(job, "stop_times.txt", columns, (row) => {
    const id = row.required("trip_id");
    const arrival = readTime(row, "arrival_time");
    const departure = readTime(row, "departure_time");
    const seq = row.whole("stop_sequence");
    const trip = trips.get(id);
    if (!trip) {
      strays += 1;
      return;
    }
    const stop = row.required("stop_id");
    const place = job.places.get(stop);
    if (place === undefined) {
      trip.fault ??= row.fault(
        "stop_id",
        `is not in the feed: ${quoted(stop)}`,
      ).message;
      return;
    }
    const sign = row.text("stop_headsign");
    const { changes } = put.run(
      numbers.get(id)!,
      seq,
      place,
      arrival,
      departure,
      row.choice("pickup_type", 3),
      row.choice("drop_off_type", 3),
      sign
        ? job.labelId(
          job.names.label("stop_headsign", sign, id, row.text("stop_sequence")),
        )
        : -1,
      row.line,
    );
    if (!changes) throw row.fault("stop_sequence", `stands twice: ${seq}`);
  });
  return strays;
}

/**
 * Reads trips.txt, frequencies.txt and stop_times.txt.
 *
 * A trip with frequencies becomes one trip per departure; where the feed says
 * the times are not exact, the trip keeps its headway, so answers can say so.
 */
export async function loadTrips(job: Import): Promise<TripsResult> {
  const { db } = job;
  const trips = await readTrips(job);
  const strays = await stageTimes(job, trips);
  const reasons: string[] = [];
  let leftOut = 0;
  let latest = 0;
  const leave = (reason: string) => {
    leftOut += 1;
    if (reasons.length < 5) reasons.push(reason);
  };
  if (strays) {
    reasons.push(`stop_times.txt: ${strays} rows belong to no trip`);
  }
  const putTrip = db.prepare("insert into trips values (?, ?, ?, ?)");
  const putTime = db.prepare(
    "insert into stop_times values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const served = new Set<number>();
  const staged = db.prepare("select * from staged where trip = ? order by seq");
  const placeLabel = db.prepare("select label from places where id = ?");
  let key = 0;
  let written = 0;
  const put = (
    trip: Trip,
    times: StopTime[],
    shift: number,
    headway: number | null,
  ) => {
    const end = times.at(-1)!;
    const sign = trip.headsign >= 0
      ? trip.headsign
      : (placeLabel.get(end.place) as { label: number }).label;
    // Nobody gets on where all further stops are the same place.
    const away = times.findLastIndex(({ place }) => place !== end.place);
    putTrip.run(key, trip.route, trip.service, headway);
    for (const [i, time] of times.entries()) {
      putTime.run(
        key,
        time.seq,
        time.place,
        time.arrival + shift,
        time.departure + shift,
        i > away || time.pickup === 1 ? 0 : 1,
        i === 0 || time.dropoff === 1 ? 0 : 1,
        time.headsign >= 0 ? time.headsign : sign,
        time.about,
      );
      served.add(time.place * job.routes.size + trip.route);
    }
    written += times.length;
    latest = Math.max(latest, end.departure + shift);
    key += 1;
  };
  for (const [number, trip] of [...trips.values()].entries()) {
    if (written >= PAUSE) {
      written = 0;
      await nextTurn();
      job.signal.throwIfAborted();
    }
    const rows = trip.fault ? [] : staged.all(number) as StagedTime[];
    const times = trip.fault ?? settle(rows);
    if (typeof times === "string") {
      leave(times);
      continue;
    }
    if (trip.runs.length === 0) put(trip, times, 0, null);
    const start = times[0]!.departure;
    let runs = 0;
    for (const { start: from, end, headway, exact } of trip.runs) {
      for (let time = from; time < end; time += headway) {
        if (++runs > MAX_RUNS) {
          throw new FeedError(`gives one trip over ${MAX_RUNS} runs`, {
            file: "frequencies.txt",
          });
        }
        put(trip, times, time - start, exact ? null : headway);
      }
    }
  }
  db.exec("drop table staged");
  const putRoute = db.prepare("insert into place_routes values (?, ?)");
  for (const pair of served) {
    const route = pair % job.routes.size;
    putRoute.run((pair - route) / job.routes.size, route);
  }
  return { latest, leftOut, reasons };
}
