/**
 * Notices an agent that goes round in circles: the same call with the same
 * arguments and the same answer, again and again (T13).
 *
 * @module
 */
import type { Json } from "../chat/events.ts";

/** How often a call may say the same before it is not run again. */
const ENOUGH = 3;
/** Steps in a row of nothing but such calls before a person is asked. */
const CIRCLES = 5;

export class Repeats {
  #said = new Map<string, { text: string; times: number }>();
  #circles = 0;

  /** A call was run and answered this. */
  note(name: string, input: Json, text: string): void {
    const key = keyOf(name, input);
    const last = this.#said.get(key);
    const times = last?.text === text ? last.times + 1 : 1;
    this.#said.set(key, { text, times });
  }

  /** What to tell the model instead of running the call; null: run it. */
  refusal(name: string, input: Json): string | null {
    const times = this.#said.get(keyOf(name, input))?.times ?? 0;
    if (times < ENOUGH) return null;
    return `Not run: ${name} was called with exactly these arguments ${times} ` +
      "times and always said the same. Use that result, try something else, or " +
      "tell the person what is missing.";
  }

  /** A step is over. */
  step(onlyRepeats: boolean): void {
    this.#circles = onlyRepeats ? this.#circles + 1 : 0;
  }

  /** Nothing new has come for so long that it is no use going on alone. */
  get looping(): boolean {
    return this.#circles >= CIRCLES;
  }
}

function keyOf(name: string, input: Json): string {
  return `${name} ${JSON.stringify(input)}`;
}
