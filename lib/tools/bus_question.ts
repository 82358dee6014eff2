/**
 * Answers one call of `bus_schedule`: reads the arguments, finds the stops that
 * are meant, and asks the timetable.
 *
 * @module
 */
import type { Json, ToolOutput } from "../chat/events.ts";
import type { BoardRow, StopsData, ToolData } from "../chat/boards.ts";
import type { BusInput } from "./bus_schedule.ts";
import { both, BusWords } from "./bus_words.ts";
import {
  comingLater,
  comingToday,
  firstAndLast,
  nextMorning,
  placeInCalendar,
  type Span,
  withOneChange,
} from "./gtfs/ask.ts";
import { readMoment } from "./gtfs/clock.ts";
import { decide, type Hit } from "./gtfs/search.ts";
import type { Timetable, Wanted } from "./gtfs/timetable.ts";

/** One question, its blanks removed and its timetable at hand. */
export class BusQuestion {
  readonly #stop: string | null;
  readonly #from: string | null;
  readonly #to: string | null;
  readonly #route: string | null;
  readonly #limit: number;
  readonly #words: BusWords;
  /** Readings of inexact names, told to the model. */
  readonly #notes: string[] = [];

  constructor(
    readonly input: BusInput,
    readonly timetable: Timetable,
    now: Date,
  ) {
    this.#stop = said(input.stop);
    this.#from = said(input.from);
    this.#to = said(input.to);
    this.#route = said(input.route);
    const limit = Math.round(input.limit ?? 5);
    this.#limit = Math.min(20, Math.max(1, Number.isNaN(limit) ? 5 : limit));
    const at = said(input.at);
    const moment = at === null
      ? now.getTime()
      : readMoment(at, timetable.zone, now.getTime());
    this.#words = new BusWords(
      timetable,
      placeInCalendar(timetable, moment),
      at === null,
    );
  }

  /** The answer to whatever was asked. */
  answer(): ToolOutput {
    switch (this.input.action) {
      case "find_stops":
        return this.#findStops();
      case "next_departures":
        if (this.#to) {
          throw new Error(
            "action 'next_departures' lists all buses from one stop: " +
              "for buses to a stop use action 'trips' with 'from' and 'to'",
          );
        }
        return this.#between(
          needed(this.#stop ?? this.#from, "next_departures", "'stop'"),
          null,
        );
      case "trips": {
        const both = "'from' and 'to'";
        return this.#between(
          needed(this.#from, "trips", both),
          needed(this.#to, "trips", both),
        );
      }
      case "first_last": {
        const either = "'stop', or 'from' and 'to'";
        return this.#between(
          needed(this.#from ?? this.#stop, "first_last", either),
          this.#to,
        );
      }
    }
  }

  #findStops(): ToolOutput {
    const query = needed(
      said(this.input.query) ?? this.#stop,
      "find_stops",
      "'query'",
    );
    const hits = this.timetable.places.find(query);
    return this.#candidates(
      query,
      hits,
      hits.length === 0
        ? `No stop is called "${clip(query)}" or anything like it.`
        : hits[0]!.nearness === "like"
        ? `No stop is called "${clip(query)}". Similar names:`
        : `Stops for "${clip(query)}":`,
    );
  }

  /** The stop meant by a name, or the question to ask the person. */
  #resolve(name: string): number | ToolOutput {
    const byId = this.timetable.placeOf(name);
    if (byId !== null) return byId;
    const hits = this.timetable.places.find(name);
    const hit = decide(hits);
    if (!hit) {
      const lead = hits.length === 0
        ? `No stop is called "${
          clip(name)
        }" or anything like it. Ask the person for another name.`
        : hits[0]!.nearness === "like"
        ? `No stop is called "${
          clip(name)
        }". Ask the person whether one of these is meant:`
        : `"${
          clip(name)
        }" may be several stops. Ask the person which one, or call again with one of these names:`;
      const near = hits.filter((other) => other.nearness === hits[0]!.nearness);
      return this.#candidates(name, near, lead);
    }
    if (hit.nearness !== "same") {
      const place = this.timetable.place(hit.place);
      this.#notes.push(`"${clip(name)}" was read as ${both(place.name)}.`);
    }
    return hit.place;
  }

  #candidates(query: string, hits: Hit[], lead: string): ToolOutput {
    const data: StopsData = {
      kind: "stops",
      query: clip(query),
      stops: hits.slice(0, this.#limit).map(({ place }) => ({
        ...this.timetable.place(place),
        routes: this.timetable.routesAt(place)
          .map((route) => this.timetable.route(route)),
      })),
    };
    const lines = data.stops.map(({ id, name, routes }) =>
      `- ${both(name)} [id ${id}], routes ${
        routes.map((route) => route.name).join(", ")
      }`
    );
    const more = hits.length - data.stops.length;
    if (more > 0) lines.push(`and ${more} more`);
    return output([lead, ...lines, this.#words.source()], data);
  }

  /** The routes asked for, which must call at the stop. */
  #routes(from: number): number[] | null {
    if (this.#route === null) return null;
    const here = this.timetable.routesAt(from);
    const named = this.timetable.routesNamed(this.#route);
    const routes = here.filter((route) => named.includes(route));
    if (routes.length) return routes;
    const names = here.map((route) => this.timetable.route(route).name);
    throw new Error(
      `no route ${JSON.stringify(clip(this.#route))} calls at ${
        both(this.timetable.place(from).name)
      }: routes there are ${names.slice(0, 40).join(", ")}`,
    );
  }

  #between(fromName: string, toName: string | null): ToolOutput {
    const from = this.#resolve(fromName);
    if (typeof from !== "number") return from;
    const to = toName === null ? null : this.#resolve(toName);
    if (to !== null && typeof to !== "number") return to;
    if (from === to) {
      throw new Error(
        `'from' and 'to' are the same stop: ${
          both(this.timetable.place(from).name)
        }`,
      );
    }
    const wanted = { from, to, routes: this.#routes(from) };
    return this.input.action === "first_last"
      ? this.#firstLast(wanted)
      : this.#next(wanted);
  }

  #answer(
    wanted: Wanted,
    what: string,
    view: "departures" | "trips" | "first-last",
    lines: string[],
    rows: BoardRow[],
  ): ToolOutput {
    const from = this.timetable.place(wanted.from).name;
    const to = wanted.to === null ? null : this.timetable.place(wanted.to).name;
    return output([
      ...this.#words.heading(from, to, what),
      ...this.#notes,
      ...lines,
      this.#words.source(),
    ], this.#words.board(view, from, to, rows));
  }

  #next(wanted: Wanted): ToolOutput {
    const words = this.#words;
    const { asked } = words;
    const view = wanted.to === null ? "departures" : "trips";
    const what = wanted.to === null ? "Next departures" : "Direct buses";
    const today = comingToday(this.timetable, wanted, asked, this.#limit);
    const short = today.length < this.#limit;
    const later = short
      ? comingLater(this.timetable, wanted, asked, this.#limit)
      : [];
    if (today.length === 0 && wanted.to !== null && !wanted.routes) {
      const way = { from: wanted.from, to: wanted.to };
      const some = Math.min(3, this.#limit);
      let lead = "No direct bus at this time; with one change:";
      let journeys = withOneChange(this.timetable, way, asked, some);
      if (journeys.length === 0 && later.length === 0) {
        lead = `No bus ${words.dayWords(0)} from now on; ` +
          `${words.dayWords(1)} with one change:`;
        const morning = nextMorning(this.timetable, asked);
        journeys = withOneChange(this.timetable, way, morning, some);
      }
      if (journeys.length) {
        const rows = journeys.map((journey) => words.journeyRow(journey));
        const lines = rows.map((row) => words.line(row));
        const direct = later[0];
        if (direct) {
          const row = words.line(words.row(direct)).slice(2);
          lines.push(`Next direct bus: ${row}`);
        }
        return this.#answer(wanted, "Trips", view, [lead, ...lines], rows);
      }
    }
    const rows = today.map((bus) => words.row(bus));
    const lines = rows.map((row) => words.line(row));
    if (short) {
      const none = today.length === 0
        ? `No more buses ${words.dayWords(0)}.`
        : `No more buses ${words.dayWords(0)} after these.`;
      if (later.length === 0) {
        lines.push(
          `${none} None in the week after it either${
            wanted.to === null ? "" : ", direct or with one change"
          }.`,
        );
      } else if (today.length > 0) {
        const first = words.line(words.row(later[0]!)).slice(2);
        lines.push(`${none} After that: ${first}`);
      } else {
        const next = later.map((bus) => words.row(bus));
        rows.push(...next);
        const first = next[0]!;
        lines.push(
          `${none} First ${
            words.dayWords(first.dayOffset)
          } at ${first.departure}:`,
          ...next.map((row) => words.line(row)),
        );
      }
    }
    return this.#answer(wanted, what, view, lines, rows);
  }

  #firstLast(wanted: Wanted): ToolOutput {
    const words = this.#words;
    const spans: Span[] = firstAndLast(this.timetable, wanted, words.asked);
    const shown = spans.slice(0, 20);
    const rows = shown.flatMap(({ first, last }) => {
      const ends = first === last ? [first] : [first, last];
      return ends.map((bus) => words.row(bus, false));
    });
    const lines = shown.map((span) => words.spanLine(span));
    if (spans.length === 0) {
      const day = words.dayWords(0);
      lines.push(`No bus runs ${day}${wanted.to === null ? "" : " directly"}.`);
    }
    if (spans.length > shown.length) {
      lines.push(
        `and ${spans.length - shown.length} more: ask again with 'route'`,
      );
    }
    const what = "First and last buses of the service day";
    return this.#answer(wanted, what, "first-last", lines, rows);
  }
}

/** An argument without surrounding space; models also send "" for "none". */
function said(value: string | null | undefined): string | null {
  return value?.trim() || null;
}

function needed(value: string | null, action: string, names: string): string {
  if (value === null) throw new Error(`action '${action}' needs ${names}`);
  return value;
}

/** What the person wrote, as it may be repeated in an answer. */
function clip(text: string): string {
  return text.length > 60 ? text.slice(0, 60) + "…" : text;
}

function output(lines: string[], data: ToolData): ToolOutput {
  return { text: lines.join("\n"), data: data as unknown as Json };
}
