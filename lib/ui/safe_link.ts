/**
 * Which addresses a text nobody vouches for may lead to (FR10; X04, X05).
 *
 * @module
 */

const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/** An address that may be clicked, and the host it really leads to. */
export interface SafeLink {
  href: string;
  /** The host, or the mail address. */
  where: string;
}

/**
 * Null for everything but absolute http, https and mailto addresses; relative
 * ones too, since a model knows nothing of our own pages. The parser decides,
 * not a pattern: it sees through tabs, capitals and control characters.
 */
export function safeLink(address: string): SafeLink | null {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (!ALLOWED.has(url.protocol)) return null;
  return {
    href: url.href,
    where: url.protocol === "mailto:" ? url.pathname : url.host,
  };
}

const NAMED: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "©",
  hellip: "…",
  mdash: "—",
  ndash: "–",
  times: "×",
  rarr: "→",
  larr: "←",
  deg: "°",
};

const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,6}));/g;

/** Character references as Markdown allows them; unknown ones stay as typed. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(ENTITY, (whole, decimal, hex, name) => {
    if (name !== undefined) {
      return Object.hasOwn(NAMED, name) ? NAMED[name]! : whole;
    }
    const code = decimal ? Number(decimal) : parseInt(hex, 16);
    const valid = code > 0 && code <= 0x10ffff &&
      (code < 0xd800 || code > 0xdfff);
    return valid ? String.fromCodePoint(code) : "\ufffd";
  });
}
