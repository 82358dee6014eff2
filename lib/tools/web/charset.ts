/**
 * What a page says of its own letters, before they can be read.
 *
 * @module
 */
import { Tokenizer, type TokenizerCallbacks } from "htmlparser2";

/** The label in `<meta charset>`, `<meta http-equiv>` or `<?xml encoding?>`. */
export function declaredCharset(start: string): string | null {
  const finder = new CharsetFinder(start);
  new Tokenizer({ decodeEntities: true }, finder).write(start);
  return finder.found;
}

class CharsetFinder implements TokenizerCallbacks {
  found: string | null = null;
  #meta = false;
  #name = "";
  #values = new Map<string, string>();

  constructor(private readonly text: string) {}

  onopentagname(start: number, end: number): void {
    this.#meta = this.text.slice(start, end).toLowerCase() === "meta";
    this.#values.clear();
  }

  onattribname(start: number, end: number): void {
    this.#name = this.text.slice(start, end).toLowerCase();
    if (this.#meta) this.#values.set(this.#name, "");
  }

  onattribdata(start: number, end: number): void {
    if (!this.#meta) return;
    const before = this.#values.get(this.#name) ?? "";
    this.#values.set(this.#name, before + this.text.slice(start, end));
  }

  onopentagend(): void {
    if (!this.#meta) return;
    const of = this.#values;
    const typed = of.get("http-equiv")?.toLowerCase() === "content-type";
    this.found ??= of.get("charset") ??
      (typed ? labelIn(of.get("content") ?? "") : null);
  }

  onselfclosingtag(): void {
    this.onopentagend();
  }

  /** The tokenizer of HTML takes `<?xml …?>` for a comment. */
  oncomment(start: number, end: number): void {
    const text = this.text.slice(start, end);
    if (start <= 2 && text.startsWith("?xml")) this.found ??= labelIn(text);
  }

  onattribentity(): void {}
  onattribend(): void {}
  oncdata(): void {}
  onclosetag(): void {}
  ondeclaration(): void {}
  onend(): void {}
  onprocessinginstruction(): void {}
  ontext(): void {}
  ontextentity(): void {}
}

/** After `charset=` or `encoding=`, with or without quotation marks. */
function labelIn(text: string): string | null {
  const found = /(?:charset|encoding)\s*=\s*["']?([\w:.-]{1,40})/i.exec(text);
  return found?.[1] ?? null;
}
