/**
 * The part of `@std/testing/time` our tests use, over `@sinonjs/fake-timers`
 * (`deno.npm.json` maps the name here).
 *
 * @module
 */
import fakeTimers from "@sinonjs/fake-timers";

const realTimeout = globalThis.setTimeout;
const realAbortTimeout = AbortSignal.timeout;

let current: FakeTime | undefined;

/** Thrown when time is faked twice, or given back twice. */
export class TimeError extends Error {
  override name = "TimeError";
}

/**
 * Takes over `Date`, `setTimeout`, `setInterval`, their clears and
 * `AbortSignal.timeout` until `restore()` (or the end of `using`). Time moves
 * only by `tick` and its relatives. One at a time.
 */
export class FakeTime {
  readonly start: number;
  readonly #clock: ReturnType<typeof fakeTimers.install>;

  /** @param start milliseconds, a date or its text; now when left out. */
  constructor(start?: number | string | Date | null) {
    if (current) {
      throw new TimeError("Cannot construct FakeTime: time is already faked");
    }
    this.start = start === undefined || start === null
      ? Date.now()
      : typeof start === "number"
      ? Math.floor(start)
      : new Date(start).valueOf();
    if (Number.isNaN(this.start)) {
      throw new TypeError(
        `Cannot construct FakeTime: invalid start time ${this.start}`,
      );
    }
    this.#clock = fakeTimers.install({
      now: this.start,
      toFake: [
        "Date",
        "setTimeout",
        "clearTimeout",
        "setInterval",
        "clearInterval",
      ],
      shouldClearNativeTimers: true,
    });
    AbortSignal.timeout = (delay) => {
      const aborter = new AbortController();
      setTimeout(() => {
        aborter.abort(new DOMException("Signal timed out.", "TimeoutError"));
      }, delay);
      return aborter.signal;
    };
    current = this;
  }

  /** The faked time, milliseconds since 1970. Setting it runs what falls due. */
  get now(): number {
    return this.#clock.now;
  }
  set now(value: number) {
    if (value < this.now) {
      throw new RangeError(
        `Cannot set current time in the past, time must be >= ${this.now}: received ${value}`,
      );
    }
    this.tick(value - this.now);
  }

  /** Moves time and runs the callbacks that fall due, synchronously. */
  tick(ms = 0): void {
    this.#clock.tick(ms);
  }

  /** Lets pending promises settle, then `tick`. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.tick(ms);
  }

  /** Moves to the next timer and runs it; false when none is set. */
  next(): boolean {
    if (this.#clock.countTimers() === 0) return false;
    this.#clock.next();
    return true;
  }

  /** Lets pending promises settle, then `next`. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Waits one turn of the real event loop, so that promises settle. */
  runMicrotasks(): Promise<void> {
    return new Promise((resolve) => realTimeout(resolve, 0));
  }

  /** Gives the real clock back. */
  restore(): void {
    if (current !== this) {
      throw new TimeError("Cannot restore time: time is already restored");
    }
    current = undefined;
    AbortSignal.timeout = realAbortTimeout;
    this.#clock.uninstall();
  }

  [Symbol.dispose](): void {
    this.restore();
  }
}
