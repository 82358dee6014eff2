/**
 * Names in Chinese and English: the feed's own language plus translations.txt in
 * its three forms (record_id, field_value, and the older trans_id).
 *
 * @module
 */
import type { Label } from "../../chat/boards.ts";
import { readTable } from "./csv.ts";
import type { FeedFiles } from "./read.ts";

/** The fields whose translations are used. */
export type NameField =
  | "stop_name"
  | "route_long_name"
  | "trip_headsign"
  | "stop_headsign"
  | "agency_name"
  | "feed_publisher_name";

/** Longest name kept; the rest of the field is not a name. */
const MAX_NAME = 120;

/** A name on one line, without control or direction characters. */
export function tidy(name: string): string {
  const unwanted = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/gu;
  return name.replace(unwanted, " ").replace(/ {2,}/g, " ").trim()
    .slice(0, MAX_NAME);
}

/** "zh" or "en" for the languages the interface has, else null. */
function language(tag: string): keyof Label | null {
  const main = tag.toLowerCase().split(/[-_]/)[0];
  if (main === "zh" || main === "cmn") return "zh";
  return main === "en" ? "en" : null;
}

/** Translations of one feed, ready to be asked for labels. */
export class Names {
  #byRecord = new Map<string, string>();
  #byValue = new Map<string, string>();

  /** Reads translations.txt where there is one. */
  static async read(feed: FeedFiles, signal: AbortSignal): Promise<Names> {
    const names = new Names();
    await readTable(
      { feed, signal },
      "translations.txt",
      ["translation"],
      (row) => {
        const to = language(row.text("language") || row.text("lang"));
        const text = tidy(row.text("translation"));
        if (!to || !text) return;
        const field = row.text("field_name");
        const record = row.text("record_id");
        if (row.has("trans_id")) {
          names.#byValue.set(`${to}||${row.text("trans_id")}`, text);
        } else if (record) {
          const sub = row.text("record_sub_id");
          names.#byRecord.set(`${to}|${field}|${record}|${sub}`, text);
        } else {
          const value = row.text("field_value");
          // feed_info has one record, named by neither id nor value.
          names.#byValue.set(`${to}|${field}|${value}`, text);
        }
      },
    );
    return names;
  }

  /** The label of a name; its own wording where there is no translation. */
  label(field: NameField, value: string, record = "", sub = ""): Label {
    const own = tidy(value);
    const find = (to: keyof Label) =>
      this.#byRecord.get(`${to}|${field}|${record}|${sub}`) ??
        this.#byValue.get(`${to}|${field}|${value}`) ??
        this.#byValue.get(`${to}||${value}`) ??
        (field === "feed_publisher_name"
          ? this.#byValue.get(`${to}|${field}|`)
          : undefined);
    return { zh: find("zh") ?? own, en: find("en") ?? own };
  }
}
