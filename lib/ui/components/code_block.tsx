import { useText } from "../words.ts";
import { CopyButton } from "./copy_button.tsx";

/**
 * Lines per text node. An open block grows with every frame, and the browser
 * lays a changed text node out as a whole; finished chunks stay untouched.
 */
const CHUNK_LINES = 40;

export interface CodeBlockProps {
  text: string;
  /** The word after the fence. */
  language: string;
}

/** Code with its language and a button that copies it. */
export function CodeBlock({ text, language }: CodeBlockProps) {
  const words = useText();
  const name = language.split(/\s/, 1)[0]!.slice(0, 30);
  return (
    <figure class="code">
      <figcaption>
        <span>{name || words.code}</span>
        <CopyButton label={words.copyCode} text={() => text} />
      </figcaption>
      <pre
        tabIndex={0}
      ><code>{chunks(text).map((lines, at) => <span key={at}>{lines}</span>)}</code></pre>
    </figure>
  );
}

function chunks(text: string): string[] {
  const found: string[] = [];
  let from = 0;
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    if (++lines % CHUNK_LINES > 0) continue;
    found.push(text.slice(from, at + 1));
    from = at + 1;
  }
  found.push(text.slice(from));
  return found;
}
