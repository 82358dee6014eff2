/**
 * What a free question says about buses: which stops, which line, when, and what
 * is asked of them.
 *
 * @module
 */
import { readEnglish } from "./extract_en.ts";
import { readChinese } from "./extract_zh.ts";
import { type Moment, takeWhen } from "./when.ts";
import type { Language } from "../language.ts";

/** What is asked for; a question can carry several. */
export type Mark =
  /** It is about buses at all. */
  | "bus"
  | "next"
  | "first"
  | "last"
  /** "and the one after that?" */
  | "later"
  /** "and back?" */
  | "back"
  /** A stop is looked for by name. */
  | "find"
  /** "how do I get to", "怎么去" */
  | "way"
  /** "那…呢？", "what about …?" */
  | "more";

/** The places of a question, as the person wrote them. */
export interface Places {
  from?: string;
  to?: string;
  /** Named without saying whether one comes or goes. */
  stop?: string;
}

export interface BusQuestion extends Places {
  marks: Set<Mark>;
  route?: string;
  when: Moment | null;
}

/** A word that carries a mark or nothing; cut out either way. */
export interface Word {
  pattern: RegExp;
  mark?: Mark;
}

/** Reads a question. Never fails: a question about something else has no marks. */
export function readQuestion(
  question: string,
  language: Language,
  now: Date,
): BusQuestion {
  // Full-width digits, letters and marks read like the plain ones.
  const plain = question.normalize("NFKC").trim().slice(0, 500);
  const { rest, when } = takeWhen(plain, language, now);
  const read = language === "zh" ? readChinese : readEnglish;
  return { ...read(rest), when };
}

/** Cuts the words out of a text, leaves `|` where they were, notes their marks. */
export function takeWords(
  text: string,
  words: Word[],
  marks: Set<Mark>,
): string {
  let rest = text;
  for (const { pattern, mark } of words) {
    const cut = rest.replace(pattern, "|");
    if (cut !== rest && mark !== undefined) marks.add(mark);
    rest = cut;
  }
  return rest;
}
