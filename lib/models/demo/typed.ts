/**
 * Frames as a response body.
 *
 * @module
 */
import { never, type Pace } from "./typing.ts";
import { CUT, type Frame, STALL } from "./wire.ts";

/** Most bytes of frames written at once, where nothing is paced. */
const BATCH = 16_384;

/**
 * Types frames at a pace, one read at a time: nothing is typed for a reader that
 * does not read, and one that leaves ends the typing at once.
 */
export function typed(
  source: Generator<Frame>,
  pace: Pace,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const left = new AbortController();
  let then: "more" | "end" | typeof STALL | typeof CUT = "more";

  function take(count: number): string {
    let batch = "";
    while (then === "more" && count-- > 0 && batch.length < BATCH) {
      const { value, done } = source.next();
      if (done) then = "end";
      else if (typeof value === "string") batch += value;
      else then = value;
    }
    return batch;
  }

  return new ReadableStream({
    async pull(controller) {
      if (then === "more") {
        const batch = take(await pace.due(left.signal));
        if (batch !== "") return controller.enqueue(encoder.encode(batch));
      }
      if (then === STALL) await never(left.signal);
      if (then === CUT) throw new Error("The scenario drops the socket here");
      controller.close();
    },
    cancel(reason) {
      then = "end";
      left.abort(reason);
    },
  }, { highWaterMark: 0 });
}
