/**
 * Puts the stops of a feed together into the places people name: the platforms
 * of one station, and stops of one name on both sides of a street.
 *
 * @module
 */
import type { Label } from "../../chat/boards.ts";
import { FeedError, quoted } from "./errors.ts";
import { nameKey } from "./names.ts";

/** One stop, platform or station as stops.txt has it. */
export interface StopRecord {
  id: string;
  label: Label;
  own: string;
  /** tts_stop_name: how the name is read out. */
  spoken: string;
  parent: string | null;
  latitude: number | null;
  longitude: number | null;
  line: number;
}

/** Stops that are one place to a passenger. */
export interface Place {
  /** stop_id of the station, else of the first stop. */
  id: string;
  label: Label;
  /** Everything it is called. */
  names: Set<string>;
  /** stop_id of all stops, the station included. */
  members: string[];
}

/** Stops of one name this near to each other, in metres, are one place. */
const NEAR = 500;

function metres(a: StopRecord, b: StopRecord): number {
  if (
    a.latitude === null || a.longitude === null || b.latitude === null ||
    b.longitude === null
  ) return 0;
  const degree = 111_195;
  const y = (a.latitude - b.latitude) * degree;
  const x = (a.longitude - b.longitude) * degree *
    Math.cos(a.latitude * Math.PI / 180);
  return Math.hypot(x, y);
}

/** Stations with their platforms first, then stops joined by name and nearness. */
export function groupStops(stops: StopRecord[]): Place[] {
  const places: Place[] = [];
  const byId = new Map<string, Place>();
  const byName = new Map<string, { first: StopRecord; place: Place }[]>();
  const add = (stop: StopRecord, place: Place) => {
    place.members.push(stop.id);
    const { zh, en } = stop.label;
    for (const name of [stop.own, zh, en, stop.spoken]) {
      if (name) place.names.add(name);
    }
    byId.set(stop.id, place);
  };
  const stationIds = new Set(stops.map((stop) => stop.parent));
  // Stations before lone stops, so that a lone stop can join its station.
  const heads = stops.filter((stop) => !stop.parent);
  heads.sort((a, b) =>
    Number(stationIds.has(b.id)) - Number(stationIds.has(a.id))
  );
  for (const stop of heads) {
    const key = nameKey(stop.own);
    const same = byName.get(key) ?? [];
    byName.set(key, same);
    const near = stationIds.has(stop.id)
      ? undefined
      : same.find(({ first }) => metres(first, stop) <= NEAR);
    const place = near?.place ??
      { id: stop.id, label: stop.label, names: new Set(), members: [] };
    if (!near) {
      places.push(place);
      same.push({ first: stop, place });
    }
    add(stop, place);
  }
  for (const stop of stops) {
    if (!stop.parent) continue;
    const station = byId.get(stop.parent);
    if (!station) {
      throw new FeedError(`is not in the feed: ${quoted(stop.parent)}`, {
        file: "stops.txt",
        line: stop.line,
        field: "parent_station",
      });
    }
    add(stop, station);
  }
  return places;
}
