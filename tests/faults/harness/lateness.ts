/**
 * How late timers of this process are: what a shared machine adds to every time
 * that is measured on it. Times are judged against their goal and ten times that,
 * so that a busy neighbour fails no test and a slow server still does.
 *
 * @module
 */
import { percentile } from "./fault_test.ts";

const EVERY_MS = 20;
const TIMES = 10;

export class Lateness implements Disposable {
  readonly #late: number[] = [];
  readonly #timer: ReturnType<typeof setInterval>;

  constructor() {
    let due = performance.now() + EVERY_MS;
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#late.push(Math.max(0, now - due));
      due = now + EVERY_MS;
    }, EVERY_MS);
  }

  /** The 99th percentile so far, ms. */
  get p99(): number {
    return percentile(this.#late, 0.99);
  }

  /** What a goal allows on this machine at this time, ms. */
  allows(goal: number): number {
    return goal + TIMES * this.p99;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
