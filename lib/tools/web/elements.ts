/**
 * Which elements of a page are open, as the HTML standard has it where that
 * decides what can be seen: implied ends, ends out of place, tables and lists.
 *
 * No step looks at more than it takes away, so two megabytes of tags take time
 * in proportion, however they are nested (threat 10).
 *
 * @module
 */

/** Never on the screen, whatever their attributes say. */
const UNSEEN = new Set(
  ("annotation annotation-xml audio canvas datalist iframe noembed noframes " +
    "object script select style svg template title video").split(" "),
);

/** They have no end and nothing inside. */
const VOID = new Set(
  ("area base basefont bgsound br col embed frame hr img input keygen link " +
    "meta param source track wbr").split(" "),
);

/** They begin a line of their own, and end an open paragraph. */
export const BLOCKS = new Set(
  ("address article aside blockquote center dd details dialog dir div dl dt " +
    "fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup " +
    "hr li listing main menu nav ol p plaintext pre search section summary " +
    "table ul xmp").split(" "),
);

/** Ends are not seen through these: an end inside is of something inside. */
const WALLS = new Set(
  "button caption foreignobject marquee object table td template th".split(" "),
);

/** Their end counts even if other elements inside are still open. */
const FORMATTING = new Set(
  "a b big code em font i nobr s small strike strong tt u".split(" "),
);

const TABLE_PARTS = new Set(
  "caption table tbody td tfoot th thead tr".split(" "),
);

/** What a start tag ends, unless one of `within` was opened since. */
interface Implied {
  ends: string[];
  within: string[];
}

const IMPLIED = new Map<string, Implied>(
  Object.entries({
    li: { ends: ["li"], within: ["ol", "ul", "menu", "dir"] },
    dd: { ends: ["dd", "dt"], within: ["dl"] },
    dt: { ends: ["dd", "dt"], within: ["dl"] },
    td: { ends: ["td", "th"], within: ["table", "tr"] },
    th: { ends: ["td", "th"], within: ["table", "tr"] },
    tr: { ends: ["tr"], within: ["table"] },
    tbody: { ends: ["tbody", "tfoot", "thead", "tr"], within: ["table"] },
    tfoot: { ends: ["tbody", "tfoot", "thead", "tr"], within: ["table"] },
    thead: { ends: ["tbody", "tfoot", "thead", "tr"], within: ["table"] },
  }),
);

/** What is known of a name, looked up once per tag. */
interface Kind {
  unseen: boolean;
  void: boolean;
  block: boolean;
  formatting: boolean;
  table: boolean;
  implied: Implied | null;
  /** What an element is looked for as: its name, and its kinds. */
  keys: string[];
}

function kindOf(name: string): Kind {
  const block = BLOCKS.has(name);
  const wall = WALLS.has(name);
  const keys = [name];
  if (wall) keys.push("#wall");
  if (wall || block) keys.push("#block");
  return {
    unseen: UNSEEN.has(name),
    void: VOID.has(name),
    block,
    formatting: FORMATTING.has(name),
    table: TABLE_PARTS.has(name),
    implied: IMPLIED.get(name) ?? null,
    keys,
  };
}

const KNOWN = new Map(
  [...UNSEEN, ...VOID, ...BLOCKS, ...WALLS, ...FORMATTING, ...TABLE_PARTS]
    .map((name) => [name, kindOf(name)]),
);

export interface Element {
  name: string;
  attributes: ReadonlyMap<string, string>;
  /** Whether it was on the screen when it began. */
  seen: boolean;
}

interface Open extends Element {
  /** Whether nothing in it is seen because of itself. */
  hides: boolean;
  /** Ended, but something that began in it is still open. */
  ended: boolean;
  keys: string[];
}

/** Deeper than any page for people; bounds the memory. */
const MAX_DEPTH = 20_000;

/** The open elements, from the outermost. Tells of every end, implied or not. */
export class OpenElements {
  readonly #open: Open[] = [];
  /** Where in `#open` the elements of a name are, and of two kinds. */
  readonly #at = new Map<string, number[]>();
  #hidden = 0;

  constructor(private readonly onEnd: (element: Element) => void) {}

  /** Whether what comes now is not seen. */
  get hidden(): boolean {
    return this.#hidden > 0;
  }

  /** Whether SVG or MathML is being read: `title` and `style` are plain there. */
  get foreign(): boolean {
    return Math.max(this.#last("svg"), this.#last("math")) >
      this.#last("foreignobject");
  }

  /** Whether nothing more can be opened. */
  get full(): boolean {
    return this.#open.length >= MAX_DEPTH;
  }

  /** A start tag. Void elements are over at once. */
  start(
    name: string,
    attributes: ReadonlyMap<string, string>,
    selfClosing = false,
  ): Element {
    const kind = KNOWN.get(name) ?? kindOf(name);
    if (kind.block) {
      // A drawing somebody forgot to end does not swallow the page.
      if (this.foreign) {
        this.#endFrom(Math.max(this.#last("svg"), this.#last("math")));
      }
      this.#endIfWithin("p", this.#last("#wall"));
    }
    if (kind.implied !== null) {
      let within = kind.table ? -1 : this.#last("#wall");
      for (const one of kind.implied.within) {
        within = Math.max(within, this.#last(one));
      }
      for (const one of kind.implied.ends) this.#endIfWithin(one, within);
    }
    if (name === "a") this.end("a");
    const hides = kind.unseen || isHidden(name, attributes);
    const seen = !hides && !this.hidden;
    const { keys } = kind;
    const element: Open = { name, attributes, seen, hides, ended: false, keys };
    if (kind.void || selfClosing) return element;
    for (const key of keys) {
      const at = this.#at.get(key);
      if (at === undefined) this.#at.set(key, [this.#open.length]);
      else at.push(this.#open.length);
    }
    this.#open.push(element);
    if (hides) this.#hidden++;
    return element;
  }

  /** An end tag; one that belongs to nothing is passed over. */
  end(name: string): void {
    const at = this.#last(name);
    if (at < 0) return;
    const kind = KNOWN.get(name) ?? kindOf(name);
    if (kind.table) {
      if (name !== "table" && at < this.#last("table")) return;
    } else if (at < this.#last("#wall")) return;
    if (kind.formatting) return this.#endAlone(at);
    if (!kind.keys.includes("#block") && at < this.#last("#block")) return;
    this.#endFrom(at);
  }

  /** The document is over, and with it what is still open. */
  endAll(): void {
    this.#endFrom(0);
  }

  #endIfWithin(name: string, within: number): void {
    const at = this.#last(name);
    if (at > within) this.#endFrom(at);
  }

  #endFrom(at: number): void {
    while (this.#open.length > at) {
      this.#endAlone(this.#open.length - 1);
    }
  }

  #endAlone(at: number): void {
    const element = this.#open[at]!;
    if (!element.ended) {
      element.ended = true;
      for (const key of element.keys) this.#at.get(key)!.pop();
      if (element.hides) this.#hidden--;
      this.onEnd(element);
    }
    while (this.#open.at(-1)?.ended) this.#open.pop();
  }

  #last(key: string): number {
    return this.#at.get(key)?.at(-1) ?? -1;
  }
}

function isHidden(
  name: string,
  attributes: ReadonlyMap<string, string>,
): boolean {
  if (name === "dialog" && !attributes.has("open")) return true;
  if (attributes.size === 0) return false;
  if (attributes.has("hidden") || attributes.has("popover")) return true;
  if (attributes.get("aria-hidden")?.toLowerCase() === "true") return true;
  return (attributes.get("style") ?? "").split(";").some(conceals);
}

/**
 * Whether a declaration of a style attribute makes its element unseen. Not so
 * "opacity: 0": a script is about to let that appear.
 */
function conceals(declaration: string): boolean {
  const colon = declaration.indexOf(":");
  const property = declaration.slice(0, Math.max(0, colon)).trim();
  const [value = ""] = declaration.slice(colon + 1).toLowerCase().split("!");
  switch (property.toLowerCase()) {
    case "display":
      return value.trim() === "none";
    case "visibility":
    case "content-visibility":
      return ["hidden", "collapse"].includes(value.trim());
    case "font-size":
      return parseFloat(value) === 0;
    default:
      return false;
  }
}
