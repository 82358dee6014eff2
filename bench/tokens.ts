/**
 * Tokens that prove where they have been: `<number>.<microsecond> ` in base 36,
 * and at the end a seal, `#<hash> `, over everything before it. Loss, order and
 * delay are read off them, not assumed.
 *
 * @module
 */

/** Microseconds since 1970; the same clock in every process of this machine. */
export function nowMicros(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

/** The hash of a text that grows: FNV-1a over UTF-16 units. */
export class TextHash {
  #value = 0x811c9dc5;

  add(text: string): void {
    let value = this.#value;
    for (let i = 0; i < text.length; i++) {
      value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
    }
    this.#value = value;
  }

  toString(): string {
    return (this.#value >>> 0).toString(36);
  }
}

/** Says `tokens` tokens and the seal behind them, one at a time. */
export class TokenWriter {
  #left: number;
  #said = 0;
  #hash = new TextHash();

  constructor(tokens: number) {
    this.#left = tokens;
  }

  /** Only the seal is left to say. */
  get ending(): boolean {
    return this.#left === 0;
  }

  /** The next token, sent now; the seal behind the last. */
  next(): string {
    if (this.ending) return `#${this.#hash} `;
    const micros = Math.round(nowMicros()).toString(36);
    const token = `${(this.#said++).toString(36)}.${micros} `;
    this.#hash.add(token);
    this.#left--;
    return token;
  }
}

/** Reads a text as it arrives, piece by piece. */
export class TokenReader {
  /** Tokens so far, the seal not counted. */
  count = 0;
  /** No token was missing, twice there or out of order. */
  inOrder = true;
  /** Whether the seal came, and whether it fits; null before it came. */
  sealed: boolean | null = null;
  /** Of everything but the seal. */
  readonly hash = new TextHash();
  #rest = "";
  #onDelay: (micros: number) => void;

  /** @param onDelay Hears for each token how long it travelled, µs. */
  constructor(onDelay: (micros: number) => void) {
    this.#onDelay = onDelay;
  }

  /** @param micros When the piece arrived. */
  push(piece: string, micros: number): void {
    const text = this.#rest + piece;
    let at = 0;
    for (let end; (end = text.indexOf(" ", at)) !== -1; at = end + 1) {
      this.#token(text.slice(at, end), micros);
    }
    this.#rest = text.slice(at);
  }

  #token(token: string, micros: number): void {
    if (token.startsWith("#")) {
      this.sealed = token === `#${this.hash}`;
      return;
    }
    this.hash.add(`${token} `);
    const dot = token.indexOf(".");
    if (parseInt(token.slice(0, dot), 36) !== this.count++) {
      this.inOrder = false;
    }
    this.#onDelay(micros - parseInt(token.slice(dot + 1), 36));
  }
}
