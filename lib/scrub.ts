/**
 * Takes secrets out of text before it is written anywhere. By value first (what
 * the start registered), by shape second (what a provider quotes back at us).
 *
 * @module
 */

const MARK = "[redacted]";

/** Below this many characters a value is a placeholder ("none", "ollama"). */
const SHORTEST = 8;
/** From this length on, parts of a secret count as the secret (P02). */
const LONG = 16;
/** The longest part that may be shown is one less (P02: not above 4). */
const PART = 5;

/** Every registered secret, with how often it was registered. */
const secrets = new Map<string, number>();
let exact: string[] = [];
let parts = new Set<string>();

function rebuild(): void {
  const forms = new Set<string>();
  parts = new Set();
  for (const secret of secrets.keys()) {
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(new TextEncoder().encode(secret).toBase64());
    if (secret.length < LONG) continue;
    for (let i = 0; i + PART <= secret.length; i++) {
      parts.add(secret.slice(i, i + PART));
    }
  }
  // The longest first: one secret may begin with another.
  exact = [...forms].sort((a, b) => b.length - a.length);
}

/**
 * Registers a secret: {@linkcode scrub} replaces it from now on, as it is,
 * URL-encoded, JSON-escaped or in base64, and, if it has 16 characters or more,
 * any part of it longer than 4. Shorter than 8 characters it is ignored.
 *
 * @returns a function that forgets it again.
 */
export function redact(secret: string): () => void {
  if (secret.length < SHORTEST) return () => {};
  const value = secret.toWellFormed();
  secrets.set(value, (secrets.get(value) ?? 0) + 1);
  rebuild();
  let done = false;
  return () => {
    if (done) return;
    done = true;
    const left = (secrets.get(value) ?? 1) - 1;
    if (left > 0) secrets.set(value, left);
    else secrets.delete(value);
    rebuild();
  };
}

/** What looks like a credential, whoever it belongs to. */
const SHAPES: [RegExp, string][] = [
  [/\b(Bearer|Basic)\s+[^\s"'<>,;]{4,}/gi, `$1 ${MARK}`],
  [/\bsk-[\w*.-]{4,}/g, MARK],
  // Our own tokens for programs.
  [/\btt_[0-9A-Za-z]{20,}/g, MARK],
  [/\b((?:set-)?cookie)\s*:[^\r\n]*/gi, `$1: ${MARK}`],
  [
    /\b(authorization|x-api-key|api[-_]?key|password|passwd)(["']?\s*[:=]\s*["']?)(?!Bearer |Basic )[^\s"'<>&,;]{4,}/gi,
    `$1$2${MARK}`,
  ],
  [/\b((?:access|refresh|id)_token|client_secret)=[^\s"'<>&]+/gi, `$1=${MARK}`],
  // User info in a URL, as in postgres://user:password@host.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s\/@"'<>]{1,256}@/gi, `$1${MARK}@`],
];

function withoutParts(text: string): string {
  let out = "";
  let kept = 0;
  for (let i = 0; i + PART <= text.length; i++) {
    if (!parts.has(text.slice(i, i + PART))) continue;
    let end = i + PART;
    while (parts.has(text.slice(end - PART + 1, end + 1))) end++;
    out += text.slice(kept, i) + MARK;
    kept = end;
    i = end - 1;
  }
  return out + text.slice(kept);
}

/** The text without registered secrets and without anything shaped like one. */
export function scrub(text: string): string {
  let out = text;
  for (const form of exact) out = out.replaceAll(form, MARK);
  if (parts.size > 0) out = withoutParts(out);
  for (const [shape, replacement] of SHAPES) {
    out = out.replace(shape, replacement);
  }
  return out;
}
