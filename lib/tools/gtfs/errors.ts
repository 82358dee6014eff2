/**
 * What can be wrong with a GTFS feed, said so that its publisher can mend it.
 *
 * @module
 */

/** Where in a feed a fault stands. `line` counts from 1, the header included. */
export interface FaultPlace {
  file?: string;
  line?: number;
  field?: string;
}

/**
 * A feed that cannot be used. The message names file, line and field and holds
 * no path or address of this machine, so it may be shown.
 */
export class FeedError extends Error {
  override name = "FeedError";
  constructor(
    reason: string,
    readonly place: FaultPlace = {},
    options?: ErrorOptions,
  ) {
    super(at(place) + reason, options);
  }
}

/** "stop_times.txt line 7, field arrival_time: " or as much of it as is known. */
export function at({ file, line, field }: FaultPlace): string {
  if (!file) return "";
  const row = line ? ` line ${line}` : "";
  const column = field ? `, field ${field}` : "";
  return `${file}${row}${column}: `;
}

/** A value from the feed as it may stand in a message: quoted, short, one line. */
export function quoted(value: string): string {
  const short = value.length > 40 ? value.slice(0, 40) + "…" : value;
  return JSON.stringify(short);
}
