/**
 * What a group of readers saw, summed up.
 *
 * @module
 */
import { Delays, type Spread } from "./delays.ts";
import type { Reader } from "./reader.ts";

/** What all readers of a group write into. */
export class Tally {
  tokens = 0;
  frames = 0;
  /** Tokens or frame ids that came again. */
  doubled = 0;
  /** Tokens that did not come. */
  lost = 0;
  /** From the model's mouth to the reader's ear, ms. */
  readonly lag = new Delays();
  /** Silence before each heartbeat, ms. */
  readonly silences = new Delays();
  /** The delays the server asked for before coming back, ms. */
  retries: number[] = [];
  /** Connections dropped before an answer: too many knocked at once. */
  refused = 0;

  /** Begins to measure anew; what was lost or doubled stays. */
  reset(): void {
    this.tokens = this.frames = 0;
    this.lag.reset();
    this.silences.reset();
    this.retries = [];
  }
}

export interface Report {
  readers: number;
  /** Readers whose connection is there. */
  connected: number;
  /** Readers that have the run's end. */
  ended: number;
  /** Readers with something wrong, besides what is lost and doubled. */
  broken: number;
  /** Why, for the first of them. */
  reason: string | null;
  doubled: number;
  lost: number;
  tokens: number;
  frames: number;
  /** Connections the server closed before the end. */
  cuts: number;
  /** Different texts read, as hashes. */
  texts: number;
  lag: Spread;
  silences: Spread;
  retries: number[];
  refused: number;
}

export function report(readers: Reader[], tally: Tally): Report {
  const wrong = readers.filter((reader) => reader.wrong !== null);
  return {
    readers: readers.length,
    connected: readers.filter((reader) => reader.connected).length,
    ended: readers.filter((reader) => reader.end !== null).length,
    broken: wrong.length,
    reason: wrong[0]?.wrong ?? null,
    doubled: tally.doubled,
    lost: tally.lost,
    tokens: tally.tokens,
    frames: tally.frames,
    cuts: readers.reduce((sum, { cuts }) => sum + cuts, 0),
    texts: new Set(readers.map(({ hash }) => hash)).size,
    lag: tally.lag.spread(),
    silences: tally.silences.spread(),
    retries: tally.retries,
    refused: tally.refused,
  };
}
