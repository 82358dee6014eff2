/**
 * Where a model goes on with a text that broke off. Asked to go on, many models
 * say the last words again, or all of it: what was shown must not stand there
 * twice (N5).
 *
 * @module
 */

/** From this length on, words that stand on both sides of the seam are a repeat. */
const SURELY = 8;

export class Seam {
  readonly #shown: string;
  #held = "";
  /** Where in the shown text the held words may have been copied from, ascending. */
  #places: number[];
  #closed = false;

  /** @param shown The text as it broke off. */
  constructor(shown: string) {
    this.#shown = shown;
    this.#places = Array.from({ length: shown.length }, (_, at) => at);
  }

  /** What may be shown of the text so far; what may be a repeat is held back. */
  hear(words: string): string {
    if (this.#closed) return words;
    const from = this.#held.length;
    this.#held += words;
    this.#places = this.#places.filter((at) => this.#agrees(at, from));
    // One that begins earlier is longer, and not over yet.
    const undecided = this.#places.some((at) => !this.#reachesEnd(at));
    return undecided ? "" : this.rest();
  }

  /** What is still held, without repeats: the model says no more. */
  rest(): string {
    if (this.#closed) return "";
    this.#closed = true;
    const [first] = this.#places;
    // Begun again from the top, and broken off before it came to anything new.
    if (first === 0 && !this.#reachesEnd(0)) {
      return this.#held.length < SURELY ? this.#held : "";
    }
    const at = this.#places.find((at) => this.#reachesEnd(at));
    if (at === undefined) return this.#held;
    const length = this.#shown.length - at;
    return this.#isRepeat(at, length) ? this.#held.slice(length) : this.#held;
  }

  #agrees(at: number, from: number): boolean {
    const end = Math.min(this.#held.length, this.#shown.length - at);
    return this.#shown.slice(at + from, at + end) ===
      this.#held.slice(from, end);
  }

  #reachesEnd(at: number): boolean {
    return at + this.#held.length >= this.#shown.length;
  }

  /** A short one is a repeat where it begins the word the text broke off in. */
  #isRepeat(at: number, length: number): boolean {
    if (length >= SURELY || at === 0) return true;
    const seam = `${this.#shown.at(-1)}${this.#held[length] ?? ""}`;
    return length > 1 && WITHIN.test(seam) &&
      !LETTER.test(this.#shown[at - 1]!);
  }
}

/** Of scripts that put spaces between words. */
const LETTER = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Nd}]/u;
const WITHIN = new RegExp(`${LETTER.source}{2}`, "u");
