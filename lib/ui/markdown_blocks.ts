/**
 * Growing Markdown, block by block: finished blocks are lexed once and never
 * touched again, only the last one is read anew while it is typed.
 *
 * @module
 */
import { type Definitions, lex, type Token } from "./markdown_lexer.ts";
import { withMarksClosed, withoutLooseMarks } from "./markdown_tail.ts";

/** One block of the document. Equal `raw` and `epoch` means equal drawing. */
export interface Block {
  raw: string;
  token: Token;
  /** Grows when a link definition arrives: it may change any block's links. */
  epoch: number;
}

/**
 * Blocks drawn together. A page of finished blocks is the same array every time,
 * so that what a screen looks at does not grow with the document.
 */
export type Page = readonly Block[];

export const PAGE_BLOCKS = 32;

export interface MarkdownBlocks {
  /**
   * The blocks of `text`, which continues the text of the call before.
   *
   * @param done Nothing follows: everything is lexed once more as a whole, so
   * that the streamed result is that of a single reading.
   */
  read(text: string, done: boolean): Page[];
}

/**
 * A line that may still turn out to belong to the list before it: `2` becomes
 * `2.`, `-` becomes a bullet. Until then nothing before it is final.
 */
const MAYBE_ITEM = /^(?:\d[^\n]*|[*+-][^\n]*)$/;

export function createMarkdownBlocks(): MarkdownBlocks {
  let finished: Block[] = [];
  let fullPages: Page[] = [];
  /** UTF-16 units of the text that are finished, and the last of them. */
  let length = 0;
  let last = "";
  let definitions: Definitions = {};
  let ended: { text: string; pages: Page[] } | null = null;

  function reset() {
    finished = [];
    fullPages = [];
    length = 0;
    last = "";
    definitions = {};
    ended = null;
  }

  function blocksOf(text: string): Block[] {
    const before = Object.keys(definitions).length;
    const tokens = lex(text, definitions);
    const epoch = Object.keys(definitions).length;
    if (epoch !== before) {
      finished = finished.map((block) => ({ ...block, epoch }));
      fullPages = [];
    }
    return tokens.map((token) => ({ raw: token.raw, token, epoch }));
  }

  /** The open blocks as they are drawn while the last one is being typed. */
  function typed(blocks: Block[]): Block[] {
    const last = blocks.at(-1);
    if (last === undefined) return blocks;
    const raw = withMarksClosed(last.raw, last.token);
    if (raw === last.raw) return blocks;
    const [token, ...more] = lex(raw, definitions);
    if (token?.type !== last.token.type || more.length > 0) return blocks;
    return [...blocks.slice(0, -1), { ...last, raw, token }];
  }

  function finish(blocks: Block[]) {
    for (const block of blocks) {
      length += block.raw.length;
      last = block.raw;
      if (isDrawn(block)) finished.push(block);
    }
    const full = Math.floor(finished.length / PAGE_BLOCKS);
    for (let page = fullPages.length; page < full; page++) {
      const from = page * PAGE_BLOCKS;
      fullPages.push(finished.slice(from, from + PAGE_BLOCKS));
    }
  }

  return {
    read(text, done) {
      if (done) {
        if (ended?.text !== text) {
          reset();
          ended = { text, pages: paged(blocksOf(text).filter(isDrawn)) };
        }
        return ended.pages;
      }
      if (ended !== null || !text.startsWith(last, length - last.length)) {
        reset();
      }
      const tail = blocksOf(withoutLooseMarks(text.slice(length)));
      const open = firstOpen(tail);
      finish(tail.slice(0, open));
      const rest = finished.slice(fullPages.length * PAGE_BLOCKS);
      return [
        ...fullPages,
        ...paged([...rest, ...typed(tail.slice(open)).filter(isDrawn)]),
      ];
    },
  };
}

/** The index of the first block that may still change. */
function firstOpen(blocks: Block[]): number {
  const isText = ({ token }: Block) => token.type !== "space";
  const last = blocks.findLastIndex(isText);
  if (last <= 0) return 0;
  return MAYBE_ITEM.test(blocks[last]!.raw)
    ? Math.max(0, blocks.slice(0, last).findLastIndex(isText))
    : last;
}

function isDrawn({ token }: Block): boolean {
  return token.type !== "space" && token.type !== "def";
}

function paged(blocks: Block[]): Page[] {
  const pages: Page[] = [];
  for (let from = 0; from < blocks.length; from += PAGE_BLOCKS) {
    pages.push(blocks.slice(from, from + PAGE_BLOCKS));
  }
  return pages;
}
