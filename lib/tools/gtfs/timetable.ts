/**
 * A loaded feed, asked by place and service day. Everything that counts days,
 * zones and "next" in words stands in `ask.ts`; here are the queries.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { BusRoute, Label } from "../../chat/boards.ts";
import { weekday, Zone } from "./clock.ts";
import { FeedError } from "./errors.ts";
import { plainName } from "./names.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { PlaceIndex } from "./search.ts";

/** What the feed says about itself. Days are days since 1970-01-01. */
export interface FeedAbout {
  publisher: Label;
  /** Days the publisher and the calendar both vouch for. */
  firstDay: number;
  lastDay: number;
  /** Days any trip runs. */
  firstService: number;
  lastService: number;
  validUntil: number;
  /** Latest time of any trip, in seconds of its service day. */
  latest: number;
  leftOut: number;
}

/** One bus leaving one place. Moments in milliseconds since the epoch. */
export interface Departure {
  trip: number;
  route: number;
  headsign: number;
  departure: number;
  /** Where a destination was asked for. */
  arrival: number | null;
  /** The feed gives no exact time here; ours lies between two it gives. */
  about: boolean;
  /** Seconds between buses where the feed gives only that. */
  headway: number | null;
}

/** Which departures are wanted. */
export interface Wanted {
  from: number;
  to: number | null;
  /** Rows of `routes`; null for all. */
  routes: number[] | null;
}

/** A leg of a journey with a change: on at one place, off at another. */
export interface Leg extends Departure {
  arrival: number;
  /** Where one changes: off here on a first leg, on here on a second. */
  change: number;
}

type Found = {
  trip: number;
  route: number;
  headsign: number;
  departure: number;
  there: number | null;
  about: number;
  headway: number | null;
  change?: number;
};

/** A bus that calls at two platforms of a place within this time leaves once. */
const SAME_CALL = 15 * 60_000;

const RUNS = `
select id from services where first <= ?1 and last >= ?1 and (days >> ?2) & 1
  and id not in (select service from exceptions where day = ?1 and runs = 0)
union select service from exceptions where day = ?1 and runs = 1`;

const BUS = `s.trip, t.route, s.headsign, s.about, t.headway`;
const ON_DAY = `t.service in (select value from json_each(:services))
  and (:routes is null or t.route in (select value from json_each(:routes)))`;

const DEPARTURES = `
select ${BUS}, s.departure, null as there
from stop_times s join trips t on t.id = s.trip
where s.place = :from and s.departure >= :after and s.board = 1 and ${ON_DAY}
order by s.departure, s.trip limit :limit`;

const DIRECT = `
select ${BUS}, s.departure, (
    select e.arrival from stop_times e where e.trip = s.trip and e.seq > s.seq
      and e.place = :to and e.alight = 1 order by e.seq limit 1) as there
from stop_times s join trips t on t.id = s.trip
where s.place = :from and s.departure >= :after and s.board = 1 and ${ON_DAY}
  and there is not null
order by s.departure, s.trip limit :limit`;

const FIRST_LEGS = `
select ${BUS}, s.departure, e.arrival as there, e.place as change
from stop_times s join trips t on t.id = s.trip
  join stop_times e on e.trip = s.trip and e.seq > s.seq
where s.place = :from and s.departure between :after and :before
  and s.board = 1 and e.alight = 1 and ${ON_DAY}`;

const SECOND_LEGS = `
select ${BUS}, s.departure, e.arrival as there, s.place as change
from stop_times e join trips t on t.id = e.trip
  join stop_times s on s.trip = e.trip and s.seq < e.seq
where e.place = :to and e.departure between :after and :before
  and e.alight = 1 and s.board = 1 and ${ON_DAY}`;

/** A feed in its database, ready to answer. */
export class Timetable {
  readonly zone: Zone;
  readonly about: FeedAbout;
  readonly places: PlaceIndex;
  #db: DatabaseSync;
  #statements = new Map<string, StatementSync>();
  #services = new Map<number, string>();

  /** @throws {FeedError} the database is not one a whole import left behind */
  constructor(db: DatabaseSync) {
    this.#db = db;
    const rows = db.prepare("select key, value from meta").all();
    const meta = new Map(rows.map((row) => [row.key, String(row.value)]));
    if (meta.get("version") !== String(SCHEMA_VERSION)) {
      throw new FeedError("the timetable cache is of another version");
    }
    const number = (key: string) => Number(meta.get(key));
    this.zone = new Zone(meta.get("zone")!);
    this.about = {
      publisher: { zh: meta.get("publisherZh")!, en: meta.get("publisherEn")! },
      firstDay: number("firstDay"),
      lastDay: number("lastDay"),
      firstService: number("firstService"),
      lastService: number("lastService"),
      validUntil: number("validUntil"),
      latest: number("latest"),
      leftOut: number("leftOut"),
    };
    // Places no bus calls at would only be in the way.
    this.places = new PlaceIndex(
      db.prepare(
        `select place, name from place_names
         where place in (select place from place_routes)`,
      ).all() as { place: number; name: string }[],
    );
  }

  close(): void {
    this.#db.close();
  }

  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  label(id: number): Label {
    const row = this.#sql("select zh, en from labels where id = ?").get(id)!;
    return { zh: String(row.zh), en: String(row.en) };
  }

  /** A place's public id (a stop_id of the feed) and its name. */
  place(place: number): { id: string; name: Label } {
    const row = this.#sql("select stop_id, label from places where id = ?")
      .get(place)!;
    return { id: String(row.stop_id), name: this.label(Number(row.label)) };
  }

  /** The place a stop_id belongs to. */
  placeOf(stopId: string): number | null {
    const row = this.#sql("select place from place_stops where stop_id = ?")
      .get(stopId);
    return row ? Number(row.place) : null;
  }

  route(route: number): BusRoute {
    const row = this.#sql(
      "select name, color, text_color from routes where id = ?",
    ).get(route)!;
    return {
      name: String(row.name),
      color: row.color as string | null,
      textColor: row.text_color as string | null,
    };
  }

  /** Rows of `routes` that call at a place, in the feed's order. */
  routesAt(place: number): number[] {
    return this.#sql(
      `select r.id from place_routes p join routes r on r.id = p.route
       where p.place = ? order by r.sort, length(r.name), r.name`,
    ).all(place).map((row) => Number(row.id));
  }

  /** Rows of `routes` that are called so: "1", "1路", "Line 1", "Route K3". */
  routesNamed(text: string): number[] {
    const key = routeKey(text);
    const rows = this.#sql(
      `select r.id, r.name, l.zh, l.en from routes r
       join labels l on l.id = r.label`,
    ).all();
    return rows.filter((row) =>
      [row.name, row.zh, row.en].some((name) =>
        name !== "" && routeKey(String(name)) === key
      )
    ).map((row) => Number(row.id));
  }

  #servicesOn(day: number): string {
    let services = this.#services.get(day);
    if (services === undefined) {
      const rows = this.#sql(RUNS).all(day, weekday(day));
      services = JSON.stringify(rows.map((row) => row.id));
      if (this.#services.size > 100) this.#services.clear();
      this.#services.set(day, services);
    }
    return services;
  }

  #ask(
    sql: string,
    day: number,
    moments: Record<string, number>,
    rest: Record<string, number | string | null>,
  ): (Departure & { change?: number })[] {
    const services = this.#servicesOn(day);
    if (services === "[]") return [];
    const start = this.zone.serviceStart(day);
    const seconds = Object.fromEntries(
      Object.entries(moments).map(([name, moment]) => {
        return [name, Math.ceil((moment - start) / 1000)];
      }),
    );
    const rows = this.#sql(sql).all({ services, ...seconds, ...rest });
    return (rows as Found[]).map(({ there, about, departure, ...row }) => ({
      ...row,
      departure: start + departure * 1000,
      arrival: there === null ? null : start + there * 1000,
      about: about === 1,
    }));
  }

  /** Departures of one service day from a moment on, soonest first. */
  departures(
    { from, to, routes }: Wanted,
    day: number,
    after: number,
    limit: number,
  ): Departure[] {
    const sql = to === null ? DEPARTURES : DIRECT;
    const found = this.#ask(sql, day, { after }, {
      from,
      routes: routes && JSON.stringify(routes),
      limit: limit * 2,
      ...(to === null ? {} : { to }),
    });
    const left = new Map<number, number>();
    return found.filter(({ trip, departure }) => {
      const before = left.get(trip);
      left.set(trip, departure);
      return before === undefined || departure - before > SAME_CALL;
    }).slice(0, limit);
  }

  /**
   * Legs of one service day that leave a place (`from`) or reach one (`to`)
   * between two moments, one for every place they pass.
   */
  legs(
    end: { from: number } | { to: number },
    day: number,
    after: number,
    before: number,
  ): Leg[] {
    const sql = "from" in end ? FIRST_LEGS : SECOND_LEGS;
    const rest = { ...end, routes: null };
    return this.#ask(sql, day, { after, before }, rest) as Leg[];
  }
}

/** A route name without the words people put around it. */
function routeKey(text: string): string {
  return plainName(text)
    .replace(/^(?:bus|line|route|no|number)\b ?/, "")
    .replace(/^(?:bus|line|route|no|number)\b ?/, "")
    .replace(/^第/, "")
    .replace(/(?:路公交车?|号线|路|线| bus| line)$/, "")
    .replace(/ /g, "");
}
