/**
 * What `bus_schedule` tells the model, line by line, said again in the language
 * of the question. Only what stands there is said; a line of another shape is
 * kept as it is.
 *
 * @module
 */
import type { Language } from "./language.ts";

/** "火车站 / Railway Station" in one language; both where there is only one. */
export function oneName(text: string, language: Language): string {
  const [zh, en] = text.split(" / ");
  return (language === "zh" ? zh : en ?? zh)!.trim();
}

const ROW =
  /^- (?<time>\d\d:\d\d)(?<day> (?:today|tomorrow|on )[^→]*?)? route (?<route>\S+) → (?<sign>.*?)(?:, arrives (?<arrival>\d\d:\d\d) \((?<minutes>\d+) min\))?(?:, (?:in (?<soon>\d+) min|leaves (?<now>now)))?$/;
const SPAN =
  /^- route (?<route>\S+) → (?<sign>.*): first (?<first>\d\d:\d\d[^,]*), last (?<last>.*)$/;
const STOP = /^- (?<name>.*) \[id [^\]]*\], routes (?<routes>.*)$/;
const HEADING =
  /^(?<what>Next departures|Direct buses|Trips|First and last buses of the service day): (?<from>.*?)(?: → (?<to>.*))?$/;
const MOMENT =
  /^\w+day (?<date>\d{4}-\d\d-\d\d), asked for (?<time>\d\d:\d\d) \(local time/;
const SOURCE =
  /^Source: (?<publisher>.*), timetable valid until (?<until>\d{4}-\d\d-\d\d)/;

type Groups = Record<string, string | undefined>;

/** One departure the tool named. */
export interface Row {
  time: string;
  /** The other day it leaves on, as said; "" for the asked day. */
  day: string;
  route: string;
  sign: string;
  arrival?: string;
  minutes?: string;
  /** Minutes until it leaves; "0" for a bus that leaves now. */
  soon?: string;
}

/** A tool's bus answer, taken apart. */
export interface BusText {
  heading: Groups | null;
  moment: Groups | null;
  rows: Row[];
  spans: Groups[];
  stops: Groups[];
  source: Groups | null;
  /** Everything else, as it stands: above the list, and below it. */
  above: string[];
  below: string[];
}

/** Takes a tool's text apart. */
export function readBusText(text: string): BusText {
  const read: BusText = {
    heading: null,
    moment: null,
    rows: [],
    spans: [],
    stops: [],
    source: null,
    above: [],
    below: [],
  };
  for (const line of text.split("\n").map((line) => line.trim())) {
    const groups = (pattern: RegExp) => pattern.exec(line)?.groups ?? null;
    const row = groups(ROW), span = groups(SPAN), stop = groups(STOP);
    const heading = groups(HEADING), moment = groups(MOMENT);
    const source = groups(SOURCE);
    if (row) read.rows.push(asRow(row));
    else if (span) read.spans.push(span);
    else if (stop) read.stops.push(stop);
    else if (heading) read.heading ??= heading;
    else if (moment) read.moment ??= moment;
    else if (source) read.source = source;
    else if (line !== "") {
      const { rows, spans, stops, above, below } = read;
      (rows.length + spans.length + stops.length ? below : above).push(line);
    }
  }
  return read;
}

function asRow({ day = "", now, ...row }: Groups): Row {
  return { ...row, ...(now && { soon: "0" }), day } as unknown as Row;
}

/** `YYYY-MM-DDTHH:MM` of the first departure named; null if none is. */
export function firstDeparture(text: string): string | null {
  const { rows, moment } = readBusText(text);
  const row = rows[0];
  if (row === undefined) return null;
  const date = /\d{4}-\d\d-\d\d/.exec(row.day)?.[0] ?? moment?.date;
  return date === undefined ? null : `${date}T${row.time}`;
}

/** The name the tool wants explained, if it does. */
export function unclearName(text: string): string | null {
  const match = /^"(.+)" may be several stops|^No stop is called "(.+?)"[. ]/
    .exec(text);
  return match?.[1] ?? match?.[2] ?? null;
}

/** What the tool may say besides rows, in both languages. */
const NOTES: [RegExp, string, string][] = [
  [
    /^"(.+)" was read as (.+)\.$/,
    "（“$1”理解为**$2**）",
    '(I took "$1" to mean **$2**.)',
  ],
  [
    /^Careful: the timetable covers (\S+) to ([^\s,.]+).*data from (?:\w+day )?(.+) and may.*$/,
    "⚠️ 时刻表只覆盖 $1 至 $2，以下是 $3 的时刻，当天可能不同。",
    "⚠️ The timetable covers $1 to $2; these times are from $3 and may be wrong for the asked day.",
  ],
  [
    /^Careful: the timetable covers (\S+) to ([^\s,.]+).*$/,
    "⚠️ 时刻表只覆盖 $1 至 $2，当天的时刻可能有变。",
    "⚠️ The timetable covers $1 to $2; times on this day may have changed.",
  ],
  [
    /^No direct bus at this time; with one change:$/,
    "这个时间没有直达车，需要换乘一次。",
    "There is no direct bus at this time; you change once.",
  ],
  [
    /^No bus .* from now on; .*?(\d{4}-\d\d-\d\d).* with one change:$/,
    "当天没有车了；下面是 $1 的走法，需要换乘一次。",
    "There is no bus left that day; on $1 you can go with one change.",
  ],
  [
    /^No more buses .* after these\. After that: (\d\d:\d\d).*?(\d{4}-\d\d-\d\d).* route (\S+) .*$/,
    "这是当天最后几班；再往后是 $2 $1 的 $3路。",
    "These are the last ones of the day; after that, route $3 leaves at $1 on $2.",
  ],
  [
    /^No more buses .*None in the week after it.*$/,
    "当天已经没有车了，之后一周也没有。",
    "There are no more buses that day, and none in the week after it.",
  ],
  [
    /^No more buses .*First .*$/,
    "当天已经没有车了，下面是之后最早的几班。",
    "There are no more buses that day; these are the first ones after it.",
  ],
  [
    /^No more buses .*$/,
    "这是当天最后几班。",
    "These are the last ones of the day.",
  ],
  [
    /^Next direct bus: (\d\d:\d\d)(?:.*?(\d{4}-\d\d-\d\d).*?)? route (\S+) .*$/,
    "下一班直达车：$2 **$1** $3路。",
    "The next direct bus is route $3 at **$1** $2.",
  ],
  [
    /^No bus runs .*directly\.$/,
    "当天没有直达车。",
    "No direct bus runs that day.",
  ],
  [/^No bus runs .*$/, "当天没有车。", "No bus runs that day."],
  [/^Stops for "(.*)":$/, "和“$1”有关的站：", 'Stops for "$1":'],
  [
    /^No stop is called "(.*)" or anything like it\..*$/,
    "没有找到叫“$1”的站，换个名字试试？",
    'I found no stop called "$1" or anything like it. Is there another name for it?',
  ],
  [
    /^No stop is called "(.*)"\. Ask the person.*$/,
    "没有叫“$1”的站。您指的是下面哪一站？",
    'There is no stop called "$1". Did you mean one of these?',
  ],
  [
    /^No stop is called "(.*)"\. Similar names:$/,
    "没有叫“$1”的站，名字相近的有：",
    'There is no stop called "$1". Similar names:',
  ],
  [
    /^"(.*)" may be several stops\..*$/,
    "“$1”可能是好几个站，您指的是哪一站？",
    '"$1" could be several stops. Which one do you mean?',
  ],
  [
    /^no route "(.*)" calls at (.+): routes there are (.*)$/,
    "$1 路不经过**$2**。那里的线路有：$3。",
    "Route $1 does not call at **$2**. Routes there: $3.",
  ],
  [
    /^'from' and 'to' are the same stop: (.+)$/,
    "起点和终点都是**$1**，不用坐车。",
    "Both ends of that trip are **$1**.",
  ],
  [
    /^the bus timetable cannot be read: (.*)$/,
    "公交时刻表暂时读不出来：$1",
    "The bus timetable cannot be read right now: $1",
  ],
  [/^and (\d+) more\b.*$/, "还有 $1 个没有列出。", "And $1 more."],
];

/** A note in the language of the question. */
export function sayNote(note: string, language: Language): string {
  for (const [pattern, zh, en] of NOTES) {
    if (!pattern.test(note)) continue;
    return note.replace(pattern, language === "zh" ? zh : en)
      .replace(
        /\*\*([^*]* \/ [^*]*)\*\*/,
        (_, name: string) => `**${oneName(name, language)}**`,
      )
      .replace(/ {2,}| (?=\.$)/g, (blank) => blank.length > 1 ? " " : "");
  }
  return note;
}
