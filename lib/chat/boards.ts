/**
 * What the bus tool shows on the screen: the `data` face of its answers. The tool
 * writes these, the departure board draws them.
 *
 * @module
 */

/** A name in both languages of the interface; equal where the feed has only one. */
export interface Label {
  zh: string;
  en: string;
}

export interface BusRoute {
  /** What stands on the bus, e.g. "1" or "K3". */
  name: string;
  /** `rrggbb` without `#`, from the feed, or null. */
  color: string | null;
  textColor: string | null;
}

export interface BoardRow {
  route: BusRoute;
  headsign: Label;
  /** Local time of day, `HH:MM`, 00:00 to 23:59. */
  departure: string;
  /** Whole minutes from the asked moment; null for timetables of a whole day. */
  inMinutes: number | null;
  /** Days after the asked date (a bus after midnight: 1). */
  dayOffset: number;
  /** For a trip between two stops: arrival `HH:MM` and whole minutes on the way. */
  arrival?: string;
  minutes?: number;
}

/** Where the times come from; shown under every board (case T15). */
export interface FeedNote {
  publisher: string;
  /** Last day the feed is valid for, `YYYY-MM-DD`, or null. */
  validUntil: string | null;
  /** True when the asked day lies outside the feed's calendar. */
  outOfDate: boolean;
}

/** Departures from one stop, trips between two, or first and last buses. */
export interface BoardData {
  kind: "board";
  view: "departures" | "trips" | "first-last";
  from: Label;
  to: Label | null;
  /** The asked moment in the feed's zone: `YYYY-MM-DD` and `HH:MM`. */
  date: string;
  time: string;
  timeZone: string;
  rows: BoardRow[];
  feed: FeedNote;
}

/** Stops found by name. */
export interface StopsData {
  kind: "stops";
  query: string;
  stops: { id: string; name: Label; routes: BusRoute[] }[];
}

export type ToolData = BoardData | StopsData;
