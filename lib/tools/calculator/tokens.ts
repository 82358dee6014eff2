/**
 * Cuts an expression into numbers, names and signs, in whatever width and
 * typography it was written.
 *
 * @module
 */
import { CalculationError } from "./number.ts";

/** A piece of an expression; `at` is where it stands, from 0. */
export interface Token {
  kind: "number" | "name" | "sign" | "end";
  text: string;
  at: number;
}

const SPELLINGS = new Map(Object.entries({
  "×": "*",
  "·": "*",
  "⋅": "*",
  "∗": "*",
  "÷": "/",
  "∕": "/",
  "−": "-",
  "–": "-",
  "²": "^2",
  "³": "^3",
}));

/** Full-width and typographic characters in their plain spelling. */
export function plain(text: string): string {
  return [...text].map((char) => {
    const code = char.codePointAt(0)!;
    if (code >= 0xff01 && code <= 0xff5e) {
      return String.fromCodePoint(code - 0xfee0);
    }
    return SPELLINGS.get(char) ?? char;
  }).join("").replace(/\s+/g, " ").replace(/ ?= ?\??$/, "").trim();
}

const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy;
const NAME = /\p{L}[\p{L}\d_]*/uy;
const SIGN = /\*\*|!+|[-+*/^%!(),°√]/y;

/**
 * Cuts a plain expression into tokens, the last of kind "end".
 *
 * @throws {CalculationError} a character that means nothing here
 */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === " ") {
      at += 1;
      continue;
    }
    const kinds = [["number", NUMBER], ["name", NAME], ["sign", SIGN]] as const;
    const hit = kinds.map(([kind, pattern]) => {
      pattern.lastIndex = at;
      return { kind, text: pattern.exec(text)?.[0] };
    }).find((match) => match.text !== undefined);
    if (!hit) {
      const char = JSON.stringify(String.fromCodePoint(text.codePointAt(at)!));
      throw new CalculationError(`cannot read ${char} at position ${at + 1}`);
    }
    found.push({ kind: hit.kind, text: hit.text!, at });
    at += hit.text!.length;
  }
  found.push({ kind: "end", text: "", at: text.length });
  return found;
}
