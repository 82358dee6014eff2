/**
 * A feed of a few lines for tests: two stops, one route, whatever a test wants to
 * be different. Kept in memory, as files of a folder or as a zip.
 *
 * @module
 */
import { strToU8, zipSync } from "fflate";
import type { Json } from "../../lib/chat/events.ts";
import type { BoardData, StopsData } from "../../lib/chat/boards.ts";
import { createTools } from "../../lib/tools/mod.ts";

export type FeedText = Record<string, string>;

/** A valid feed; `changes` replace files, null takes one away. */
export function smallFeed(changes: Record<string, string | null> = {}) {
  const feed: FeedText = {
    "agency.txt":
      "agency_id,agency_name,agency_url,agency_timezone\nm,Metro,https://m.example/,America/New_York\n",
    "stops.txt":
      "stop_id,stop_name,stop_lat,stop_lon\na,Alpha,40,-74\nb,Beta,40.1,-74\nc,Gamma,40.2,-74\n",
    "routes.txt":
      "route_id,route_short_name,route_long_name,route_type,route_color\nr,9,Nine,3,00ff00\n",
    "calendar.txt":
      "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n" +
      "wd,1,1,1,1,1,0,0,20260101,20261231\nwe,0,0,0,0,0,1,1,20260101,20261231\n",
    "trips.txt":
      "route_id,service_id,trip_id,trip_headsign\nr,wd,t1,Gamma\nr,we,t2,Gamma\n",
    "stop_times.txt":
      "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
      "t1,08:00:00,08:00:00,a,1\nt1,08:10:00,08:11:00,b,2\nt1,08:20:00,08:20:00,c,3\n" +
      "t2,10:00:00,10:00:00,a,1\nt2,10:10:00,10:10:00,b,2\nt2,10:20:00,10:20:00,c,3\n",
  };
  for (const [name, text] of Object.entries(changes)) {
    if (text === null) delete feed[name];
    else feed[name] = text;
  }
  return feed;
}

/** stop_times.txt of trips given as "id: stop@arrival[/departure] ...". */
export function stopTimes(...trips: string[]): string {
  const rows = trips.flatMap((trip) => {
    const [id, stops = ""] = trip.split(": ");
    return stops.split(" ").map((call, i) => {
      const [stop, times = ""] = call.split("@");
      const [arrival = "", departure = arrival] = times.split("/");
      return `${id},${arrival},${departure},${stop},${i + 1}`;
    });
  });
  const header = "trip_id,arrival_time,departure_time,stop_id,stop_sequence";
  return [header, ...rows, ""].join("\n");
}

export function zipped(feed: FeedText, prefix = ""): Uint8Array {
  return zipSync(
    Object.fromEntries(
      Object.entries(feed).map((
        [name, text],
      ) => [prefix + name, strToU8(text)]),
    ),
  );
}

/** What one call of `bus_schedule` said. */
export interface Said {
  text: string;
  board: BoardData;
  stops: StopsData;
}

/** Asks the tool, as the loop would. */
export type Ask = (
  input: Record<string, Json>,
  now?: string,
) => Promise<Said>;

/** A tool box over a feed, closed and cleaned up afterwards. */
export interface Bus {
  ask: Ask;
  warnings: string[];
}

/** The default moment of tests: Monday 2026-06-01, 07:30 in New York. */
export const MONDAY = "2026-06-01T11:30:00Z";

/**
 * Runs a test with the tools over a feed: a text feed, a zip's bytes, a path or
 * address, or null for the sample.
 */
export async function withBus(
  feed: FeedText | Uint8Array | string | null,
  test: (bus: Bus) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  let path = typeof feed === "string" ? feed : null;
  if (feed instanceof Uint8Array) {
    path = `${folder}/feed.zip`;
    await Deno.writeFile(path, feed);
  } else if (feed !== null && typeof feed === "object") {
    path = `${folder}/feed`;
    await Deno.mkdir(path);
    for (const [name, text] of Object.entries(feed)) {
      await Deno.writeTextFile(`${path}/${name}`, text);
    }
  }
  const warnings: string[] = [];
  const { tools, close } = await createTools({
    gtfsFeed: path,
    cacheDir: `${folder}/cache`,
    warn: (message) => warnings.push(message),
  });
  const bus = tools.find((tool) => tool.name === "bus_schedule")!;
  const ask: Ask = async (input, now = MONDAY) => {
    const { text, data } = await bus.run(bus.input.parse(input), {
      signal: new AbortController().signal,
      progress: () => {},
      now: new Date(now),
    });
    return {
      text,
      board: data as unknown as BoardData,
      stops: data as unknown as StopsData,
    };
  };
  try {
    await test({ ask, warnings });
  } finally {
    await close();
    await Deno.remove(folder, { recursive: true });
  }
}
