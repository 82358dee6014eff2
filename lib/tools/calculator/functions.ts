/**
 * The functions and constants the calculator knows.
 *
 * @module
 */
import {
  add,
  CalculationError,
  divide,
  factorial,
  floor,
  fraction,
  modulo,
  multiply,
  nearWhole,
  negate,
  power,
  rounded,
  toNumber,
  type Value,
  whole,
} from "./number.ts";

/** A function and how many numbers it takes. */
export interface Called {
  least: number;
  most: number;
  work(values: Value[]): Value;
}

function exact(least: number, most: number, work: Called["work"]): Called {
  return { least, most, work };
}

/**
 * A floating-point function. A result nearer to zero than its argument can be
 * known is zero: sin(pi) is 0.
 */
function real(work: (a: number) => number): Called {
  return exact(1, 1, ([value]) => {
    const a = toNumber(value!);
    const result = rounded(work(a));
    return Math.abs(result) < 4e-16 && Math.abs(a) > 1e-8 ? 0 : result;
  });
}

/** A root or logarithm: whole results are exact, as of sqrt(16). */
function inverse(
  name: string,
  least: (a: number) => boolean,
  range: string,
  work: (a: number) => number,
): Called {
  return exact(1, 1, ([value]) => {
    const a = toNumber(value!);
    if (!least(a)) throw new CalculationError(`${name} needs ${range}`);
    return nearWhole(work(a));
  });
}

/** log(x) to the base 10, log(x, base) to another. */
function log([value, base]: Value[]): Value {
  const a = toNumber(value!);
  const b = base === undefined ? 10 : toNumber(base);
  if (a <= 0 || b <= 0 || b === 1) {
    throw new CalculationError("log needs numbers above 0");
  }
  return nearWhole(b === 10 ? Math.log10(a) : Math.log(a) / Math.log(b));
}

function limited(
  name: string,
  holds: (a: number) => boolean,
  range: string,
  work: (a: number) => number,
): Called {
  return real((a) => {
    if (!holds(a)) throw new CalculationError(`${name} needs ${range}`);
    return work(a);
  });
}

function smaller(a: Value, b: Value): boolean {
  return toNumber(add(a, negate(b))) < 0;
}

function absolute(a: Value): Value {
  return toNumber(a) < 0 ? negate(a) : a;
}

/** Half goes away from zero, as people round. */
function round([value, digits = fraction(0n)]: Value[]): Value {
  const places = whole(digits, "round");
  if (places > 30n || places < -30n) {
    throw new CalculationError("round knows -30 to 30 digits");
  }
  const scale = power(fraction(10n), fraction(places));
  const half = fraction(1n, 2n);
  const size = floor(add(multiply(absolute(value!), scale), half));
  const result = divide(size, scale);
  return toNumber(value!) < 0 ? negate(result) : result;
}

function sum(values: Value[]): Value {
  return values.reduce(add);
}

function commonDivisor(values: Value[]): Value {
  let result = 0n;
  for (const value of values) {
    let next = whole(absolute(value), "gcd");
    while (next !== 0n) [result, next] = [next, result % next];
  }
  return fraction(result);
}

function commonMultiple(values: Value[]): Value {
  return values.reduce((a, b) =>
    whole(a, "lcm") === 0n || whole(b, "lcm") === 0n
      ? fraction(0n)
      : absolute(divide(multiply(a, b), commonDivisor([a, b])))
  );
}

const positive = (a: number) => a > 0;

export const FUNCTIONS = new Map<string, Called>(Object.entries({
  sqrt: inverse("sqrt", (a) => a >= 0, "a number of 0 or more", Math.sqrt),
  cbrt: inverse("cbrt", () => true, "a number", Math.cbrt),
  abs: exact(1, 1, ([a]) => absolute(a!)),
  exp: real(Math.exp),
  ln: inverse("ln", positive, "a number above 0", Math.log),
  log: exact(1, 2, log),
  log2: inverse("log2", positive, "a number above 0", Math.log2),
  log10: inverse("log10", positive, "a number above 0", Math.log10),
  sin: real(Math.sin),
  cos: real(Math.cos),
  tan: limited(
    "tan",
    (a) => Math.abs(Math.cos(a)) > 1e-15,
    "an angle that is not upright",
    Math.tan,
  ),
  asin: limited("asin", (a) => Math.abs(a) <= 1, "-1 to 1", Math.asin),
  acos: limited("acos", (a) => Math.abs(a) <= 1, "-1 to 1", Math.acos),
  atan: real(Math.atan),
  sinh: real(Math.sinh),
  cosh: real(Math.cosh),
  tanh: real(Math.tanh),
  rad: real((a) => a * Math.PI / 180),
  deg: real((a) => a * 180 / Math.PI),
  floor: exact(1, 1, ([a]) => floor(a!)),
  ceil: exact(1, 1, ([a]) => negate(floor(negate(a!)))),
  round: exact(1, 2, round),
  min: exact(1, Infinity, (all) => all.reduce((a, b) => smaller(b, a) ? b : a)),
  max: exact(1, Infinity, (all) => all.reduce((a, b) => smaller(a, b) ? b : a)),
  sum: exact(1, Infinity, sum),
  avg: exact(
    1,
    Infinity,
    (all) => divide(sum(all), fraction(BigInt(all.length))),
  ),
  mod: exact(2, 2, ([a, b]) => modulo(a!, b!)),
  pow: exact(2, 2, ([a, b]) => power(a!, b!)),
  gcd: exact(1, Infinity, commonDivisor),
  lcm: exact(1, Infinity, commonMultiple),
  factorial: exact(1, 1, ([a]) => factorial(a!, 1n)),
}));

export const CONSTANTS = new Map<string, Value>(Object.entries({
  pi: Math.PI,
  "π": Math.PI,
  tau: 2 * Math.PI,
  e: Math.E,
}));
