/**
 * Letters as holes: the five-unit code of the paper tapes that gave this program
 * its name (ITA2, letters case). Decoration that can be read.
 *
 * @module
 */

/** Five holes per letter, hole 1 in the lowest bit; A to Z (ITU-T S.1). */
const LETTERS = [
  0b00011,
  0b11001,
  0b01110,
  0b01001,
  0b00001,
  0b01101,
  0b11010,
  0b10100,
  0b00110,
  0b01011,
  0b01111,
  0b10010,
  0b11100,
  0b01100,
  0b11000,
  0b10110,
  0b10111,
  0b01010,
  0b00101,
  0b10000,
  0b00111,
  0b11110,
  0b10011,
  0b11101,
  0b10101,
  0b10001,
];
const SPACE = 0b00100;

/** The rows of holes for `text`: five booleans each, hole 1 first. */
export function punch(text: string): boolean[][] {
  return [...text.toUpperCase()].map((letter) => {
    const code = LETTERS[letter.charCodeAt(0) - 65] ?? SPACE;
    return Array.from({ length: 5 }, (_, hole) => (code >> hole & 1) === 1);
  });
}
