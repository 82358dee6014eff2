/**
 * What the clients of a fault test were told, in the order they were told: the
 * material of the offline checker (`checker.ts`).
 *
 * @module
 */

/** One thing that happened to a client. */
export type Moment =
  /** A question was sent, or sent again. */
  | { kind: "sent"; key: string; text: string; chat: string | null }
  /** It was answered 2xx: the server has promised to keep it. */
  | { kind: "acked"; key: string; run: string; chat: string }
  /** Continue was pressed and answered 2xx. */
  | { kind: "continued"; key: string; run: string; chat: string; of: string }
  /** It waits for the run before it (202 `queued`). */
  | { kind: "queued"; key: string; chat: string; id: string }
  /** It was answered anything else. */
  | { kind: "refused"; key: string; status: number; code: string }
  /** A connection was opened behind a cursor, or the reading began with null. */
  | { kind: "opened"; reading: number; run: string; after: string | null }
  /** A frame with an id came: its JSON exactly as it stood there. */
  | { kind: "shown"; reading: number; run: string; id: string; json: string }
  /** The server said that what was shown cannot be trusted. */
  | { kind: "resync"; reading: number; run: string }
  /** The connection ended, or could not be made, before the run did. */
  | { kind: "lost"; reading: number; run: string }
  /** There is no more to come ([DONE], or 204). */
  | { kind: "ended"; reading: number; run: string }
  /** Stop was answered. */
  | { kind: "stopped"; run: string; status: string };

/** A client's number, the moment on the clock of the test, and what happened. */
export type Record = Moment & { client: number; at: number };

export class History {
  readonly records: Record[] = [];
  #readings = 0;

  /** Writes down what happens to one client. */
  recorder(client: number): (moment: Moment) => void {
    return (moment) =>
      this.records.push({ ...moment, client, at: performance.now() });
  }

  /** The number of a new reading: one client, one run, any number of connections. */
  newReading(): number {
    return ++this.#readings;
  }

  /** How long readers that lost their connection were without one, ms. */
  gaps(): number[] {
    const lost = new Map<number, number>();
    const gaps: number[] = [];
    for (const record of this.records) {
      if (record.kind === "lost" && !lost.has(record.reading)) {
        lost.set(record.reading, record.at);
      } else if (record.kind === "opened") {
        const since = lost.get(record.reading);
        if (since !== undefined) gaps.push(record.at - since);
        lost.delete(record.reading);
      }
    }
    return gaps;
  }

  of<Kind extends Moment["kind"]>(
    kind: Kind,
  ): Extract<Record, { kind: Kind }>[] {
    return this.records.filter((each) => each.kind === kind) as Extract<
      Record,
      { kind: Kind }
    >[];
  }
}
