/**
 * Chinese time words, in the order they are looked for.
 *
 * @module
 */
import type { DayPart, TimeWord } from "./when.ts";

const DIGITS = "零一二三四五六七八九";
const NUMBER = "\\d{1,3}|[一二两三四五六七八九十]{1,3}";
const DAYS: Record<string, number> = {
  今: 0,
  明: 1,
  后: 2,
  大后: 3,
};
const PARTS: Record<string, DayPart> = {
  凌晨: "night",
  半夜: "night",
  清晨: "morning",
  早上: "morning",
  早晨: "morning",
  上午: "morning",
  早: "morning",
  中午: "noon",
  下午: "afternoon",
  傍晚: "evening",
  晚上: "evening",
  晚: "evening",
  夜里: "evening",
};

/** 十 → 10, 二十五 → 25, 两 → 2, "08" → 8. */
export function readNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const [tens, ones] = text.replace("两", "二").split("十");
  if (ones === undefined) return DIGITS.indexOf(tens!);
  return (tens === "" ? 1 : DIGITS.indexOf(tens!)) * 10 +
    (ones === "" ? 0 : DIGITS.indexOf(ones));
}

export const ZH_TIMES: TimeWord[] = [
  {
    pattern: /半个?(小时|钟头)(之|以)?后/,
    read: (said) => said.inMinutes = 30,
  },
  {
    pattern: new RegExp(`(${NUMBER})个?(分钟|小时|钟头)(半)?(之|以)?后`),
    read(said, [, number, unit, half]) {
      const value = readNumber(number!) + (half ? 0.5 : 0);
      said.inMinutes = unit === "分钟" ? value : value * 60;
    },
  },
  {
    pattern: /(\d{4})[-年/](\d{1,2})[-月/](\d{1,2})[日号]?/,
    read: (said, [, y, m, d]) =>
      said.date = `${y}-${m!.padStart(2, "0")}-${d!.padStart(2, "0")}`,
  },
  {
    pattern: /(\d{1,2})月(\d{1,2})[日号]?/,
    read: (said, [, m, d]) =>
      said.date = `${m!.padStart(2, "0")}-${d!.padStart(2, "0")}`,
  },
  {
    pattern: /(大后|后|明|今)[天日]/,
    read: (said, [, day]) => said.days = DAYS[day!]!,
  },
  {
    pattern: /(今|明)(早|晚)上?/,
    read(said, [, day, part]) {
      said.days = DAYS[day!]!;
      said.part = PARTS[part!]!;
    },
  },
  {
    pattern: /(下个?|这个?|本)?(?:周|星期|礼拜)([一二三四五六日天末])/,
    read(said, [, week, day]) {
      const index = day === "末" ? 6 : "日一二三四五六".indexOf(day!);
      said.weekday = {
        day: Math.max(0, index),
        nextWeek: week?.startsWith("下") ?? false,
      };
    },
  },
  {
    pattern: /(凌晨|半夜|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里)/,
    read: (said, [, part]) => said.part = PARTS[part!]!,
  },
  {
    pattern: /(\d{1,2})[:：](\d{2})(?:分)?(?:左右|以后|之后|之前|后|前)?/,
    read(said, [, hour, minute]) {
      said.hour = Number(hour);
      said.minute = Number(minute);
      said.literal = hour!.length === 2;
    },
  },
  {
    pattern: new RegExp(
      `(?<![早晚快慢有几第])(\\d{1,2}|[一二两三四五六七八九十]{1,3})点钟?` +
        `(半|一刻|三刻|(?:${NUMBER})分?)?(?:左右|以后|之后|之前|后|前)?`,
    ),
    read(said, [, hour, past]) {
      said.hour = readNumber(hour!);
      if (past === undefined) return;
      const words: Record<string, number> = { 半: 30, 一刻: 15, 三刻: 45 };
      said.minute = words[past] ?? readNumber(past.replace("分", ""));
    },
  },
  { pattern: /现在|目前|此刻|马上|这会儿|当前/, read() {} },
];
