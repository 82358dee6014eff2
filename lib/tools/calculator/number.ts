/**
 * Numbers of the calculator: exact fractions while they stay small, floating
 * point after roots, logarithms and the like. So 0.1 + 0.2 is 0.3 and 2^100 has
 * all its digits.
 *
 * @module
 */

/** An exact fraction in lowest terms, `bottom` above 0. */
export interface Fraction {
  top: bigint;
  bottom: bigint;
}

/** A value: exact, or a finite floating-point number. */
export type Value = Fraction | number;

/** Exact values are kept up to about this many bits; beyond they are rounded. */
const MAX_BITS = 2048;

/** A fault in the expression or its result, said for the person who wrote it. */
export class CalculationError extends Error {
  override name = "CalculationError";
}

const ABOVE = 1n << BigInt(MAX_BITS);

function magnitude(n: bigint): bigint {
  return n < 0n ? -n : n;
}

function divisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** A floating-point result, which must be a number. */
export function rounded(n: number): number {
  if (Number.isNaN(n)) {
    throw new CalculationError("the result is not a real number");
  }
  if (!Number.isFinite(n)) {
    throw new CalculationError("the result is too large (over 1.8e308)");
  }
  return n;
}

/** A fraction in lowest terms, rounded when it has grown too long. */
export function fraction(top: bigint, bottom = 1n): Value {
  if (bottom === 0n) throw new CalculationError("division by zero");
  const common = divisor(magnitude(top), magnitude(bottom));
  const sign = bottom < 0n ? -1n : 1n;
  const exact = { top: sign * top / common, bottom: sign * bottom / common };
  const long = magnitude(exact.top) >= ABOVE || exact.bottom >= ABOVE;
  return long ? rounded(toNumber(exact)) : exact;
}

/** The nearest floating-point number; 0 where it is too small for one. */
export function toNumber(value: Value): number {
  if (typeof value === "number") return value;
  const top = Number(value.top);
  const bottom = Number(value.bottom);
  if (Number.isFinite(top) && Number.isFinite(bottom)) return top / bottom;
  // Both may be beyond a double while their quotient is not: 80 bits are enough.
  const bits = (n: bigint) => magnitude(n).toString(16).length * 4;
  const shift = bits(value.bottom) - bits(value.top) + 80;
  const scaled = shift >= 0
    ? (value.top << BigInt(shift)) / value.bottom
    : value.top / (value.bottom << BigInt(-shift));
  // Two steps, as 2 ** -shift alone may be beyond a double.
  const half = Math.trunc(-shift / 2);
  return Number(scaled) * 2 ** half * 2 ** (-shift - half);
}

/** The value of a decimal literal such as "12", ".5" or "1.5e-3". */
export function literal(text: string): Value {
  const [digits = "", power = "0"] = text.toLowerCase().split("e");
  const [whole = "", part = ""] = digits.split(".");
  const exponent = Number(power) - part.length;
  if (Math.abs(exponent) > 400) {
    throw new CalculationError(
      `the number ${text.slice(0, 20)} is out of range`,
    );
  }
  const top = BigInt(whole + part || "0");
  return exponent >= 0
    ? fraction(top * 10n ** BigInt(exponent))
    : fraction(top, 10n ** BigInt(-exponent));
}

function isExact(value: Value): value is Fraction {
  return typeof value !== "number";
}

export function add(a: Value, b: Value): Value {
  return isExact(a) && isExact(b)
    ? fraction(a.top * b.bottom + b.top * a.bottom, a.bottom * b.bottom)
    : rounded(toNumber(a) + toNumber(b));
}

export function negate(a: Value): Value {
  return isExact(a) ? { top: -a.top, bottom: a.bottom } : -a;
}

export function multiply(a: Value, b: Value): Value {
  return isExact(a) && isExact(b)
    ? fraction(a.top * b.top, a.bottom * b.bottom)
    : rounded(toNumber(a) * toNumber(b));
}

export function divide(a: Value, b: Value): Value {
  if (toNumber(b) === 0) throw new CalculationError("division by zero");
  return isExact(a) && isExact(b)
    ? fraction(a.top * b.bottom, a.bottom * b.top)
    : rounded(toNumber(a) / toNumber(b));
}

/** The largest whole number not above the value. */
export function floor(a: Value): Value {
  if (!isExact(a)) return Math.floor(a);
  const cut = a.top / a.bottom;
  return fraction(a.top < 0n && cut * a.bottom !== a.top ? cut - 1n : cut);
}

/** The remainder with the sign of the divisor, as in Python and spreadsheets. */
export function modulo(a: Value, b: Value): Value {
  return add(a, negate(multiply(b, floor(divide(a, b)))));
}

export function power(base: Value, exponent: Value): Value {
  if (toNumber(base) === 0 && toNumber(exponent) < 0) {
    throw new CalculationError("division by zero");
  }
  if (isExact(base) && isExact(exponent) && exponent.bottom === 1n) {
    const n = magnitude(exponent.top);
    const bits = BigInt(
      Math.max(
        magnitude(base.top).toString(2).length,
        base.bottom.toString(2).length,
      ),
    );
    if (n * bits <= BigInt(MAX_BITS)) {
      const top = base.top ** n;
      const bottom = base.bottom ** n;
      return exponent.top < 0n ? fraction(bottom, top) : fraction(top, bottom);
    }
  }
  return nearWhole(toNumber(base) ** toNumber(exponent));
}

/** A floating-point result, made exact when it is a whole number other than 0. */
export function nearWhole(n: number): Value {
  const isWhole = Number.isSafeInteger(n) && n !== 0;
  return isWhole ? fraction(BigInt(n)) : rounded(n);
}

/** The value as a whole number, or an error that names who asked. */
export function whole(value: Value, who: string): bigint {
  if (isExact(value) && value.bottom === 1n) return value.top;
  if (typeof value === "number" && Number.isSafeInteger(value)) {
    return BigInt(value);
  }
  throw new CalculationError(`${who} needs whole numbers`);
}

/** n! and, in steps of 2, n!!. */
export function factorial(value: Value, step: 1n | 2n): Value {
  const n = whole(value, "factorial");
  if (n < 0n || n > 170n) {
    throw new CalculationError("factorial is known for 0 to 170");
  }
  let product = 1n;
  for (let i = n; i > 1n; i -= step) product *= i;
  return fraction(product);
}

/** How a result is written. */
export interface Written {
  text: string;
  /** False when digits were lost. */
  exact: boolean;
}

function decimal(value: Fraction, places: number): string {
  const scaled = magnitude(value.top) * 10n ** BigInt(places) / value.bottom;
  const digits = scaled.toString().padStart(places + 1, "0");
  const point = digits.length - places;
  const sign = value.top < 0n ? "-" : "";
  const part = places ? `.${digits.slice(point)}` : "";
  return sign + digits.slice(0, point) + part;
}

/** Decimal places a fraction needs to end, or null when it never does. */
function places({ bottom }: Fraction): number | null {
  let twos = 0;
  let fives = 0;
  let rest = bottom;
  for (; rest % 2n === 0n; rest /= 2n) twos += 1;
  for (; rest % 5n === 0n; rest /= 5n) fives += 1;
  return rest === 1n ? Math.max(twos, fives) : null;
}

/** At most 40 digits exactly, else 15 significant ones. */
export function write(value: Value): Written {
  if (isExact(value)) {
    const needed = places(value);
    if (needed !== null && needed <= 30) {
      const text = decimal(value, needed);
      if (text.length <= 41) return { text, exact: true };
    }
  }
  const number = rounded(toNumber(value));
  if (number === 0 && isExact(value) && value.top !== 0n) {
    throw new CalculationError("the result is too close to zero to be shown");
  }
  const short = Number(number.toPrecision(15));
  return { text: String(short === 0 ? 0 : short), exact: false };
}
