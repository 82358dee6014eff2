/**
 * The tool `current_time`.
 *
 * @module
 */
import * as z from "zod";
import type { Tool } from "../agent/contracts.ts";
import { typos } from "./gtfs/names.ts";
import { hhmm, isoDay, weekday, WEEKDAYS, Zone } from "./gtfs/clock.ts";

const input = z.object({
  time_zone: z.string().nullish().describe(
    'IANA time zone such as "Asia/Shanghai"; null for the server\'s own',
  ),
});

/** Cities people name whose zone is called after another one. */
const CITIES = new Map(Object.entries({
  beijing: "Asia/Shanghai",
  "北京": "Asia/Shanghai",
  "上海": "Asia/Shanghai",
  "中国": "Asia/Shanghai",
  china: "Asia/Shanghai",
  "香港": "Asia/Hong_Kong",
  "台北": "Asia/Taipei",
  "东京": "Asia/Tokyo",
  "伦敦": "Europe/London",
  "纽约": "America/New_York",
  utc: "UTC",
}));

/** A number of hours from UTC: "UTC+8", "GMT-3:30", "+05:45". */
function fromOffset(name: string): string | null {
  const found = /^(?:utc|gmt)?([+-])(\d{1,2})(?::?(\d{2}))?$/i.exec(name);
  if (!found) return null;
  return `${found[1]}${found[2]!.padStart(2, "0")}:${found[3] ?? "00"}`;
}

/** Zones whose city is named, or holds what was asked. */
function zonesNamed(name: string): { same: string[]; like: string[] } {
  const key = name.toLowerCase().replace(/[\s-]+/g, "_");
  const all = Intl.supportedValuesOf("timeZone");
  const city = (zone: string) => zone.toLowerCase().split("/").at(-1)!;
  return {
    same: all.filter((zone) => city(zone) === key),
    like: key.length < 3
      ? []
      : all.filter((zone) =>
        zone.toLowerCase().includes(key) || typos(city(zone), key, 2) <= 1
      ),
  };
}

/**
 * The zone a model means.
 *
 * @throws {Error} text for the model: no such zone, and what to write instead
 */
function readZone(asked: string): Zone {
  const name = asked.trim().slice(0, 60);
  const known = CITIES.get(name.toLowerCase()) ?? fromOffset(name) ?? name;
  try {
    return new Zone(known);
  } catch {
    const { same, like } = zonesNamed(name);
    if (same.length === 1) return new Zone(same[0]!);
    const near = [...same, ...like].slice(0, 5);
    const hint = near.length
      ? `did you mean ${near.join(", ")}?`
      : 'use an IANA name such as "Asia/Shanghai", "Europe/Paris" or "UTC"';
    throw new Error(`unknown time zone ${JSON.stringify(name)}: ${hint}`);
  }
}

function offsetWords(milliseconds: number): string {
  const minutes = Math.round(Math.abs(milliseconds) / 60_000);
  return `UTC${milliseconds < 0 ? "-" : "+"}${hhmm(minutes * 60)}`;
}

/** Date and time now, in a zone. */
export const currentTime: Tool<z.infer<typeof input>> = {
  name: "current_time",
  description: "The date, weekday and time now. Use it whenever an answer " +
    "depends on today's date or the time of day.",
  input,
  effect: "read",
  run({ time_zone }, { now }) {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const zone = readZone(time_zone?.trim() || own);
    const { day, seconds } = zone.local(now.getTime());
    const date = isoDay(day);
    const time = hhmm(seconds);
    const dayName = WEEKDAYS[weekday(day)]!;
    const offset = offsetWords(zone.offset(now.getTime()));
    return {
      text: `${dayName} ${date} ${time} (${zone.name}, ${offset})`,
      data: {
        kind: "time",
        date,
        time,
        weekday: dayName,
        timeZone: zone.name,
        offset,
        iso: now.toISOString(),
      },
    };
  },
};
