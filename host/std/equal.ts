/**
 * Deep equality by the rules the standard library's assertions use, so that a
 * test means the same on both hosts. `node:assert` differs where it hurts: it
 * tells a row of `node:sqlite` (no prototype) from a plain object.
 *
 * @module
 */

const TypedArray = Object.getPrototypeOf(Uint8Array);

/** These say all they hold when printed. */
const PRINTABLE: (abstract new (...args: never[]) => unknown)[] = [
  RegExp,
  URL,
  URLSearchParams,
  Intl.Locale,
];

/** Same value; `0` equals `-0`, `NaN` equals `NaN`. */
function same(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function samePrototype(a: object, b: object): boolean {
  const pa = Object.getPrototypeOf(a) ?? Object.prototype;
  const pb = Object.getPrototypeOf(b) ?? Object.prototype;
  return pa === pb;
}

/**
 * True when two values are deeply equal. Objects without a prototype equal
 * plain ones; an own `undefined` differs from a missing key; functions are
 * equal only to themselves.
 */
export function equal(left: unknown, right: unknown): boolean {
  const seen = new Map<object, object>();
  return compare(left, right);

  function compare(a: unknown, b: unknown): boolean {
    if (same(a, b)) return true;
    if (!isObject(a) || !isObject(b)) return false;
    if (a instanceof Date && b instanceof Date) {
      return Object.is(a.getTime(), b.getTime());
    }
    if (!samePrototype(a, b)) return false;
    if (a instanceof TypedArray) return bytesEqual(a, b);
    if (a instanceof ArrayBuffer) {
      return bytesEqual(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
    }
    if (seen.get(a) === b) return true;
    seen.set(a, b);
    if (a instanceof Map) return entriesEqual(a, b as Map<unknown, unknown>);
    if (a instanceof Set) {
      return entriesEqual(a, b as Set<unknown>);
    }
    if (PRINTABLE.some((type) => a instanceof type)) {
      return String(a) === String(b);
    }
    return fieldsEqual(a, b);
  }

  function fieldsEqual(a: object, b: object): boolean {
    const keys = Reflect.ownKeys(a);
    if (keys.length !== Reflect.ownKeys(b).length) return false;
    return keys.every((key) =>
      Object.hasOwn(b, key) &&
      compare(a[key as keyof typeof a], b[key as keyof typeof b])
    );
  }

  /** Maps and sets: the same entries in any order. */
  function entriesEqual(
    a: Map<unknown, unknown> | Set<unknown>,
    b: Map<unknown, unknown> | Set<unknown>,
  ): boolean {
    if (a.size !== b.size) return false;
    const rest = [...b.entries()];
    for (const entry of a.entries()) {
      const at = rest.findIndex((other) =>
        compare(entry[0], other[0]) && compare(entry[1], other[1])
      );
      if (at < 0) return false;
      rest.splice(at, 1);
    }
    return true;
  }
}

function bytesEqual(a: object, b: object): boolean {
  const left = a as Uint8Array, right = b as Uint8Array;
  return left.length === right.length &&
    left.every((value, at) => same(value, right[at]));
}
