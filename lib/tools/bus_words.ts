/**
 * Puts what a timetable answers into the two faces of a tool answer: rows for
 * the departure board, lines for the model. A line of the text that holds a bus is
 *
 * ```
 * - HH:MM[ day] route NAME → HEADSIGN[, arrives HH:MM (N min)][, in N min]
 * ```
 *
 * where the day, with its date YYYY-MM-DD, stands only if it is not the asked one.
 *
 * @module
 */
import type {
  BoardData,
  BoardRow,
  BusRoute,
  FeedNote,
  Label,
} from "../chat/boards.ts";
import type { Asked, Journey, Span } from "./gtfs/ask.ts";
import { hhmm, isoDay, weekday, WEEKDAYS } from "./gtfs/clock.ts";
import type { Departure, Timetable } from "./gtfs/timetable.ts";

/** A name in both languages, once where they are the same. */
export function both({ zh, en }: Label): string {
  return zh === en ? zh : `${zh} / ${en}`;
}

/** "Sunday 2026-11-22". */
export function dateWords(day: number): string {
  return `${WEEKDAYS[weekday(day)]} ${isoDay(day)}`;
}

/** A route as Chinese speakers say it: 1路, K3路, but 机场快线. */
function routeZh({ name }: BusRoute): string {
  return /^[\da-z]+$/i.test(name) ? `${name}路` : name;
}

/** Writes about one question, in the words and times of its timetable. */
export class BusWords {
  constructor(
    readonly timetable: Timetable,
    readonly asked: Asked,
    /** Whether the question was about this very moment: then minutes count. */
    readonly isNow: boolean,
  ) {}

  /** "today", "tomorrow", or the date, of a number of days after the asked one. */
  dayWords(offset: number): string {
    const date = dateWords(this.asked.day + offset);
    if (!this.isNow) return `on ${date}`;
    if (offset === 0) return "today";
    return offset === 1 ? `tomorrow (${date})` : `on ${date}`;
  }

  /** Days from the asked day to the day a moment falls on. */
  offset(moment: number): number {
    return this.timetable.zone.local(moment).day - this.asked.usedDay;
  }

  clock(moment: number): string {
    return hhmm(this.timetable.zone.local(moment).seconds);
  }

  #minutesUntil(moment: number): number | null {
    if (this.asked.usedDay !== this.asked.day) return null;
    return Math.floor((moment - this.asked.usedMoment) / 60_000);
  }

  /** The headsign, with what is uncertain about the time said behind it. */
  #sign(bus: Departure): Label {
    const { zh, en } = this.timetable.label(bus.headsign);
    if (bus.headway !== null) {
      const every = Math.max(1, Math.round(bus.headway / 60));
      return {
        zh: `${zh}（约每${every}分钟一班）`,
        en: `${en} (about every ${every} min)`,
      };
    }
    return bus.about ? { zh: `${zh}（约）`, en: `${en} (about)` } : { zh, en };
  }

  row(bus: Departure, timed = true): BoardRow {
    const row: BoardRow = {
      route: this.timetable.route(bus.route),
      headsign: this.#sign(bus),
      departure: this.clock(bus.departure),
      inMinutes: timed ? this.#minutesUntil(bus.departure) : null,
      dayOffset: this.offset(bus.departure),
    };
    if (bus.arrival !== null) {
      row.arrival = this.clock(bus.arrival);
      row.minutes = Math.round((bus.arrival - bus.departure) / 60_000);
    }
    return row;
  }

  /** A journey with a change as one row: the change stands behind the headsign. */
  journeyRow({ first, second }: Journey): BoardRow {
    const next = this.timetable.route(second.route);
    const { name } = this.timetable.place(first.change);
    const sign = this.#sign(first);
    const off = this.clock(first.arrival);
    const on = this.clock(second.departure);
    return {
      ...this.row(first),
      headsign: {
        zh: `${sign.zh}，在${name.zh}换乘${routeZh(next)}（${off}到，${on}开）`,
        en:
          `${sign.en}, change at ${name.en} to ${next.name} (${off}, leaves ${on})`,
      },
      arrival: this.clock(second.arrival),
      minutes: Math.round((second.arrival - first.departure) / 60_000),
    };
  }

  line(row: BoardRow): string {
    const day = row.dayOffset === 0 ? "" : ` ${this.dayWords(row.dayOffset)}`;
    const soon = this.isNow && row.inMinutes !== null && row.inMinutes < 90
      ? row.inMinutes === 0 ? ", leaves now" : `, in ${row.inMinutes} min`
      : "";
    const there = row.arrival
      ? `, arrives ${row.arrival} (${row.minutes} min)`
      : "";
    return `- ${row.departure}${day} route ${row.route.name} → ${
      both(row.headsign)
    }${there}${soon}`;
  }

  spanLine({ first, last }: Span): string {
    const row = this.row(first, false);
    const end = this.row(last, false);
    const mark = ({ departure, dayOffset }: BoardRow) =>
      dayOffset === 0 ? departure : `${departure} (+${dayOffset} day)`;
    return `- route ${row.route.name} → ${both(row.headsign)}: first ${
      mark(row)
    }, last ${mark(end)}`;
  }

  /** What the board is about: stops, date, time, and a warning if data is old. */
  heading(from: Label, to: Label | null, what: string): string[] {
    const { day, usedDay, outOfDate, moment } = this.asked;
    const { zone, about } = this.timetable;
    const lines = [
      `${what}: ${both(from)}${to ? ` → ${both(to)}` : ""}`,
      `${dateWords(day)}, asked for ${
        this.clock(moment)
      } (local time, ${zone.name})`,
    ];
    if (outOfDate) {
      const covers = `the timetable covers ${isoDay(about.firstDay)} to ${
        isoDay(about.lastDay)
      }`;
      lines.push(
        usedDay === day
          ? `Careful: ${covers}, times on this day may have changed.`
          : `Careful: ${covers}. These are data from ${
            dateWords(usedDay)
          } and may be wrong for the asked day; say so.`,
      );
    }
    return lines;
  }

  source(): string {
    const { publisher, validUntil, leftOut } = this.timetable.about;
    const gaps = leftOut ? `; trips with faulty data left out: ${leftOut}` : "";
    return `Source: ${both(publisher)}, timetable valid until ${
      isoDay(validUntil)
    }${gaps}. Scheduled times, not live.`;
  }

  board(
    view: BoardData["view"],
    from: Label,
    to: Label | null,
    rows: BoardRow[],
  ): BoardData {
    const { publisher, validUntil } = this.timetable.about;
    const feed: FeedNote = {
      publisher: both(publisher),
      validUntil: isoDay(validUntil),
      outOfDate: this.asked.outOfDate,
    };
    return {
      kind: "board",
      view,
      from,
      to,
      date: isoDay(this.asked.day),
      time: this.clock(this.asked.moment),
      timeZone: this.timetable.zone.name,
      rows,
      feed,
    };
  }
}
