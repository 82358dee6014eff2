/**
 * Turns a feed into a database: agency, stops and routes here, the
 * rest in `load_calendar.ts` and `load_trips.ts`.
 *
 * What cannot be read (a date, a time, a missing column) refuses the feed with
 * file, line and field. What can be read but contradicts itself (a trip that goes
 * back in time) is left out and counted, because real feeds have a few of those
 * and the answers can say so.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { Label } from "../../chat/boards.ts";
import { Zone } from "./clock.ts";
import { readTable } from "./csv.ts";
import { FeedError, quoted } from "./errors.ts";
import { Names } from "./labels.ts";
import { loadCalendar, readDay } from "./load_calendar.ts";
import { loadTrips } from "./load_trips.ts";
import { groupStops, type StopRecord } from "./places.ts";
import type { FeedFiles } from "./read.ts";
import { SCHEMA, SCHEMA_VERSION } from "./schema.ts";

/** What the steps of one import share. */
export interface Import {
  feed: FeedFiles;
  db: DatabaseSync;
  signal: AbortSignal;
  names: Names;
  /** The row of a label in `labels`, made on first use. */
  labelId(label: Label): number;
  /** stop_id of a stop, platform or station → row in `places`. */
  places: Map<string, number>;
  /** route_id → row in `routes`. */
  routes: Map<string, number>;
  /** service_id → row in `services`. */
  services: Map<string, number>;
}

interface About {
  zone: string;
  publisher: Label;
  firstDay: number | null;
  lastDay: number | null;
}

/** Who publishes the feed, in which zone, for which days. */
async function readAbout({ feed, names, signal }: Import): Promise<About> {
  let zone: string | undefined;
  const agencies: Label[] = [];
  await readTable({ feed, signal }, "agency.txt", [
    "agency_name",
    "agency_timezone",
  ], (row) => {
    const own = row.required("agency_timezone");
    try {
      new Zone(own);
    } catch {
      throw row.fault(
        "agency_timezone",
        `is not a time zone: ${quoted(own)}`,
      );
    }
    if (zone !== undefined && zone !== own) {
      throw row.fault("agency_timezone", "differs from the first agency's");
    }
    zone = own;
    const name = row.required("agency_name");
    agencies.push(names.label("agency_name", name, row.text("agency_id")));
  });
  if (!zone) throw new FeedError("names no agency", { file: "agency.txt" });
  const some = agencies.slice(0, 3);
  const about: About = {
    zone,
    publisher: {
      zh: some.map((name) => name.zh).join("、"),
      en: some.map((name) => name.en).join(", "),
    },
    firstDay: null,
    lastDay: null,
  };
  await readTable({ feed, signal }, "feed_info.txt", [], (row) => {
    const name = row.text("feed_publisher_name");
    if (name) about.publisher = names.label("feed_publisher_name", name);
    if (row.text("feed_start_date")) {
      about.firstDay = readDay(row, "feed_start_date");
    }
    if (row.text("feed_end_date")) {
      about.lastDay = readDay(row, "feed_end_date");
    }
  });
  return about;
}

async function loadStops(job: Import): Promise<void> {
  const stops: StopRecord[] = [];
  const known = new Set<string>();
  await readTable(job, "stops.txt", ["stop_id"], (row) => {
    const id = row.required("stop_id");
    if (known.has(id)) {
      throw row.fault("stop_id", `stands twice: ${quoted(id)}`);
    }
    known.add(id);
    const type = row.choice("location_type", 4);
    // Entrances, path nodes and boarding areas are not where one asks for a bus.
    if (type > 1) return;
    const name = row.text("stop_name");
    const parent = row.text("parent_station");
    if (!name && !parent) throw row.fault("stop_name", "may not be blank");
    const coordinate = (field: string) => {
      const text = row.text(field);
      if (text === "") return null;
      const value = Number(text);
      if (!Number.isFinite(value)) {
        throw row.fault(field, `is not a number: ${quoted(text)}`);
      }
      return value;
    };
    stops.push({
      id,
      label: job.names.label("stop_name", name, id),
      own: name,
      spoken: row.text("tts_stop_name"),
      parent: type === 0 && parent ? parent : null,
      latitude: coordinate("stop_lat"),
      longitude: coordinate("stop_lon"),
      line: row.line,
    });
  });
  const place = job.db.prepare("insert into places values (?, ?, ?)");
  const member = job.db.prepare("insert into place_stops values (?, ?)");
  const alias = job.db.prepare("insert into place_names values (?, ?)");
  for (const [id, group] of groupStops(stops).entries()) {
    place.run(id, group.id, job.labelId(group.label));
    for (const name of group.names) alias.run(id, name);
    for (const stop of group.members) {
      member.run(stop, id);
      job.places.set(stop, id);
    }
  }
}

async function loadRoutes(job: Import): Promise<void> {
  const put = job.db.prepare("insert into routes values (?, ?, ?, ?, ?, ?)");
  await readTable(job, "routes.txt", ["route_id"], (row) => {
    const id = row.required("route_id");
    if (job.routes.has(id)) {
      throw row.fault("route_id", `stands twice: ${quoted(id)}`);
    }
    const long = job.names.label(
      "route_long_name",
      row.text("route_long_name"),
      id,
    );
    const name = row.text("route_short_name") || long.zh;
    if (!name) throw row.fault("route_short_name", "may not be blank");
    const color = (field: string) => {
      const text = row.text(field);
      return /^[0-9a-f]{6}$/i.test(text) ? text.toLowerCase() : null;
    };
    const key = job.routes.size;
    put.run(
      key,
      name.slice(0, 24),
      job.labelId(long),
      color("route_color"),
      color("route_text_color"),
      row.whole("route_sort_order", 0),
    );
    job.routes.set(id, key);
  });
}

/** The first and last day any trip runs. */
const COVERAGE = `
with used as (select distinct service from trips),
  days as (
    select first, last from services where days <> 0 and id in used
    union all
    select day, day from exceptions where runs = 1 and service in used)
select min(first) as first, max(last) as last from days`;

/**
 * Reads a whole feed into an empty database. Others get their turn in between;
 * an abort of `signal` is noticed there.
 *
 * @param options.warn told once about trips left out
 * @throws {FeedError} the feed cannot be used
 */
export async function loadFeed(
  feed: FeedFiles,
  db: DatabaseSync,
  { warn, signal }: { warn: (message: string) => void; signal: AbortSignal },
): Promise<void> {
  for (
    const file of [
      "agency.txt",
      "stops.txt",
      "routes.txt",
      "trips.txt",
      "stop_times.txt",
    ] as const
  ) {
    if (!feed.has(file)) throw new FeedError(`has no file ${file}`);
  }
  db.exec(SCHEMA);
  db.exec("begin");
  const putLabel = db.prepare("insert into labels values (?, ?, ?)");
  const labels = new Map<string, number>();
  const names = await Names.read(feed, signal);
  const job: Import = {
    feed,
    db,
    signal,
    names,
    labelId({ zh, en }) {
      const key = `${zh}\0${en}`;
      let id = labels.get(key);
      if (id === undefined) {
        id = labels.size;
        putLabel.run(id, zh, en);
        labels.set(key, id);
      }
      return id;
    },
    places: new Map(),
    routes: new Map(),
    services: new Map(),
  };
  const about = await readAbout(job);
  await loadStops(job);
  await loadRoutes(job);
  await loadCalendar(job);
  const result = await loadTrips(job);
  const { first, last } = db.prepare(COVERAGE).get() as {
    first: number | null;
    last: number | null;
  };
  if (first === null || last === null) {
    throw new FeedError("has no trip that runs on any day");
  }
  const meta = {
    version: SCHEMA_VERSION,
    zone: about.zone,
    publisherZh: about.publisher.zh,
    publisherEn: about.publisher.en,
    firstDay: Math.max(first, about.firstDay ?? first),
    lastDay: Math.min(last, about.lastDay ?? last),
    firstService: first,
    lastService: last,
    validUntil: about.lastDay ?? last,
    latest: result.latest,
    leftOut: result.leftOut,
  };
  const put = db.prepare("insert into meta values (?, ?)");
  for (const [key, value] of Object.entries(meta)) put.run(key, String(value));
  db.exec("commit");
  if (result.leftOut > 0) {
    warn(
      `bus timetable: trips left out: ${result.leftOut}; ${
        result.reasons.join("; ")
      }`,
    );
  }
}
