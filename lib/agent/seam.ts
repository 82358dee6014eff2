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
  /** Where the held words first stand in the shown text; -1: nowhere. */
  #place = 0;
  #closed = false;

  /** @param shown The text as it broke off. */
  constructor(shown: string) {
    this.#shown = shown;
  }

  /** What may be shown of the text so far; what may be a repeat is held back. */
  hear(words: string): string {
    if (this.#closed) return words;
    const end = this.#place + this.#held.length;
    this.#held += words;
    // Looked for anew only where they do not go on as the shown text does.
    if (!this.#shown.startsWith(words, end)) {
      this.#place = this.#shown.indexOf(this.#held, this.#place + 1);
    }
    // Words that stand there before its end may be a longer repeat, not over yet.
    const undecided = this.#place >= 0 &&
      this.#place + this.#held.length < this.#shown.length;
    return undecided ? "" : this.rest();
  }

  /** What is still held, without repeats: the model says no more. */
  rest(): string {
    if (this.#closed) return "";
    this.#closed = true;
    const [shown, held] = [this.#shown, this.#held];
    // Begun again from the top, and broken off before it came to anything new.
    if (held.length < shown.length && shown.startsWith(held)) {
      return held.length < SURELY ? held : "";
    }
    const length = overlap(shown, held);
    const repeat = length > 0 && this.#isRepeat(shown.length - length, length);
    return repeat ? held.slice(length) : held;
  }

  /** A short one is a repeat where it begins the word the text broke off in. */
  #isRepeat(at: number, length: number): boolean {
    if (length >= SURELY || at === 0) return true;
    const seam = `${this.#shown.at(-1)}${this.#held[length] ?? ""}`;
    return length > 1 && WITHIN.test(seam) &&
      !LETTER.test(this.#shown[at - 1]!);
  }
}

/**
 * How long the longest end of `before` is with which `after` begins. In linear
 * time (Knuth, Morris, Pratt): texts that were cut at their greatest length are
 * often one line, over and over.
 */
function overlap(before: string, after: string): number {
  const head = after.slice(0, before.length);
  /** How much of `head` stands at the end of each of its beginnings. */
  const borders = [0];
  const grown = (length: number, unit: string): number => {
    while (length > 0 && head[length] !== unit) length = borders[length - 1]!;
    return head[length] === unit ? length + 1 : length;
  };
  for (let at = 1; at < head.length; at++) {
    borders.push(grown(borders[at - 1]!, head[at]!));
  }
  let length = 0;
  for (let at = before.length - head.length; at < before.length; at++) {
    length = grown(length, before[at]!);
  }
  return length;
}

/** Of scripts that put spaces between words. */
const LETTER = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Nd}]/u;
const WITHIN = new RegExp(`${LETTER.source}{2}`, "u");
