/**
 * From what the tools said to an answer: quoted, never embroidered.
 *
 * @module
 */
import {
  type BusText,
  oneName,
  readBusText,
  type Row,
  sayNote,
} from "./bus_text.ts";
import type { Language } from "./language.ts";
import type { ToolAnswer } from "./memory.ts";

/** The answer to a question, given what the tools said. */
export function report(
  answers: ToolAnswer[],
  question: string,
  language: Language,
): string {
  return answers.map(({ name, text }) => {
    // What a tool throws is passed on with these words before it.
    const said = text.replace(/^The tool failed: /, "").trim();
    if (said === "") {
      return language === "zh"
        ? `工具 \`${name}\` 没有返回任何内容。`
        : `The tool \`${name}\` returned nothing.`;
    }
    if (name === "bus_schedule") return busAnswer(said, question, language);
    if (name === "calculator") return sumAnswer(said, language);
    if (name === "current_time") return clockAnswer(said, language);
    return quote(said, language);
  }).join("\n\n");
}

function busAnswer(
  text: string,
  question: string,
  language: Language,
): string {
  const read = readBusText(text);
  const { rows, spans, stops, above, below } = read;
  const lists = [
    rows.length > 0 ? departures(rows, language) : "",
    spans.map((span) => spanLine(span, question, language)).join("\n"),
    stops.map((stop) => stopLine(stop, language)).join("\n"),
  ];
  const listed = lists.some((list) => list !== "");
  const say = (note: string) => sayNote(note, language);
  // No timetable, no stops, no sentence known here: said as it stands.
  if (!listed && above.every((note) => say(note) === note)) {
    return quote(text, language);
  }
  return [
    heading(read, language),
    ...above.map(say),
    ...lists,
    ...below.map(say),
    rows.length + spans.length > 0 ? source(read, language) : "",
  ].filter((part) => part !== "").join("\n\n");
}

function heading({ heading, moment }: BusText, language: Language): string {
  if (heading === null) return "";
  const { what, from = "", to } = heading;
  const way = to === undefined
    ? `**${oneName(from, language)}**`
    : `**${oneName(from, language)} → ${oneName(to, language)}**`;
  const wholeDay = what!.startsWith("First");
  const at = moment === null
    ? ""
    : wholeDay
    ? `${moment.date}`
    : `${moment.date} ${moment.time}`;
  if (language === "zh") {
    const when = at && (wholeDay ? `（${at}）` : `（${at} 起）`);
    return `${way}${wholeDay ? " 首末班车" : ""}${when}`;
  }
  const when = at && (wholeDay ? ` (${at})` : ` (from ${at})`);
  return `${way}${wholeDay ? ", first and last buses" : ""}${when}`;
}

function departures(rows: Row[], language: Language): string {
  const [first, ...rest] = rows.map((row) => rowLine(row, language));
  const zh = language === "zh";
  const lead = zh ? `下一班：${first}` : `The next one: ${first}`;
  if (rest.length === 0) return lead;
  const list = rest.map((line) => `- ${line}`).join("\n");
  return `${lead}\n\n${zh ? "之后还有：" : "After that:"}\n\n${list}`;
}

function rowLine(row: Row, language: Language): string {
  const { time, route, arrival, minutes, soon } = row;
  const sign = oneName(row.sign, language);
  const date = /\d{4}-\d\d-\d\d/.exec(row.day)?.[0];
  const day = date ? `${date} ` : "";
  if (language === "zh") {
    const [end, change] = sign.split("，在");
    const to = `（往${end}）${change ? `，在${change}` : ""}`;
    const there = arrival ? `，${arrival} 到，全程 ${minutes} 分钟` : "";
    const wait = soon === undefined
      ? ""
      : soon === "0"
      ? "，马上发车"
      : `，还有 ${soon} 分钟发车`;
    return `${day}**${time}** ${routeZh(route)}${to}${there}${wait}`;
  }
  const there = arrival ? `, arriving ${arrival} (${minutes} min)` : "";
  const wait = soon === undefined
    ? ""
    : soon === "0"
    ? ", leaving now"
    : `, in ${soon} min`;
  return `${day}**${time}** route ${route} towards ${sign}${there}${wait}`;
}

function spanLine(
  { route, sign, first, last }: Record<string, string | undefined>,
  question: string,
  language: Language,
): string {
  const asksLast = /末班|最后|最晚|尾班|\b(?:last|latest)\b/i.test(question);
  const asksFirst = /首班|最早|头班|\b(?:first|earliest)\b/i.test(question);
  const to = oneName(sign!, language);
  const bold = (time: string, asked: boolean) => asked ? `**${time}**` : time;
  if (language === "zh") {
    const days = (time: string) =>
      time.replace(/ \(\+(\d) day\)/, "（+$1 天）");
    return `- ${routeZh(route!)}（往${to}）：首班 ${
      bold(days(first!), asksFirst)
    }，末班 ${bold(days(last!), asksLast)}`;
  }
  return `- Route ${route} towards ${to}: first ${
    bold(first!, asksFirst)
  }, last ${bold(last!, asksLast)}`;
}

function stopLine(
  { name, routes }: Record<string, string | undefined>,
  language: Language,
): string {
  const stop = `- **${oneName(name!, language)}**`;
  return language === "zh"
    ? `${stop}：${routes!.split(", ").map(routeZh).join("、")}`
    : `${stop}: ${routes!.includes(", ") ? "routes" : "route"} ${routes}`;
}

function source({ source }: BusText, language: Language): string {
  if (source === null) return "";
  const publisher = oneName(source.publisher!, language);
  return language === "zh"
    ? `*时刻来自${publisher}，有效期至 ${source.until}；为计划时间，并非实时。*`
    : `*Times from ${publisher}, valid until ${source.until}; scheduled, not live.*`;
}

/** 1路, K3路, but 机场快线. */
function routeZh(name: string): string {
  return /^[\da-z]+$/i.test(name) ? `${name}路` : name;
}

function sumAnswer(text: string, language: Language): string {
  const sum = /^([^\n`]{1,200}) ([=≈]) ([^\n]{1,200})$/.exec(text);
  if (sum === null) return quote(text, language);
  return `\`${sum[1]}\` ${sum[2]} **${sum[3]}**`;
}

const CLOCK =
  /^(?<day>\w+day) (?<date>\d{4}-\d\d-\d\d) (?<time>\d\d:\d\d) \((?<zone>[^()]+)\)$/;
const DAYS_ZH: Record<string, string> = {
  Monday: "星期一",
  Tuesday: "星期二",
  Wednesday: "星期三",
  Thursday: "星期四",
  Friday: "星期五",
  Saturday: "星期六",
  Sunday: "星期日",
};

function clockAnswer(text: string, language: Language): string {
  const clock = CLOCK.exec(text)?.groups;
  if (clock === undefined) return quote(text, language);
  const { day, date, time, zone } = clock;
  return language === "zh"
    ? `现在是 ${date} ${DAYS_ZH[day!] ?? day} **${time}**（${zone}）。`
    : `It is **${time}** on ${day}, ${date} (${zone}).`;
}

/** Most lines of a text nobody here can read that are shown. */
const QUOTED = 12;

/** A tool's own words, marked as such. */
function quote(text: string, language: Language): string {
  const lines = text.split("\n");
  const shown = lines.slice(0, QUOTED).map((line) => `> ${line.slice(0, 400)}`);
  if (lines.length > QUOTED) shown.push("> …");
  const lead = language === "zh" ? "工具是这样说的：" : "The tool said:";
  return `${lead}\n\n${shown.join("\n")}`;
}
