/**
 * The end of a text that is still being typed. Half of a mark is no words: a
 * star whose partner is to come, a bullet whose item is to come. Drawn as they
 * stand they flash and vanish; here they are left out, or closed, until more is
 * known.
 *
 * @module
 */
import type { Token, Tokens } from "./markdown_lexer.ts";

/** Longer lines are never marks alone; longer paragraphs are left as they are. */
const LONGEST_MARKS = 200;
const LONGEST_PARAGRAPH = 4_000;

/** What may stand before the words of a line: quotes, bullets, numbers, `#`. */
const BEFORE_WORDS =
  /^[ \t]*(?:>[ \t]*|(?:[-+*]|\d{1,3}[.)]|#{1,6})[ \t]+(?:\[[ x]\][ \t]+)?)*/;

/**
 * A line that is nothing but the beginning of marks. Every beginning of such a
 * line is one too, so that what was once shown is never hidden again.
 */
const BEGINNING =
  /^(?:[-+*]+|[*_~`]{1,3}|=+|#{1,6}|\d{1,3}[.)]?|\[[ x]?\]?|[|:][|:\- \t]*)?[ \t]*$/;

/** `text` without a last line that has no words yet. */
export function withoutLooseMarks(text: string): string {
  const start = text.lastIndexOf("\n") + 1;
  if (text.length - start > LONGEST_MARKS) return text;
  const line = text.slice(start);
  const words = line.slice(BEFORE_WORDS.exec(line)![0].length);
  return BEGINNING.test(words) ? text.slice(0, start) : text;
}

/**
 * The source of the last block with its open emphasis and code closed, so that
 * `**bo` is bold from its first letter.
 */
export function withMarksClosed(raw: string, token: Token): string {
  if (!endsInWords(token)) return raw;
  const start = token.type === "table"
    ? raw.lastIndexOf("|") + 1
    : startOfWords(raw);
  if (raw.length - start > LONGEST_PARAGRAPH) return raw;
  const words = raw.slice(start);
  const closed = close(words);
  return closed === words ? raw : raw.slice(0, start) + closed;
}

/** Whether what is typed next would be read for emphasis. */
function endsInWords(token: Token): boolean {
  for (let last: Token | undefined = token; last !== undefined;) {
    switch (last.type) {
      case "paragraph":
      case "text":
      case "heading":
      case "table":
        return true;
      case "list":
        last = (last as Tokens.List).items.at(-1);
        break;
      case "list_item":
      case "blockquote":
        last = (last as Tokens.ListItem | Tokens.Blockquote).tokens.at(-1);
        break;
      default:
        return false;
    }
  }
  return false;
}

/** Where the last paragraph of a block begins, behind its bullet or `#`. */
function startOfWords(raw: string): number {
  for (let end = raw.length;;) {
    const start = raw.lastIndexOf("\n", end - 1) + 1;
    const line = raw.slice(start, end);
    const before = BEFORE_WORDS.exec(line)![0];
    // A quote's paragraph has `>` on every line.
    if (/[^>\s]/.test(before)) return start + before.length;
    if (start === 0) return 0;
    // An empty line, unless it is the one about to be typed.
    if (before === line && end < raw.length) return end + 1;
    end = start - 1;
  }
}

const MARKS = "*_~`";
const isSpace = (sign: string | undefined) =>
  sign === undefined || /\s/.test(sign);
const isPunctuation = (sign: string) => /[!-/:-@[-`{-~]/.test(sign);

/** The rules of CommonMark, as far as they can be told without the rest. */
function opens(run: string, before: string | undefined, after: string) {
  // `~5` is about five.
  if (run.length > 3 || run === "~" || run === "~~~") return false;
  if (isSpace(after)) return false;
  if (isSpace(before)) return true;
  // `2*3` and `snake_case` are seldom emphasis; Chinese has no spaces.
  if (/[a-z\d]/i.test(before!)) return false;
  return isPunctuation(before!) || !isPunctuation(after);
}

function close(words: string): string {
  const open: string[] = [];
  const closed = (text: string) => text.trimEnd() + open.toReversed().join("");
  for (let at = 0, end = 0; at < words.length; at = end) {
    const mark = words[at]!;
    end = at + 1;
    if (mark === "\\" && end++ === words.length) {
      return close(words.slice(0, at));
    }
    if (!MARKS.includes(mark)) continue;
    while (words[end] === mark) end++;
    let length = end - at;
    if (mark === "`") {
      end = endOfCode(words, end, length);
      if (end >= 0) continue;
      const code = trimMarks(words.trimEnd());
      if (code.length <= at) return close(code);
      open.push(mark.repeat(length));
      return closed(code);
    }
    const before = words[at - 1];
    const after = words[end];
    while (length > 0 && !isSpace(before)) {
      const found = open.findLastIndex((one) => one[0] === mark);
      const partner = open[found]?.length ?? Infinity;
      if (partner > length) break;
      open.length = found;
      length -= partner;
    }
    if (length === 0) continue;
    // Half of a closing mark, or one that has opened nothing yet.
    if (after === undefined) return close(trimMarks(words));
    if (!opens(mark.repeat(length), before, after)) continue;
    if (length !== 1) open.push(mark.repeat(2));
    if (length !== 2) open.push(mark);
  }
  return open.length === 0 ? words : closed(words);
}

/** Behind the run of as many backticks that closes a code span; else -1. */
function endOfCode(words: string, from: number, length: number): number {
  for (let at = words.indexOf("`", from); at >= 0;) {
    let end = at + 1;
    while (words[end] === "`") end++;
    if (end - at === length) return end;
    at = words.indexOf("`", end);
  }
  return -1;
}

function trimMarks(words: string): string {
  let end = words.length;
  while (end > 0 && MARKS.includes(words[end - 1]!)) end--;
  return words.slice(0, end);
}
