/**
 * A chat's first title: the beginning of its first question.
 *
 * @module
 */
const LONGEST = 48;

/** One line, at most 48 characters, cut at a word where there is one. */
export function titleOf(text: string): string {
  const line = text.replace(/\s+/gu, " ").trim();
  const letters = [...line];
  if (letters.length <= LONGEST) return line;
  const cut = letters.slice(0, LONGEST).join("");
  const word = cut.lastIndexOf(" ");
  return `${word > LONGEST / 2 ? cut.slice(0, word) : cut}…`;
}
