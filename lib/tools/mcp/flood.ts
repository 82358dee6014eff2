/**
 * How much a server may send before it is taken for broken or hostile.
 *
 * @module
 */

/** One message; also what the SDK allows a program. */
export const MESSAGE_BYTES = 10 * 1024 * 1024;

/** Messages in a second. A fast server sends some hundreds, with progress. */
const PER_SECOND = 5_000;

/** Counts the messages of one connection. */
export class FloodGate {
  #since = performance.now();
  #count = 0;

  /** @throws {Error} when there were too many in the last second. */
  take(): void {
    if (++this.#count <= PER_SECOND) return;
    const now = performance.now();
    if (now - this.#since < 1_000) {
      throw new Error("The server sent too many messages at once");
    }
    this.#since = now;
    this.#count = 1;
  }
}
