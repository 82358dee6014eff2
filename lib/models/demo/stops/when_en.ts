/**
 * English time words, in the order they are looked for.
 *
 * @module
 */
import type { DayPart, TimeWord } from "./when.ts";

const WEEKDAYS = "sunday|monday|tuesday|wednesday|thursday|friday|saturday";
const MONTHS =
  "january|february|march|april|may|june|july|august|september|october|november|december";
const NUMBERS =
  "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve";
const AMOUNT = `\\d{1,3}|an?|half an|${NUMBERS}|fifteen|twenty|thirty`;
const BIG: Record<string, number> = {
  "a": 1,
  "an": 1,
  "half an": 0.5,
  "fifteen": 15,
  "twenty": 20,
  "thirty": 30,
};
const PARTS: Record<string, DayPart> = {
  morning: "morning",
  noon: "noon",
  afternoon: "afternoon",
  evening: "evening",
  night: "evening",
};

function readAmount(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  return BIG[text] ?? NUMBERS.split("|").indexOf(text);
}

function words(source: string): RegExp {
  return new RegExp(`\\b(?:${source})(?![\\w%])`, "i");
}

function readClock(
  hour: string,
  minute: string | undefined,
  half: string | undefined,
) {
  const part: DayPart | undefined = half === undefined
    ? undefined
    : /^p/i.test(half)
    ? "afternoon"
    : "morning";
  return {
    hour: readAmount(hour.toLowerCase()),
    minute: Number(minute ?? 0),
    literal: minute !== undefined && hour.length === 2,
    ...(part && { part }),
  };
}

const HALF = "(a\\.?m\\.?|p\\.?m\\.?)";
const AROUND = "(?:(?:at|around|about|after|by|before) )?";

export const EN_TIMES: TimeWord[] = [
  {
    pattern: words(`in (${AMOUNT}) (minutes?|mins?|hours?|hrs?)(?: from now)?`),
    read: (said, [, amount, unit]) =>
      said.inMinutes = readAmount(amount!.toLowerCase()) *
        (/^h/i.test(unit!) ? 60 : 1),
  },
  {
    pattern: words("(?:on )?(\\d{4}-\\d{2}-\\d{2})"),
    read: (said, [, date]) => said.date = date!,
  },
  {
    pattern: words(`(?:on )?(${MONTHS}) (\\d{1,2})(?:st|nd|rd|th)?`),
    read: (said, [, month, day]) => said.date = readDate(month!, day!),
  },
  {
    pattern: words(
      `(?:on )?(?:the )?(\\d{1,2})(?:st|nd|rd|th)?(?: of)? (${MONTHS})`,
    ),
    read: (said, [, day, month]) => said.date = readDate(month!, day!),
  },
  {
    pattern: words("(?:the )?day after tomorrow"),
    read: (said) => said.days = 2,
  },
  { pattern: words("tomorrow"), read: (said) => said.days = 1 },
  {
    pattern: words("tonight"),
    read(said) {
      said.days = 0;
      said.part = "evening";
    },
  },
  { pattern: words("today"), read: (said) => said.days = 0 },
  {
    pattern: words(`(?:on )?(next |this |coming )?(${WEEKDAYS})`),
    read(said, [, week, day]) {
      said.weekday = {
        day: WEEKDAYS.split("|").indexOf(day!.toLowerCase()),
        nextWeek: /next/i.test(week ?? ""),
      };
    },
  },
  {
    pattern: words("(?:in the |this )?(morning|afternoon|evening)|at (night)"),
    read: (said, [, part, night]) =>
      said.part = PARTS[(part ?? night)!.toLowerCase()]!,
  },
  {
    pattern: words(`${AROUND}(noon|midnight)`),
    read(said, [, what]) {
      said.hour = /noon/i.test(what!) ? 12 : 24;
      said.literal = true;
    },
  },
  {
    pattern: words(`${AROUND}(half|quarter) past (\\d{1,2}|${NUMBERS})`),
    read(said, [, part, hour]) {
      said.hour = readAmount(hour!.toLowerCase());
      said.minute = /half/i.test(part!) ? 30 : 15;
    },
  },
  {
    pattern: words(`${AROUND}(\\d{1,2}):(\\d{2})(?: ?${HALF})?`),
    read: (said, [, hour, minute, half]) =>
      void Object.assign(said, readClock(hour!, minute, half)),
  },
  {
    pattern: words(`${AROUND}(\\d{1,2}) ?${HALF}`),
    read: (said, [, hour, half]) =>
      void Object.assign(said, readClock(hour!, undefined, half)),
  },
  {
    pattern: words(
      `(?:at|around|about|after|by|before) (\\d{1,2}|${NUMBERS})(?: o'clock)?`,
    ),
    read: (said, [, hour]) =>
      void Object.assign(said, readClock(hour!, undefined, undefined)),
  },
  { pattern: words("right now|now|currently|at the moment"), read() {} },
];

function readDate(month: string, day: string): string {
  const number = MONTHS.split("|").indexOf(month.toLowerCase()) + 1;
  return `${String(number).padStart(2, "0")}-${day.padStart(2, "0")}`;
}
