/**
 * Writes what stands on a page as plain text in the manner of Markdown, as models
 * read it best: headings, lists, quotes, code, tables by lines, links with their
 * address. Marks are written when the first letter after them is: an empty
 * heading leaves nothing.
 *
 * @module
 */

/** Most UTF-16 units written. */
export const MAX_TEXT = 200_000;
/** Lists and quotes deeper than this are not moved in further. */
const MAX_INDENT = 6;
/** Most links whose address is written, and the longest such address. */
const MAX_LINKS = 5_000;
const MAX_LINK = 500;

/** A quote or an item of a list, around what is written. */
interface Container {
  /** Before the first line in it. */
  marker: string;
  /** Before the other lines in it. */
  line: string;
  written: boolean;
}

export class MarkdownWriter {
  readonly #out: string[] = [];
  #length = 0;
  /** Nothing stands in the line yet; before it, line ends are owed. */
  #fresh = true;
  #owed = 0;
  #space = false;
  /** The level of the heading that is about to begin, or 0. */
  #heading = 0;
  readonly #around: Container[] = [];

  /** The open link; its address once a letter of it is written. */
  #link: { address: () => string | null; written: string | null } | null = null;
  #links = 0;

  /** How many `pre` are open, and whether their fence is written. */
  #verbatim = 0;
  #fenced = false;

  /** Sides of cells owed before the next letter. */
  #sides = 0;
  #cell: "none" | "empty" | "begun" = "none";
  #rowBegun = false;

  /** Whether it takes no more. */
  get full(): boolean {
    return this.#length >= MAX_TEXT;
  }

  /** How much was written: a place for {@linkcode slice}. */
  get mark(): number {
    return this.#out.length;
  }

  /** The text between two marks. */
  slice(from: number, to?: number): string {
    return this.#out.slice(from, to).join("").trim();
  }

  /** Text of the page; blanks and line ends together count as one space. */
  text(text: string): void {
    if (this.#verbatim > 0) return this.#code(text);
    let from = 0;
    while (from < text.length && !this.full) {
      let to = from;
      while (to < text.length && !isBlank(text.charCodeAt(to))) to++;
      if (to > from) this.#word(text.slice(from, to));
      if (to < text.length) this.#space = true;
      from = to + 1;
    }
  }

  /** What comes next begins a line, after an empty one if `lines` is 2. */
  line(lines: 1 | 2): void {
    // `<td><p>` is the rule in many editors; the row goes on in its line.
    if (this.#cell === "empty") return;
    this.#endLinkText();
    this.#space = false;
    this.#heading = 0;
    if (this.#out.length === 0) return;
    this.#owed = Math.max(this.#owed, lines);
    this.#fresh = true;
  }

  rule(): void {
    this.line(2);
    this.#word("---");
    this.line(2);
  }

  heading(level: number): void {
    this.line(2);
    this.#heading = level;
  }

  /** Opens a quote, or an item of a list with its marker. */
  enter(container: { quote: true } | { item: string }): void {
    const quote = "quote" in container;
    const marker = quote ? "> " : container.item;
    this.#leaveCell();
    this.line(quote ? 2 : 1);
    this.#around.push({
      marker,
      line: quote ? marker : " ".repeat(marker.length),
      written: false,
    });
  }

  leave(lines: 1 | 2): void {
    this.line(lines);
    this.#around.pop();
  }

  row(): void {
    this.#leaveCell();
    this.line(1);
    this.#sides = -1; // There is none before the first cell.
    this.#rowBegun = false;
  }

  cell(): void {
    this.#endLinkText();
    this.#space = false;
    this.#sides++;
    if (this.#rowBegun) {
      this.#fresh = false;
      this.#owed = 0;
    }
    this.#cell = "empty";
  }

  /** The table is over: lines are lines again. */
  endTable(): void {
    this.#leaveCell();
    this.#sides = 0;
    this.line(2);
  }

  #leaveCell(): void {
    this.#cell = "none";
  }

  /** Text is code from here on, with its line ends. */
  beginVerbatim(): void {
    if (this.#verbatim++ > 0) return;
    this.#leaveCell();
    this.line(2);
    this.#fenced = false;
  }

  endVerbatim(): void {
    if (--this.#verbatim > 0) return;
    if (this.#fenced) {
      this.line(1);
      this.#word("```");
    }
    this.line(2);
  }

  /** What comes next, up to the end of the line at most, is a link. */
  beginLink(address: () => string | null): void {
    this.endLink();
    if (this.#verbatim === 0) this.#link = { address, written: null };
  }

  endLink(): void {
    this.#endLinkText();
    this.#link = null;
  }

  /** A link around several lines is written around the first that has text. */
  #endLinkText(): void {
    const address = this.#link?.written ?? null;
    if (address === null) return;
    this.#put(`](${address})`);
    this.#link = null;
  }

  #code(text: string): void {
    if (!this.#fenced) {
      if (text.trim() === "") return;
      this.#fenced = true;
      this.#word("```");
      this.line(1);
      if (text.startsWith("\n")) text = text.slice(1);
    }
    let from = 0;
    while (!this.full) {
      const end = text.indexOf("\n", from);
      const line = text.slice(from, end < 0 ? undefined : end);
      if (line !== "") this.#word(line);
      if (end < 0) return;
      this.#owed = this.#fresh ? this.#owed + 1 : 1;
      this.#fresh = true;
      from = end + 1;
    }
  }

  #word(word: string): void {
    if (this.full) return;
    const begins = this.#fresh;
    if (begins) this.#beginLine();
    if (this.#sides > 0) {
      const sides = "| ".repeat(Math.min(this.#sides, 100));
      this.#put(begins ? sides : ` ${sides}`);
    } else if (this.#space && !begins) this.#put(" ");
    this.#sides = 0;
    this.#rowBegun = true;
    if (this.#cell === "empty") this.#cell = "begun";
    this.#space = false;
    this.#heading = 0;
    this.#beginLinkText();
    this.#put(word);
  }

  #beginLine(): void {
    this.#put("\n".repeat(this.#owed));
    this.#owed = 0;
    this.#fresh = false;
    for (const one of this.#around.slice(0, MAX_INDENT)) {
      this.#put(one.written ? one.line : one.marker);
      one.written = true;
    }
    if (this.#heading > 0) this.#put("#".repeat(this.#heading) + " ");
  }

  #beginLinkText(): void {
    const link = this.#link;
    if (link === null || link.written !== null) return;
    const address = this.#links++ < MAX_LINKS ? link.address() : null;
    if (address === null || address.length > MAX_LINK) this.#link = null;
    else {
      link.written = address;
      this.#put("[");
    }
  }

  #put(text: string): void {
    if (text === "") return;
    const fits = text.slice(0, MAX_TEXT - this.#length);
    this.#out.push(fits);
    this.#length += fits.length;
  }
}

/** Space, tab, line ends, and the no-break space, which models need not see. */
function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0;
}
