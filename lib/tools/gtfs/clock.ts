/**
 * Days, times of day and moments as GTFS counts them. A service day's times are
 * measured from noon minus 12 hours, which is midnight except on the two days a
 * year the clock changes (GTFS reference, "Time" type).
 *
 * A day is an integer, days since 1970-01-01; a time of day is seconds; a moment
 * is milliseconds since the epoch.
 *
 * @module
 */

export const DAY_MS = 86_400_000;

/** A wall-clock reading. */
export interface Local {
  day: number;
  /** Seconds since 00:00 as the clock on the wall shows them. */
  seconds: number;
}

/** The day of a calendar date, or null when there is no such date. */
export function dayOf(year: number, month: number, date: number) {
  const ms = Date.UTC(year, month - 1, date);
  const back = new Date(ms);
  const same = back.getUTCFullYear() === year &&
    back.getUTCMonth() === month - 1 && back.getUTCDate() === date;
  return same ? ms / DAY_MS : null;
}

/** `YYYY-MM-DD`. */
export function isoDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** 0 for Monday to 6 for Sunday, the order of calendar.txt. */
export function weekday(day: number): number {
  return (((day + 3) % 7) + 7) % 7;
}

export const WEEKDAYS = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
] as const;

/** `HH:MM` of a time of day. */
export function hhmm(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Converts between wall clock and moments in one IANA time zone. */
export class Zone {
  #format: Intl.DateTimeFormat;

  /** @throws {RangeError} the name is no time zone */
  constructor(readonly name: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** What a clock in this zone shows at a moment. */
  local(moment: number): Local {
    const part = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of this.#format.formatToParts(moment)) {
      if (type in part) part[type as keyof typeof part] = Number(value);
    }
    return {
      day: Date.UTC(part.year, part.month - 1, part.day) / DAY_MS,
      seconds: part.hour * 3600 + part.minute * 60 + part.second,
    };
  }

  /** Milliseconds the zone's clock is ahead of UTC at a moment. */
  offset(moment: number): number {
    const whole = Math.floor(moment / 1000) * 1000;
    const { day, seconds } = this.local(whole);
    return day * DAY_MS + seconds * 1000 - whole;
  }

  /**
   * The moment a clock in this zone shows a reading. Shown twice: the first
   * time. Skipped by a clock change: as late after the change as it would have
   * been before it.
   */
  moment({ day, seconds }: Local): number {
    const wall = day * DAY_MS + seconds * 1000;
    const before = this.offset(wall - DAY_MS);
    const after = this.offset(wall + DAY_MS);
    const early = wall - before;
    if (this.offset(early) === before) return early;
    const late = wall - after;
    return this.offset(late) === after ? late : early;
  }

  /** When a service day's clock starts: noon minus 12 hours. */
  serviceStart(day: number): number {
    return this.moment({ day, seconds: 12 * 3600 }) - DAY_MS / 2;
  }
}

const AT =
  /^(?:(\d{4})-?(\d{2})-?(\d{2}))?(?:(?:^|[T ])(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * The moment meant by a local ISO date-time, a date (its first minute) or a time
 * of today. A reading with its own offset is taken as that exact moment.
 *
 * @param now what "today" is
 * @throws {Error} text for the model when it cannot be read
 */
export function readMoment(text: string, zone: Zone, now: number): number {
  // Full-width digits and colons come from Chinese keyboards.
  const plain = text.normalize("NFKC").trim();
  const found = AT.exec(plain);
  const wrong = new Error(
    `cannot read 'at' ${JSON.stringify(text.slice(0, 40))}: ` +
      'give local time as "2026-11-22T08:30" or "08:30" (today), or leave it out for now',
  );
  if (!found || plain === "") throw wrong;
  const [, year, month, date, hour, minute, second, offset] = found;
  const seconds = Number(hour ?? 0) * 3600 + Number(minute ?? 0) * 60 +
    Number(second ?? 0);
  if (Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59) throw wrong;
  if (offset && (!year || !hour)) throw wrong;
  const day = year
    ? dayOf(Number(year), Number(month), Number(date))
    : zone.local(now).day;
  if (day === null) throw wrong;
  if (!offset) return zone.moment({ day, seconds });
  const digits = offset.replace(":", "");
  const minutes = digits.length < 5
    ? 0
    : Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  const sign = digits.startsWith("-") ? -1 : 1;
  return day * DAY_MS + (seconds - sign * minutes * 60) * 1000;
}
