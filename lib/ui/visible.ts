/**
 * A text for a person to judge: nothing in it may hide (threat 11, case T08).
 * What has no shape of its own, or turns the direction of what stands next to
 * it, is named; nothing is left out.
 *
 * @module
 */

/** A stretch of plain text, or one character that is named instead of drawn. */
export interface Piece {
  text: string;
  /** `U+200B`, or a sign people know: `⏎`, `⇥`. */
  mark: boolean;
}

/**
 * Controls, format characters, private and unassigned ones, odd separators and
 * spaces, halves of pairs, and whatever Unicode lets a font leave out.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?![ \u3000])\p{Zs}/gu;

/**
 * `text` in pieces that read as the whole when they are put together.
 *
 * @param laidOut Its line breaks are ours, made for reading, and need no sign.
 */
export function visible(text: string, laidOut = false): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const { 0: sign, index } of text.matchAll(HIDDEN)) {
    if (laidOut && sign === "\n") continue;
    if (index > from) {
      pieces.push({ text: text.slice(from, index), mark: false });
    }
    pieces.push({ text: nameOf(sign), mark: true });
    // A line still ends where it ended.
    if (sign === "\n") pieces.push({ text: "\n", mark: false });
    from = index + sign.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), mark: false });
  return pieces;
}

/** The same for one line of plain text: signs people know are spaces in it. */
export function visibleText(text: string): string {
  return visible(text)
    .map(({ text, mark }) => mark && !text.startsWith("U+") ? " " : text)
    .join("");
}

function nameOf(sign: string): string {
  if (sign === "\n") return "⏎";
  if (sign === "\t") return "⇥";
  const code = sign.codePointAt(0)!.toString(16).toUpperCase();
  return `U+${code.padStart(4, "0")}`;
}

/** One argument of a call, with the whole of its value. */
export interface Argument {
  /** Null when the arguments have no names. */
  name: string | null;
  value: string;
  /** The value is JSON, broken into lines here. */
  json: boolean;
  /** Where the value leads, if it is a web address. */
  host: string | null;
}

/** The arguments of a call, each in whole: text as it is, the rest as JSON. */
export function argumentsOf(input: unknown): Argument[] {
  if (input === undefined) return [];
  if (input === null || typeof input !== "object" || Array.isArray(input)) {
    return [argument(null, input)];
  }
  return Object.entries(input).map(([name, value]) => argument(name, value));
}

function argument(name: string | null, value: unknown): Argument {
  const json = typeof value !== "string";
  return {
    name,
    value: json ? JSON.stringify(value, null, 2) : value,
    json,
    host: hostOf(value),
  };
}

/**
 * The host as the network will see it: `user@` before it and letters that look
 * like others do not fool the parser.
 */
function hostOf(value: unknown): string | null {
  if (typeof value !== "string") return null;
  try {
    const { protocol, host } = new URL(value);
    return /^(https?|wss?|ftp):$/.test(protocol) ? host : null;
  } catch {
    return null;
  }
}
