/**
 * Reads and works out an arithmetic expression by recursive descent. Names are
 * looked up in a `Map` and nothing is ever evaluated as code (threat 17, case
 * T09). Length and depth are bounded, so the work is too.
 *
 * ```
 * sum     = product (("+" | "-") product)*
 * product = signed (("*" | "/" | "mod" | "%") signed)*
 * signed  = ("-" | "+") signed | power
 * power   = postfix ("^" signed)?
 * postfix = atom ("!" | "!!" | "%" | "°")*
 * atom    = number | name | name "(" list ")" | "(" sum ")" | "√" signed
 * ```
 *
 * @module
 */
import { CONSTANTS, FUNCTIONS } from "./functions.ts";
import {
  add,
  CalculationError,
  divide,
  factorial,
  fraction,
  literal,
  modulo,
  multiply,
  negate,
  power,
  rounded,
  toNumber,
  type Value,
} from "./number.ts";
import { plain, type Token, tokens } from "./tokens.ts";

/** Longest expression, in characters, and deepest nesting. */
export const MAX_LENGTH = 1000;
const MAX_DEPTH = 60;

/** A value, and whether it was written as a bare percentage. */
interface Term {
  value: Value;
  percent: boolean;
}

class Parser {
  #tokens: Token[];
  #next = 0;
  #depth = 0;
  /** Inside an argument list a comma parts arguments, elsewhere thousands. */
  #inList = false;

  constructor(readonly text: string) {
    this.#tokens = tokens(text);
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(...signs: string[]): string | null {
    const { kind, text } = this.#token;
    if (kind === "number" || kind === "end" || !signs.includes(text)) {
      return null;
    }
    this.#next += 1;
    return text;
  }

  #unexpected(): CalculationError {
    const { kind, text, at } = this.#token;
    return new CalculationError(
      kind === "end"
        ? "the expression ends too early"
        : `did not expect ${JSON.stringify(text.slice(0, 20))} at position ${
          at + 1
        }${kind === "sign" ? "" : ": is an operator missing before it?"}`,
    );
  }

  #expect(sign: string): void {
    if (this.#take(sign)) return;
    throw this.#token.kind === "end"
      ? new CalculationError(`a ${JSON.stringify(sign)} is missing at the end`)
      : this.#unexpected();
  }

  whole(): Value {
    const value = this.#sum();
    if (this.#token.kind !== "end") throw this.#unexpected();
    return value;
  }

  /** Every way down passes here, which bounds the depth of all of them. */
  #deeper<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw new CalculationError(`nested deeper than ${MAX_DEPTH} levels`);
    }
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #sum(): Value {
    let { value } = this.#product();
    while (true) {
      const sign = this.#take("+", "-");
      if (!sign) return value;
      const right = this.#product();
      // 200 + 10% is 220, as on every pocket calculator.
      const amount = right.percent ? multiply(value, right.value) : right.value;
      value = add(value, sign === "-" ? negate(amount) : amount);
    }
  }

  #product(): Term {
    let left = this.#signed();
    while (true) {
      const sign = this.#take("*", "/", "mod", "%", "x", "X");
      if (!sign) return left;
      const right = this.#signed().value;
      const value = sign === "/"
        ? divide(left.value, right)
        : sign === "mod" || sign === "%"
        ? modulo(left.value, right)
        : multiply(left.value, right);
      left = { value, percent: false };
    }
  }

  #signed(): Term {
    if (this.#take("-")) {
      const { value } = this.#deeper(() => this.#signed());
      return { value: negate(value), percent: false };
    }
    if (this.#take("+")) return this.#deeper(() => this.#signed());
    return this.#power();
  }

  #power(): Term {
    const base = this.#postfix();
    if (!this.#take("^", "**")) return base;
    const exponent = this.#deeper(() => this.#signed()).value;
    return { value: power(base.value, exponent), percent: false };
  }

  #postfix(): Term {
    let value = this.#atom();
    let percent = false;
    while (true) {
      if (this.#take("!!")) value = factorial(value, 2n);
      else if (this.#take("!")) value = factorial(value, 1n);
      else if (this.#take("°")) {
        value = rounded(toNumber(value) * Math.PI / 180);
      } else if (this.#isPercent()) {
        this.#next += 1;
        value = divide(value, fraction(100n));
        percent = true;
        continue;
      } else return { value, percent };
      percent = false;
    }
  }

  /** "7 % 3" is a remainder, "7%" and "7% + 3" are hundredths. */
  #isPercent(): boolean {
    if (this.#token.text !== "%") return false;
    const after = this.#tokens[this.#next + 1]!;
    const operand = after.kind === "number" || after.text === "(" ||
      after.text === "√" ||
      (after.kind === "name" && !["mod", "x", "X"].includes(after.text));
    return !operand;
  }

  #atom(): Value {
    const { kind, text } = this.#token;
    if (kind === "number") {
      this.#next += 1;
      return literal(this.#thousands(text));
    }
    if (kind === "name") {
      this.#next += 1;
      return this.#named(text);
    }
    if (this.#take("(")) {
      const inList = this.#inList;
      this.#inList = false;
      const value = this.#deeper(() => this.#sum());
      this.#expect(")");
      this.#inList = inList;
      return value;
    }
    if (this.#take("√")) {
      const { value } = this.#deeper(() => this.#signed());
      return FUNCTIONS.get("sqrt")!.work([value]);
    }
    throw this.#unexpected();
  }

  /** Joins "1,234,567.8", whose groups touch their commas. */
  #thousands(start: string): string {
    let text = start;
    if (this.#inList || !/^\d{1,3}$/.test(text)) return text;
    while (/^\d+$/.test(text)) {
      const comma = this.#tokens[this.#next]!;
      const group = this.#tokens[this.#next + 1];
      const joined = comma.text === "," && group?.kind === "number" &&
        group.at === comma.at + 1 && /^\d{3}(\.\d*)?$/.test(group.text);
      if (!joined) break;
      text += group.text;
      this.#next += 2;
    }
    return text;
  }

  #named(name: string): Value {
    const key = name.toLowerCase();
    const called = FUNCTIONS.get(key);
    if (!called) {
      const constant = CONSTANTS.get(key);
      if (constant !== undefined) return constant;
      throw new CalculationError(
        `unknown name ${JSON.stringify(name.slice(0, 20))}: known are ${
          [...FUNCTIONS.keys(), ...CONSTANTS.keys()].join(", ")
        }`,
      );
    }
    this.#expect("(");
    const inList = this.#inList;
    this.#inList = true;
    const values: Value[] = [];
    if (!this.#take(")")) {
      do values.push(this.#deeper(() => this.#sum())); while (this.#take(","));
      this.#expect(")");
    }
    this.#inList = inList;
    if (values.length < called.least || values.length > called.most) {
      const most = called.most === Infinity ? "or more" : `to ${called.most}`;
      const count = called.least === called.most
        ? called.least
        : `${called.least} ${most}`;
      throw new CalculationError(`${key} takes ${count} numbers`);
    }
    return called.work(values);
  }
}

/**
 * Works out an expression.
 *
 * @throws {CalculationError} it cannot be read or has no real, finite result
 */
export function calculate(expression: string): Value {
  if (expression.length > MAX_LENGTH) {
    throw new CalculationError(
      `the expression has ${expression.length} characters, more than ${MAX_LENGTH}`,
    );
  }
  const text = plain(expression);
  if (text === "") throw new CalculationError("the expression is empty");
  return new Parser(text).whole();
}
