/** Markdown while it is typed: half of a mark never shows. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { renderToString } from "preact-render-to-string";
import { Markdown } from "../../lib/ui/components/markdown.tsx";
import { createMarkdownBlocks } from "../../lib/ui/markdown_blocks.ts";
import { lex } from "../../lib/ui/markdown_lexer.ts";
import {
  withMarksClosed,
  withoutLooseMarks,
} from "../../lib/ui/markdown_tail.ts";
import { en } from "../../lib/ui/messages_en.ts";
import { Speaking } from "../../lib/ui/words.ts";

const draw = (text: string, done: boolean) =>
  renderToString(
    <Speaking value={{ lang: "en", words: en }}>
      <Markdown text={text} done={done} />
    </Speaking>,
  );
const words = (html: string) => html.replace(/<[^>]*>/g, "").replace(/\s/g, "");

const SAMPLE = `# What *to* do

下一班：**08:17** K3路（往软件园），还有 **3 分钟**发车。他说**“好”**，走。

- **查公交**：下一班、*怎么坐*
- \`/demo help\` and \`\`a \` b\`\`
  - nested **bold _and_ more**
    that goes on *here*

1. one
2. two ***both*** and ~~gone~~
3. **three**: 2*3=6, snake_case, ~5 min, a \\* star

> quoted *words
> over* lines

| a | b |
|---|:-:|
| **x** | *y* z |

Text under
a line

* * *

*时刻来自星澜公交，有效期至 2030；并非实时。*`;

Deno.test("on every prefix of an answer only its own words are shown", () => {
  const whole = words(draw(SAMPLE, true));
  let before = "";
  for (let end = 1; end <= SAMPLE.length; end++) {
    const typed = SAMPLE.slice(0, end);
    // Until the line below it has come, a table's head is a line of text.
    const shown = words(draw(typed, false)).replace(/\|[^一-鿿]*$/, "");
    assert(whole.startsWith(shown), `${JSON.stringify(typed)}: ${shown}`);
    assert(shown.startsWith(before.slice(0, -2)), `${before} became ${shown}`);
    before = shown;
  }
});

Deno.test("emphasis and code are drawn as such from their first letter", () => {
  for (
    const [source, html] of [
      ["*时刻来自", "<p><em>时刻来自</em></p>"],
      ["**bo", "<p><strong>bo</strong></p>"],
      ["**bold*", "<p><strong>bold</strong></p>"],
      ["**a *b", "<p><strong>a <em>b</em></strong></p>"],
      ["**a `b`", "<p><strong>a <code>b</code></strong></p>"],
      ["**a\\", "<p><strong>a</strong></p>"],
      ["a `b*", "<p>a <code>b</code></p>"],
      ["a **", "<p>a </p>"],
      ["a **`", "<p>a </p>"],
      ["中**“粗", "<p>中<strong>“粗</strong></p>"],
      ["3. *", ""],
      ["3. x\n4. *", '<ol start="3"><li>x</li></ol>'],
      [
        "- a\n  - **b",
        "<ul><li>a<ul><li><strong>b</strong></li></ul></li></ul>",
      ],
      ["Heading?\n-", "<p>Heading?</p>"],
      ["a\n\n``", "<p>a</p>"],
    ] as const
  ) assertEquals(draw(source, false), html, source);
});

Deno.test("what is no emphasis stays as it is, and an ended text is never touched", () => {
  for (
    const source of [
      "2*3 = 6",
      "a * b",
      "snake_case_name",
      "2**10 rows",
      "~5 minutes",
      "\\*not",
      "a ** b",
    ]
  ) assertEquals(words(draw(source, false)), words(draw(source, true)), source);
  assert(draw("an *", true).includes("an *"));
  assert(draw("1. x\n2.", true).includes("<li></li>"));
  const code = draw("```sh\nls *x **y\n", false);
  assert(code.includes("ls *x **y"), code);
});

Deno.test("a line of marks alone stays hidden until it has words, and then shows for good", () => {
  const signs = fc.array(fc.constantFrom(..."-*+_`#>|=:1.) \t[]xa"), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(signs, (line) => {
      let shown = false;
      for (let end = 1; end <= line.length; end++) {
        const now = withoutLooseMarks(line.slice(0, end).join("")) !== "";
        assert(now || !shown, line.join(""));
        shown = now;
      }
    }),
    { numRuns: 2_000, seed: 20261123 },
  );
});

Deno.test("safety X11: closing marks costs no more than reading them", () => {
  for (
    const piece of [
      "*a _b ",
      "**_",
      "`a ``b ",
      "\\",
      "a*",
      "> - ",
      "~~a ",
      "_*`",
    ]
  ) {
    const text = piece.repeat(Math.ceil(3_999 / piece.length));
    const before = performance.now();
    const token = lex(text, {})[0]!;
    const read = performance.now() - before;
    withMarksClosed(text, token);
    withoutLooseMarks(text);
    const closed = performance.now() - before - read;
    assert(closed < 20 + read, `${piece}: ${closed} ms, reading ${read} ms`);
  }
});

Deno.test("closing marks leaves finished blocks alone", () => {
  const blocks = createMarkdownBlocks();
  const first = blocks.read("**one**\n\nis **tw", false).flat()[0];
  assertEquals(
    blocks.read("**one**\n\nis **two** th", false).flat()[0] === first,
    true,
  );
});
