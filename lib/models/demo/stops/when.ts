/**
 * Time words: "明天早上8点", "at 8:30", "tomorrow", "in ten minutes". Found, taken
 * out of the question and resolved on the clock of the sample feed.
 *
 * @module
 */
import { EN_TIMES } from "./when_en.ts";
import { ZH_TIMES } from "./when_zh.ts";
import type { Language } from "../language.ts";

/** What the time words of a question say, piece by piece. */
export interface Said {
  /** Days from today. */
  days?: number;
  /** 0 (Sunday) to 6, and whether "next week" was said. */
  weekday?: { day: number; nextWeek: boolean };
  /** `MM-DD` or `YYYY-MM-DD`. */
  date?: string;
  part?: DayPart;
  hour?: number;
  minute?: number;
  /** "08:30" and "20:30" are meant as written, "8:30" may be the evening. */
  literal?: boolean;
  inMinutes?: number;
}

export type DayPart = "night" | "morning" | "noon" | "afternoon" | "evening";

/** One kind of time word; matches are cut out and told to `said`. */
export interface TimeWord {
  pattern: RegExp;
  read(said: Said, match: RegExpExecArray): void;
}

/** A local moment. */
export interface Moment {
  date: string;
  /** Missing when only a day was named. */
  time?: string;
  /** Nothing but "today" was said, which in a timetable means from now on. */
  today?: true;
}

const SHANGHAI_MS = 8 * 3_600_000;
const DAY_MS = 86_400_000;
const HOUR_OF: Record<DayPart, number> = {
  night: 0,
  morning: 6,
  noon: 12,
  afternoon: 13,
  evening: 18,
};

/** Takes the time words out of a question. */
export function takeWhen(
  text: string,
  language: Language,
  now: Date,
): { rest: string; when: Moment | null } {
  const said: Said = {};
  let rest = text;
  for (const word of language === "zh" ? ZH_TIMES : EN_TIMES) {
    const match = word.pattern.exec(rest);
    if (match === null) continue;
    word.read(said, match);
    rest = `${rest.slice(0, match.index)} ${
      rest.slice(match.index + match[0].length)
    }`;
  }
  return { rest, when: resolve(said, now) };
}

/** The moment said, in the feed's zone (Asia/Shanghai); null if none was. */
export function resolve(said: Said, now: Date): Moment | null {
  // A date whose UTC fields read as the local ones; the zone has no summer time.
  const local = new Date(now.getTime() + SHANGHAI_MS);
  if (said.inMinutes !== undefined) {
    return moment(new Date(local.getTime() + said.inMinutes * 60_000), true);
  }
  const day = dayOf(said, local);
  const minutes = minutesOf(said);
  if (day === null && minutes === null) return null;
  // "2026-13-45" and "99:99" are no moments, whatever they are.
  if (Number.isNaN(day?.getTime())) return null;
  if ((said.hour ?? 0) > 24 || (said.minute ?? 0) > 59) return null;
  const start = day ?? startOfDay(local);
  if (minutes === null) {
    const today = start.getTime() === startOfDay(local).getTime();
    return { ...moment(start, false), ...(today && { today }) };
  }

  let at = new Date(start.getTime() + minutes * 60_000);
  if (day === null && at < local) {
    // "at 5" asked after noon means 17:00; otherwise what has passed today is
    // meant for tomorrow.
    const later = new Date(at.getTime() + DAY_MS / 2);
    const evening = !said.literal && said.part === undefined &&
      (said.hour ?? 12) < 12 && later >= local;
    at = evening ? later : new Date(at.getTime() + DAY_MS);
  }
  return moment(at, true);
}

function dayOf(said: Said, local: Date): Date | null {
  const today = startOfDay(local);
  const plus = (days: number) => new Date(today.getTime() + days * DAY_MS);
  if (said.days !== undefined) return plus(said.days);
  if (said.weekday !== undefined) {
    const { day, nextWeek } = said.weekday;
    if (!nextWeek) return plus((day - today.getUTCDay() + 7) % 7);
    const toMonday = (8 - today.getUTCDay()) % 7 || 7;
    return plus(toMonday + (day + 6) % 7);
  }
  if (said.date === undefined) return null;
  if (said.date.length > 5) return new Date(`${said.date}T00:00:00Z`);
  const here = new Date(`${today.getUTCFullYear()}-${said.date}T00:00:00Z`);
  if (here >= today) return here;
  return new Date(`${today.getUTCFullYear() + 1}-${said.date}T00:00:00Z`);
}

function minutesOf({ hour, minute = 0, part }: Said): number | null {
  if (hour === undefined) return part ? HOUR_OF[part] * 60 : null;
  let h = hour;
  if ((part === "afternoon" || part === "evening") && h < 12) h += 12;
  else if (part === "evening" && h === 12) h = 24;
  else if (part === "noon" && h < 3) h += 12;
  else if ((part === "night" || part === "morning") && h === 12) h = 0;
  return h * 60 + minute;
}

function startOfDay(local: Date): Date {
  return new Date(local.getTime() - local.getTime() % DAY_MS);
}

function moment(local: Date, withTime: boolean): Moment {
  const iso = local.toISOString();
  return withTime
    ? { date: iso.slice(0, 10), time: iso.slice(11, 16) }
    : { date: iso.slice(0, 10) };
}
