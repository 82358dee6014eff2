/**
 * Markdown into tokens: `marked`'s Lexer, with two limits it lacks (threat 10,
 * case X11) and one rule of CommonMark bent for Chinese, Japanese and Korean.
 *
 * @module
 */
import { Lexer, type Token, Tokenizer, type Tokens } from "marked";

export type { Token, Tokens };

/** Deeper lists and quotes are read as text: no person writes them. */
const DEEPEST = 16;
/**
 * Longer paragraphs, headings and cells get no emphasis and no links, because
 * the search for closing marks is quadratic at its worst. UTF-16 units.
 */
const LONGEST_INLINE = 16_000;

class BoundedLexer extends Lexer {
  override inline(src: string, tokens: Token[] = []): Token[] {
    if (src.length <= LONGEST_INLINE) return super.inline(src, tokens);
    tokens.push({ type: "text", raw: src, text: src, escaped: false });
    return tokens;
  }
}

class BoundedTokenizer extends Tokenizer {
  #depth = 0;

  override list(src: string): Tokens.List | undefined {
    return this.#nested(() => super.list(src));
  }

  override blockquote(src: string): Tokens.Blockquote | undefined {
    return this.#nested(() => super.blockquote(src));
  }

  #nested<T>(read: () => T): T | undefined {
    if (this.#depth >= DEEPEST) return undefined;
    this.#depth++;
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }
}

type Rules = Tokenizer["rules"];

/** Full-width punctuation, and the dashes and quotes Chinese shares with us. */
const CJK = "\\u2014\\u2018-\\u201d\\u2026\\u3001-\\u303f\\uff00-\\uffef";

/**
 * CommonMark takes `**“你好”**吗` for unfinished, because a closing mark after
 * punctuation must be followed by a space or more punctuation, and Chinese has
 * no spaces. For `*` alone, full-width punctuation counts as a letter.
 */
function withCjkLetters({ inline, ...rest }: Rules): Rules {
  const letters = ({ source, flags }: RegExp) =>
    new RegExp(
      source
        .replaceAll("[^\\s\\p{P}\\p{S}]", `(?:[^\\s\\p{P}\\p{S}]|[${CJK}])`)
        .replaceAll(
          /\[(\\s)?\\p\{P\}\\p\{S\}\]/g,
          `(?![${CJK}])[$1\\p{P}\\p{S}]`,
        ),
      flags,
    );
  return {
    ...rest,
    inline: {
      ...inline,
      emStrongLDelim: letters(inline.emStrongLDelim),
      emStrongRDelimAst: letters(inline.emStrongRDelimAst),
    },
  };
}

let rules: Rules | null = null;

/** Link definitions seen so far: `[name]: address`. */
export type Definitions = Lexer["tokens"]["links"];

/**
 * Lexes `text`; never throws. What cannot be read is one block of plain text.
 *
 * @param definitions Known from earlier text; those of `text` are added to it.
 */
export function lex(text: string, definitions: Definitions): Token[] {
  try {
    const tokenizer = new BoundedTokenizer();
    const lexer = new BoundedLexer({ gfm: true, breaks: true, tokenizer });
    // The lexer gives its tokenizer the rules; they are the same every time.
    tokenizer.rules = rules ??= withCjkLetters(tokenizer.rules);
    lexer.tokens.links = definitions;
    return lexer.lex(text);
  } catch {
    return [{ type: "html", raw: text, text, block: true, pre: false }];
  }
}
