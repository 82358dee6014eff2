/**
 * Reads single settings and collects what is wrong with them.
 *
 * @module
 */
import { scrub } from "./scrub.ts";

/** The settings are wrong; the message lists every one of them. */
export class ConfigError extends Error {
  override name = "ConfigError";
  constructor(
    /** One sentence per wrong setting. */
    readonly problems: readonly string[],
  ) {
    const count = problems.length === 1
      ? "1 setting is wrong"
      : `${problems.length} settings are wrong`;
    super(`${count}:\n${problems.map((text) => `  - ${text}`).join("\n")}`);
  }
}

type AboutUrl = { url: URL; problem: null } | { url: null; problem: string };

/** The http(s) URL in `text`, or what is wrong with it. */
export function aboutUrl(text: string): AboutUrl {
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) {
    return {
      url: null,
      problem: "must be a URL that starts with http:// or https://",
    };
  }
  if (url.username !== "" || url.password !== "") {
    return {
      url: null,
      problem: "must not carry a user name or password",
    };
  }
  return { url, problem: null };
}

/** Whether it is like postgres://user:password@host:5432/database. */
export function isPostgresUrl(text: string): boolean {
  // Several hosts may stand there with commas between them, unlike in a URL.
  const one = text.replace(/,[^/?#@]*(?=[/?#]|$)/, "");
  return /^postgres(ql)?:\/\/./i.test(text) && URL.canParse(one);
}

/** Steps of one character from `a` to `b`. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      ));
    }
    row = next;
  }
  return row[b.length]!;
}

const SHOWN = 80;

export class Reader {
  #problems: string[] = [];
  #warnings: string[] = [];

  constructor(private readonly env: Record<string, string | undefined>) {}

  /** The trimmed value; undefined if not set or empty. */
  text(name: string): string | undefined {
    const value = this.env[name]?.trim();
    if (value === undefined || value === "") return undefined;
    if (value.includes("\0")) {
      this.wrongSecret(name, "contains a NUL character");
      return undefined;
    }
    return value;
  }

  has(name: string): boolean {
    return this.text(name) !== undefined;
  }

  /** One of a few words; null if not set. */
  choice<T extends string>(name: string, allowed: readonly T[]): T | null {
    const text = this.text(name);
    if (text === undefined) return null;
    const found = allowed.find((word) => word === text);
    if (found !== undefined) return found;
    const words = allowed.map((word) => `"${word}"`);
    const last = words.pop();
    this.wrong(name, `must be ${words.join(", ")} or ${last}`, allowed[0]!);
    return null;
  }

  /** Notes a wrong setting together with its value. */
  wrong(name: string, rule: string, example: string): void {
    const value = this.env[name]?.trim() ?? "";
    if (this.#mayBeSecret(value)) return this.wrongSecret(name, rule, example);
    const given = value === ""
      ? `${name} is not set`
      : `${name}=${JSON.stringify(value.slice(0, SHOWN))}`;
    this.#problems.push(`${given}: ${rule}, for example ${name}=${example}`);
  }

  /** A key pasted into the wrong variable, a URL with a password. */
  #mayBeSecret(value: string): boolean {
    const key = this.env.OPENAI_API_KEY?.trim();
    return value.includes("@") || scrub(value) !== value ||
      (key !== undefined && key !== "" && value.includes(key));
  }

  /** Notes a wrong setting whose value must not be repeated. */
  wrongSecret(name: string, rule: string, example?: string): void {
    const tail = example === undefined
      ? ""
      : `, for example ${name}=${example}`;
    this.#problems.push(`${name} (value not shown): ${rule}${tail}`);
  }

  warn(sentence: string): void {
    this.#warnings.push(sentence);
  }

  /** Warns of names with this prefix that nobody reads: typing errors. */
  unknown(prefix: string, known: readonly string[]): void {
    for (const name of Object.keys(this.env).sort()) {
      if (!name.startsWith(prefix) || known.includes(name)) continue;
      const nearest = known
        .map((other) => ({ other, far: distance(name, other) }))
        .sort((a, b) => a.far - b.far)[0];
      const hint = nearest !== undefined && nearest.far <= 4
        ? ` Did you mean ${nearest.other}?`
        : ` Known are ${known.join(", ")}.`;
      this.warn(
        `${JSON.stringify(name.slice(0, SHOWN)).slice(1, -1)} is not a ` +
          `setting of Tickertape and is ignored.${hint}`,
      );
    }
  }

  /** @returns the warnings. @throws {ConfigError} if anything was wrong. */
  finish(): string[] {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
    return this.#warnings;
  }
}
