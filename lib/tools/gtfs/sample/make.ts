/**
 * Writes the sample feed, described in `city.ts`, beside this file. Run with
 * `deno run --allow-write lib/tools/gtfs/sample/make.ts`; the same input always
 * writes the same files.
 *
 * @module
 */
import {
  FIRST_DAY,
  type Headway,
  HOLIDAYS,
  LAST_DAY,
  LINES,
  PLACES,
  PLATFORMS,
  SPRING_FESTIVAL,
} from "./city.ts";

/** One letter per service keeps trip ids short. */
const LETTER: Record<string, string> = {
  weekday: "w",
  weekend: "e",
  daily: "d",
};

const minutes = (text: string) =>
  Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
const time = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${
    String(minute % 60).padStart(2, "0")
  }:00`;
/** Stop ids are short, as stop_times repeats them ten thousand times. */
const stopId = (stop: string) => stop.replace(".", "");

const files = new Map<string, string>();

function table(name: string, header: string, rows: unknown[][]): void {
  const field = (value: unknown) => {
    const text = String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [header, ...rows.map((row) => row.map(field).join(","))];
  files.set(name, lines.join("\n") + "\n");
}

function where([, , x, y]: [string, string, number, number]) {
  return [(29.6 + y * 0.0054).toFixed(4), (124.5 + x * 0.0062).toFixed(4)];
}

function writeStops(): void {
  const stops: unknown[][] = [];
  const english: unknown[][] = [];
  for (const [id, place] of Object.entries(PLACES)) {
    const platforms = PLATFORMS[id];
    const [zh, en] = place;
    stops.push([id, zh, "", ...where(place), platforms ? 1 : 0, ""]);
    english.push(["stops", "stop_name", "en", en, id, ""]);
    for (const code of platforms ?? []) {
      stops.push([id + code, zh, code, ...where(place), 0, id]);
      english.push(["stops", "stop_name", "en", en, id + code, ""]);
    }
  }
  for (const line of LINES) {
    english.push(["routes", "route_long_name", "en", line.en, line.id, ""]);
  }
  for (const sign of new Set(LINES.flatMap((line) => line.signs))) {
    const [zh, en] = PLACES[sign]!;
    english.push(["trips", "trip_headsign", "en", en, "", zh]);
  }
  english.push([
    "agency",
    "agency_name",
    "en",
    "Xinglan Transit",
    "",
    "星澜公交",
  ]);
  english.push([
    "feed_info",
    "feed_publisher_name",
    "en",
    "Xinglan Transit (sample data)",
    "",
    "",
  ]);
  table(
    "stops.txt",
    "stop_id,stop_name,platform_code,stop_lat,stop_lon,location_type,parent_station",
    stops,
  );
  table(
    "translations.txt",
    "table_name,field_name,language,translation,record_id,field_value",
    english,
  );
}

/** Departures of a line's service, in minutes of the service day. */
function* departures(headways: Headway[]): Generator<number> {
  for (const [from, to, every] of headways) {
    for (let at = minutes(from); at < minutes(to); at += every) yield at;
  }
}

function writeTrips(): void {
  const trips: unknown[][] = [];
  const times: unknown[][] = [];
  for (const line of LINES) {
    for (const direction of [0, 1] as const) {
      const legs = line.stops.map(([stop, before], i) => {
        const next = line.stops[i + 1]?.[1] ?? 0;
        return { stop: stopId(stop), before: direction ? next : before };
      });
      if (direction) legs.reverse();
      const sign = PLACES[line.signs[direction]]![0];
      for (const [service, headways] of Object.entries(line.services)) {
        let count = 0;
        for (const start of departures(headways)) {
          const code = direction ? "b" : "a";
          const id = `${line.id}${code}${LETTER[service]}${++count}`;
          trips.push([line.id, service, id, sign, direction]);
          let at = start;
          for (const [i, leg] of legs.entries()) {
            at += i === 0 ? 0 : leg.before;
            times.push([id, time(at), time(at), leg.stop, i + 1]);
          }
        }
      }
    }
  }
  table(
    "trips.txt",
    "route_id,service_id,trip_id,trip_headsign,direction_id",
    trips,
  );
  table(
    "stop_times.txt",
    "trip_id,arrival_time,departure_time,stop_id,stop_sequence",
    times,
  );
}

function writeCalendar(): void {
  const days = "monday,tuesday,wednesday,thursday,friday,saturday,sunday";
  const run = (id: string, week: string) => [
    id,
    ...week,
    FIRST_DAY,
    LAST_DAY,
  ];
  table("calendar.txt", `service_id,${days},start_date,end_date`, [
    run("weekday", "1111100"),
    run("weekend", "0000011"),
    run("daily", "1111111"),
  ]);
  const years = [2025, 2026, 2027, 2028, 2029, 2030];
  const holidays = [
    ...years.flatMap((year) => HOLIDAYS.map((date) => `${year}${date}`)),
    ...SPRING_FESTIVAL,
  ].sort();
  const isWeekday = (date: string) => {
    const iso = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
    return ![0, 6].includes(new Date(iso).getUTCDay());
  };
  table(
    "calendar_dates.txt",
    "service_id,date,exception_type",
    holidays.filter(isWeekday).flatMap((date) => [
      ["weekday", date, 2],
      ["weekend", date, 1],
    ]),
  );
}

function writeAbout(): void {
  table(
    "agency.txt",
    "agency_id,agency_name,agency_url,agency_timezone,agency_lang",
    [[
      "xinglan",
      "星澜公交",
      "https://xinglan.example/",
      "Asia/Shanghai",
      "zh",
    ]],
  );
  table(
    "feed_info.txt",
    "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date,feed_version",
    [[
      "星澜公交（示例数据）",
      "https://xinglan.example/",
      "zh",
      FIRST_DAY,
      LAST_DAY,
      "1",
    ]],
  );
  table(
    "routes.txt",
    "route_id,agency_id,route_short_name,route_long_name,route_type,route_color,route_text_color,route_sort_order",
    LINES.map((line, i) => [
      line.id,
      "xinglan",
      line.id,
      line.zh,
      3,
      line.color,
      "FFFFFF",
      i + 1,
    ]),
  );
}

/** The files of the sample feed: name and text. */
export function makeSample(): Map<string, string> {
  files.clear();
  writeAbout();
  writeStops();
  writeTrips();
  writeCalendar();
  return files;
}

if (import.meta.main) {
  for (const [name, text] of makeSample()) {
    Deno.writeTextFileSync(new URL(name, import.meta.url), text);
  }
}
