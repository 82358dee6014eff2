import { assert, assertEquals } from "@std/assert";
import Papa from "papaparse";
import { SAMPLE } from "../../lib/tools/gtfs/open.ts";
import { makeSample } from "../../lib/tools/gtfs/sample/make.ts";

type Rows = Record<string, string>[];

function read(name: string): Rows {
  const text = Deno.readTextFileSync(new URL(name, SAMPLE));
  return Papa.parse<Record<string, string>>(text, {
    header: true,
    skipEmptyLines: true,
  }).data;
}

function ids(rows: Rows, field: string): Set<string> {
  const found = new Set(rows.map((row) => row[field]!));
  assertEquals(found.size, rows.length, `${field} stands twice`);
  return found;
}

function allIn(rows: Rows, field: string, known: Set<string>): void {
  for (const row of rows) {
    assert(known.has(row[field]!), `${field} "${row[field]}" is not known`);
  }
}

function seconds(time: string): number {
  const [h, m, s] = time.split(":").map(Number);
  return h! * 3600 + m! * 60 + s!;
}

Deno.test("sample feed: the files are what make.ts writes", () => {
  for (const [name, text] of makeSample()) {
    assertEquals(Deno.readTextFileSync(new URL(name, SAMPLE)), text, name);
  }
});

Deno.test("sample feed: every reference leads somewhere and every id stands once", () => {
  const stops = read("stops.txt");
  const stopIds = ids(stops, "stop_id");
  const routeIds = ids(read("routes.txt"), "route_id");
  const services = ids(read("calendar.txt"), "service_id");
  const agencies = ids(read("agency.txt"), "agency_id");
  const trips = read("trips.txt");
  const tripIds = ids(trips, "trip_id");
  const times = read("stop_times.txt");
  allIn(read("routes.txt"), "agency_id", agencies);
  allIn(trips, "route_id", routeIds);
  allIn(trips, "service_id", services);
  allIn(times, "trip_id", tripIds);
  allIn(times, "stop_id", stopIds);
  allIn(read("calendar_dates.txt"), "service_id", services);
  const stations = new Set(
    stops.filter((stop) => stop.location_type === "1").map((s) => s.stop_id!),
  );
  allIn(
    stops.filter((stop) => stop.parent_station),
    "parent_station",
    stations,
  );
  const called = new Set(times.map((time) => time.stop_id!));
  for (const stop of stops) {
    assertEquals(called.has(stop.stop_id!), !stations.has(stop.stop_id!));
  }
});

Deno.test("sample feed: every trip moves forward in time, stop after stop", () => {
  let trip = "";
  let sequence = 0;
  let time = 0;
  for (const row of read("stop_times.txt")) {
    if (row.trip_id !== trip) [trip, sequence, time] = [row.trip_id!, 0, 0];
    assertEquals(Number(row.stop_sequence), sequence + 1);
    const arrival = seconds(row.arrival_time!);
    const departure = seconds(row.departure_time!);
    assert(arrival > time && departure >= arrival, `trip ${trip}`);
    [sequence, time] = [sequence + 1, departure];
  }
});

Deno.test("sample feed: every stop, route and headsign has an English name", () => {
  const translations = read("translations.txt");
  const named = (field: string, by: string) =>
    new Set(
      translations.filter((row) => row.field_name === field)
        .map((row) => row[by]!),
    );
  allIn(read("stops.txt"), "stop_id", named("stop_name", "record_id"));
  allIn(read("routes.txt"), "route_id", named("route_long_name", "record_id"));
  allIn(
    read("trips.txt"),
    "trip_headsign",
    named("trip_headsign", "field_value"),
  );
});

Deno.test("sample feed: valid for years, and under 400 KB", () => {
  let bytes = 0;
  for (const name of makeSample().keys()) {
    bytes += Deno.statSync(new URL(name, SAMPLE)).size;
  }
  assert(bytes < 400_000, `${bytes} bytes`);
  for (const service of read("calendar.txt")) {
    assertEquals(service.start_date, "20250101");
    assertEquals(service.end_date, "20301231");
  }
});
