/**
 * The tables a feed is turned into. One database holds one feed.
 *
 * @module
 */

/** Grows when the tables or what is put into them change: old caches are left. */
export const SCHEMA_VERSION = 1;

/**
 * Days are days since 1970-01-01, times are seconds of the service day (over
 * 86,400 after midnight). `stop_times` has one row per stop a bus really calls
 * at; `board` and `alight` say whether one may get on and off there, and the
 * last stop of a trip is never one to get on. `about` marks times that were put
 * evenly between two known ones; `headway` marks trips the feed gives only as
 * "every so many seconds".
 */
export const SCHEMA = `
create table meta (key text primary key, value text not null) without rowid;
create table labels (id integer primary key, zh text not null, en text not null,
  unique (zh, en));
create table places (id integer primary key, stop_id text not null,
  label integer not null);
create table place_stops (stop_id text primary key, place integer not null)
  without rowid;
create table place_names (place integer not null, name text not null);
create table routes (id integer primary key, name text not null,
  label integer not null, color text, text_color text, sort integer not null);
create table place_routes (place integer, route integer,
  primary key (place, route)) without rowid;
create table services (id integer primary key, days integer not null,
  first integer not null, last integer not null);
create table exceptions (day integer, service integer, runs integer not null,
  primary key (day, service)) without rowid;
create table trips (id integer primary key, route integer not null,
  service integer not null, headway integer);
create table stop_times (trip integer, seq integer, place integer not null,
  arrival integer not null, departure integer not null, board integer not null,
  alight integer not null, headsign integer not null, about integer not null,
  primary key (trip, seq)) without rowid;
create index departures on stop_times (place, departure);
`;
