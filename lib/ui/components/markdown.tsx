import { Component, type ComponentChildren, h } from "preact";
import { useMemo } from "preact/hooks";
import {
  type Block,
  createMarkdownBlocks,
  type Page,
} from "../markdown_blocks.ts";
import type { Token, Tokens } from "../markdown_lexer.ts";
import { decodeEntities, safeLink } from "../safe_link.ts";
import { useText } from "../words.ts";
import { CodeBlock } from "./code_block.tsx";

export interface MarkdownProps {
  /** May grow from one drawing to the next. */
  text: string;
  /** Nothing follows. */
  done: boolean;
}

/**
 * Markdown as Preact nodes, by an allow-list: what is not listed here is text.
 * There is no HTML string anywhere, so there is nothing to sanitise.
 */
export function Markdown({ text, done }: MarkdownProps) {
  const blocks = useMemo(createMarkdownBlocks, []);
  return (
    <>
      {blocks.read(text, done).map((page, at) => (
        <MarkdownPage key={at} page={page} />
      ))}
    </>
  );
}

/** Looked at again only while it fills. */
class MarkdownPage extends Component<{ page: Page }> {
  override shouldComponentUpdate({ page }: { page: Page }) {
    return page !== this.props.page;
  }

  override render({ page }: { page: Page }) {
    return page.map((block, at) => <MarkdownBlock key={at} block={block} />);
  }
}

/** Drawn again only when its text, or a link definition, has changed. */
class MarkdownBlock extends Component<{ block: Block }> {
  override shouldComponentUpdate({ block }: { block: Block }) {
    const mine = this.props.block;
    return block.raw !== mine.raw || block.epoch !== mine.epoch;
  }

  override render({ block }: { block: Block }) {
    return drawBlock(block.token, 0);
  }
}

/** Deeper than any list or quote the lexer lets through. */
const DEEPEST = 60;

function drawBlock(token: Token, depth: number): ComponentChildren {
  if (depth > DEEPEST) return token.raw;
  switch (token.type) {
    case "heading":
      // The page's own title is the first heading; answers begin at the second.
      return h(
        `h${Math.min((token as Tokens.Heading).depth + 1, 6)}`,
        null,
        drawInlines(token.tokens, depth),
      );
    case "paragraph":
      return <p>{drawInlines(token.tokens, depth)}</p>;
    case "text":
      return token.tokens === undefined
        ? decodeEntities((token as Tokens.Text).text)
        : drawInlines(token.tokens, depth);
    case "code":
      return (
        <CodeBlock
          text={(token as Tokens.Code).text}
          language={(token as Tokens.Code).lang ?? ""}
        />
      );
    case "blockquote":
      return <blockquote>{drawBlocks(token.tokens, depth)}</blockquote>;
    case "list":
      return drawList(token as Tokens.List, depth);
    case "table":
      return <Table token={token as Tokens.Table} depth={depth} />;
    case "hr":
      return <hr />;
    case "space":
    case "def":
      return null;
    case "html":
      return <p class="raw">{token.raw}</p>;
    default:
      return drawInline(token, depth);
  }
}

function drawBlocks(
  tokens: Token[] | undefined,
  depth: number,
): ComponentChildren {
  return tokens?.map((token) => drawBlock(token, depth + 1));
}

function drawList(token: Tokens.List, depth: number) {
  const items = token.items.map((item) => (
    <li class={item.task ? "task" : undefined}>
      {drawBlocks(item.tokens, depth)}
    </li>
  ));
  return token.ordered
    ? (
      <ol start={token.start === 1 ? undefined : Number(token.start)}>
        {items}
      </ol>
    )
    : <ul>{items}</ul>;
}

function Table({ token, depth }: { token: Tokens.Table; depth: number }) {
  const text = useText();
  const align = (cell: Tokens.TableCell) =>
    cell.align ? `align-${cell.align}` : undefined;
  return (
    <div class="table" role="region" aria-label={text.table} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {token.header.map((cell) => (
              <th class={align(cell)}>{drawInlines(cell.tokens, depth)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row) => (
            <tr>
              {row.map((cell) => (
                <td class={align(cell)}>{drawInlines(cell.tokens, depth)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function drawInlines(
  tokens: Token[] | undefined,
  depth: number,
): ComponentChildren {
  return tokens?.map((token) => drawInline(token, depth + 1));
}

/** The one tag models write in tables for want of anything better. */
const BREAK = /^<br\s*\/?>$/i;

function drawInline(token: Token, depth: number): ComponentChildren {
  if (depth > DEEPEST) return token.raw;
  switch (token.type) {
    case "strong":
      return <strong>{drawInlines(token.tokens, depth)}</strong>;
    case "em":
      return <em>{drawInlines(token.tokens, depth)}</em>;
    case "del":
      return <del>{drawInlines(token.tokens, depth)}</del>;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link":
      return (
        <Link href={(token as Tokens.Link).href}>
          {drawInlines(token.tokens, depth)}
        </Link>
      );
    case "image":
      return <Image token={token as Tokens.Image} />;
    case "checkbox":
      return (
        <span class="check" role="img">
          {(token as Tokens.Checkbox).checked ? "☑" : "☐"}
        </span>
      );
    case "text":
      return token.tokens === undefined
        ? decodeEntities((token as Tokens.Text).text)
        : drawInlines(token.tokens, depth);
    case "escape":
      return (token as Tokens.Escape).text;
    case "html":
      return BREAK.test(token.raw) ? <br /> : token.raw;
    case "paragraph":
    case "list":
    case "blockquote":
    case "code":
    case "table":
      return drawBlock(token, depth);
    default:
      return token.raw;
  }
}

/** A link that says where it leads before it is clicked; else its text. */
function Link(
  { href, children }: { href: string; children?: ComponentChildren },
) {
  const link = safeLink(decodeEntities(href));
  if (link === null) return <>{children}</>;
  return (
    <a
      href={link.href}
      title={link.where}
      target="_blank"
      rel="noopener noreferrer nofollow"
    >
      {children}
    </a>
  );
}

/** Never loaded (threat 12): named, with its address to be clicked. */
function Image({ token }: { token: Tokens.Image }) {
  const text = useText();
  const link = safeLink(decodeEntities(token.href));
  if (link === null) return <>{token.raw}</>;
  return (
    <Link href={token.href}>
      <span class="picture">{token.text || text.image(link.where)}</span>
    </Link>
  );
}
