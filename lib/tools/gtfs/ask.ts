/**
 * Questions people ask of a timetable: what comes next, how do I get there, when
 * is the first and the last. Works in moments; words are put on in
 * `../bus_words.ts`.
 *
 * @module
 */
import { DAY_MS } from "./clock.ts";
import type { Departure, Leg, Timetable, Wanted } from "./timetable.ts";

/** The moment of a question, and the one it is answered for. */
export interface Asked {
  /** The moment asked about, and its day. */
  moment: number;
  day: number;
  /**
   * Where the day lies outside the calendar: the nearest day of the same weekday
   * inside it, whose times stand in ("data from ...", case T15). Else the same.
   */
  usedMoment: number;
  usedDay: number;
  /** True when neither calendar nor publisher vouch for the asked day. */
  outOfDate: boolean;
}

/** Puts a moment into the feed's calendar. */
export function placeInCalendar(timetable: Timetable, moment: number): Asked {
  const { zone, about } = timetable;
  const { day, seconds } = zone.local(moment);
  let usedDay = day;
  if (day > about.lastService) {
    usedDay -= 7 * Math.ceil((day - about.lastService) / 7);
  } else if (day < about.firstService) {
    usedDay += 7 * Math.ceil((about.firstService - day) / 7);
  }
  return {
    moment,
    day,
    usedDay,
    usedMoment: usedDay === day
      ? moment
      : zone.moment({ day: usedDay, seconds }),
    outOfDate: day < about.firstDay || day > about.lastDay,
  };
}

/** How many service days back a bus may still be on the road. */
function daysBack(timetable: Timetable): number {
  // One hour more: a service day of a clock change starts an hour off midnight.
  return Math.floor((timetable.about.latest + 3600) / 86_400);
}

function soonest<T extends Departure>(departures: T[], limit: number): T[] {
  return departures.sort((a, b) => a.departure - b.departure).slice(0, limit);
}

/**
 * Departures from the asked moment to the end of that service day, those of
 * yesterday's late buses included (24:30 is 00:30 of today).
 */
export function comingToday(
  timetable: Timetable,
  wanted: Wanted,
  asked: Asked,
  limit: number,
): Departure[] {
  const found: Departure[] = [];
  for (let back = daysBack(timetable); back >= 0; back--) {
    const day = asked.usedDay - back;
    found.push(
      ...timetable.departures(wanted, day, asked.usedMoment, limit),
    );
  }
  return soonest(found, limit);
}

/** The first departures of the next service day that has any, up to a week on. */
export function comingLater(
  timetable: Timetable,
  wanted: Wanted,
  asked: Asked,
  limit: number,
): Departure[] {
  for (let ahead = 1; ahead <= 7; ahead++) {
    const day = asked.usedDay + ahead;
    const found = timetable.departures(wanted, day, asked.usedMoment, limit);
    if (found.length) return found;
  }
  return [];
}

/** First and last bus of one route in one direction. */
export interface Span {
  first: Departure;
  last: Departure;
}

/** First and last of every route and direction on the asked service day. */
export function firstAndLast(
  timetable: Timetable,
  wanted: Wanted,
  asked: Asked,
): Span[] {
  const start = timetable.zone.serviceStart(asked.usedDay) - DAY_MS;
  const all = timetable.departures(wanted, asked.usedDay, start, 20_000);
  const spans = new Map<string, Span>();
  for (const bus of all) {
    const key = wanted.to === null
      ? `${bus.route}|${bus.headsign}`
      : `${bus.route}`;
    const span = spans.get(key);
    if (span) span.last = bus;
    else spans.set(key, { first: bus, last: bus });
  }
  return [...spans.values()];
}

/** The question asked again for 04:00 of the next day, before its first buses. */
export function nextMorning(timetable: Timetable, asked: Asked): Asked {
  const usedDay = asked.usedDay + 1;
  const usedMoment = timetable.zone.moment({ day: usedDay, seconds: 4 * 3600 });
  return { ...asked, usedDay, usedMoment };
}

/** Two buses with one change. */
export interface Journey {
  first: Leg;
  second: Leg;
}

const MIN_CHANGE = 2 * 60_000;
const MAX_CHANGE = 60 * 60_000;
/** How long after the asked moment the first bus may leave. */
const MAX_WAIT = 3 * 3_600_000;
/** How long after it the second may arrive. */
const MAX_JOURNEY = 7 * 3_600_000;

/**
 * Ways with one change at the same place, 2 to 60 minutes apart, of buses of the
 * same or neighbouring service days. A journey is dropped when another leaves no
 * earlier and arrives no later.
 */
export function withOneChange(
  timetable: Timetable,
  { from, to }: { from: number; to: number },
  asked: Asked,
  limit: number,
): Journey[] {
  const after = asked.usedMoment;
  const firsts: Leg[] = [];
  const seconds = new Map<number, Leg[]>();
  for (let back = daysBack(timetable); back >= -1; back--) {
    const day = asked.usedDay - back;
    firsts.push(...timetable.legs({ from }, day, after, after + MAX_WAIT));
    for (const leg of timetable.legs({ to }, day, after, after + MAX_JOURNEY)) {
      const here = seconds.get(leg.change);
      if (here) here.push(leg);
      else seconds.set(leg.change, [leg]);
    }
  }
  const best = new Map<number, Journey>();
  for (const first of firsts) {
    if (first.change === from || first.change === to) continue;
    for (const second of seconds.get(first.change) ?? []) {
      const wait = second.departure - first.arrival;
      if (wait < MIN_CHANGE || wait > MAX_CHANGE) continue;
      if (second.trip === first.trip) continue;
      const old = best.get(first.trip);
      if (!old || better({ first, second }, old)) {
        best.set(first.trip, { first, second });
      }
    }
  }
  const journeys: Journey[] = [];
  const byDeparture = [...best.values()].sort((a, b) =>
    b.first.departure - a.first.departure ||
    a.second.arrival - b.second.arrival
  );
  let earliest = Infinity;
  for (const journey of byDeparture) {
    if (journey.second.arrival >= earliest) continue;
    earliest = journey.second.arrival;
    journeys.push(journey);
  }
  return journeys.reverse().slice(0, limit);
}

/** Earlier there; at the same time, the longer time to change. */
function better(a: Journey, b: Journey): boolean {
  const wait = ({ first, second }: Journey) => second.departure - first.arrival;
  return a.second.arrival !== b.second.arrival
    ? a.second.arrival < b.second.arrival
    : wait(a) > wait(b);
}
