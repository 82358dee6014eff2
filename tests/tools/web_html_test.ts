import { assert, assertEquals, assertRejects } from "@std/assert";
import { MAX_TEXT } from "../../lib/tools/web/markdown.ts";
import { type HtmlText, readHtml } from "../../lib/tools/web/html.ts";

const url = new URL("https://public.test/a/b?q");
const { signal } = new AbortController();
const read = (html: string, xml = false): Promise<HtmlText> =>
  readHtml(html, { url, xml, signal });
const text = async (html: string) => (await read(html)).text;

Deno.test("readHtml() writes headings, paragraphs, lists, quotes, code and tables", async () => {
  const { title, text } = await read(`<!doctype html>
    <html><head><title> Bus &amp;
      Bahn </title></head><body>
    <h1>Timetable <small>2026</small></h1><p>First&nbsp;line<br>second   line
    <p>More.<h2></h2><h3>Routes</h3>
    <ul><li>One<li><b>Two</b><ol start=3><li>three<li>four</ol>
    <li>Five<p>and its paragraph</ul>
    <blockquote>Said <i>so</i></blockquote><hr>
    <pre>
if (a &lt; b) {

  <b>go</b>();
}</pre>
    <table><caption>Fares</caption><thead><tr><th>Who<th>One way<th>Day
    <tbody><tr><td>Child<td><td>3<tr><td><p>Adult</p></td><td>2</td></tr>
    </table><dl><dt>Stop</dt><dd>where it halts</dl>`);
  assertEquals(title, "Bus & Bahn");
  assertEquals(
    text,
    `# Timetable 2026

First line
second line

More.

### Routes

- One
- Two
  3. three
  4. four
- Five

  and its paragraph

> Said so

---

\`\`\`
if (a < b) {

  go();
}
\`\`\`

Fares
Who | One way | Day
Child | | 3
Adult | 2

Stop
where it halts`,
  );
});

Deno.test("readHtml() writes links with whole addresses, where they lead somewhere", async () => {
  const link = (href: string) => text(`<p>see <a href="${href}">it</a>.`);
  assertEquals(await link("c"), "see [it](https://public.test/a/c).");
  assertEquals(
    await link("/c?x=1&amp;y=2"),
    [
      "see [it](https://public.test/c?x=1&y=2).",
    ].join(""),
  );
  assertEquals(await link("//x.test"), "see [it](https://x.test/).");
  for (
    const nowhere of [
      "#top",
      "javascript:alert(1)",
      "JaVa\tscript:alert(1)",
      "data:text/html,x",
      "mailto:a@b.test",
      "http://me:secret@x.test/",
      "http://[",
      `/${"x".repeat(600)}`,
    ]
  ) assertEquals(await link(nowhere), "see it.", nowhere);
  assertEquals(await text("<a>x</a> <a href=y></a><a href=y> </a>z"), "x z");
  assertEquals(
    await text("<base href='/deep/'><base href=/no/><a href=x>y</a>"),
    "[y](https://public.test/deep/x)",
  );
  assertEquals(
    await text("<a href=/c><div><h3>Card</h3><p>about it</div></a> <p>on"),
    "### [Card](https://public.test/c)\n\nabout it\n\non",
  );
  assertEquals(
    await text("<a href=/1>one<a href=/2>two</a> end"),
    "[one](https://public.test/1)[two](https://public.test/2) end",
  );
});

Deno.test("I08: readHtml() leaves out what nobody sees", async () => {
  for (
    const hidden of [
      "<script>HID</script>",
      "<style>HID</style>",
      "<template>HID</template>",
      "<!-- HID -->",
      "<!HID>",
      "<?HID?>",
      "<div hidden>HID</div>",
      "<div hidden=until-found>HID</div>",
      "<div HIDDEN><p>HID<ul><li>HID</ul></div>",
      "<span aria-hidden=true>HID</span>",
      "<span aria-hidden='TRUE'><b>HID</b>HID</span>",
      "<span style='display:none'>HID</span>",
      "<span style='color:red; DISPLAY : None !important'>HID</span>",
      "<span style=visibility:hidden>HID</span>",
      "<span style=font-size:0px>HID</span>",
      "<div popover>HID</div>",
      "<dialog>HID</dialog>",
      "<iframe>HID</iframe>",
      "<noembed>HID</noembed>",
      "<object>HID</object>",
      "<video>HID</video>",
      "<canvas>HID</canvas>",
      "<select><option>HID</select>",
      "<svg><title>HID</title><style>HID</style><text>HID</text></svg>",
      "<svg><path/><a>HID</a></svg>",
      "<img alt=HID title=HID>",
      "<input value=HID type=hidden>",
      "<meta content=HID>",
      "<p hidden>HID",
      "<ul hidden><li>HID</ul>",
      "<table hidden><tr><td>HID</table>",
      "<i hidden><div>HID</i></div>",
      "<div hidden>HID</b></span></p></td></div>",
      "<div hidden><div>HID</div>HID</div>",
      "<div hidden><div hidden>HID</div>HID</div>",
      "<div hidden><table><tr><td></div>HID</table>HID</div>",
      "<span hidden><div></span>HID</div></span>",
      "<div hidden hidden=x style=display:block>HID</div>",
      "<template><div></template></div>",
    ]
  ) {
    const { text, title } = await read(`<p>before</p>${hidden}<p>after`);
    assertEquals([title, text], ["", "before\n\nafter"], hidden);
  }
});

Deno.test("readHtml() leaves out no more than that", async () => {
  for (
    const seen of [
      "<div hidden>HID</div>SEEN",
      "<b hidden>HID<p>HID</b>SEEN</p>",
      "<p hidden>HID<p>SEEN",
      "<p hidden>HID<div>SEEN</div>",
      "<li hidden>HID<li>SEEN",
      "<table><tr><td hidden>HID<td>SEEN</table>",
      "<table><tr hidden><td>HID<tr><td>SEEN</table>",
      "<svg><path><p>SEEN",
      "<svg><title>HID</svg>SEEN",
      "<div hidden></table></div>SEEN",
      "<body hidden style='display:none'>SEEN",
      "<div style='opacity:0'>SEEN</div>",
      "<div style='display:none-such; display'>SEEN</div>",
      "<div aria-hidden=false>SEEN</div>",
      "<dialog open>SEEN</dialog>",
      "<noscript>SEEN</noscript>",
      "<details><summary>SEEN</summary></details>",
      "<textarea>SEEN</textarea>",
      "<title>T</title>SEEN",
      "</div></p></a></svg>SEEN",
      "<wall><p><block>SEEN</wall></block>",
    ]
  ) {
    const found = await text(seen);
    assertEquals(found.replace(/^[-|] /, ""), "SEEN", seen);
  }
  assertEquals(
    await text("a < b && c <3 &amp;lt; &#x4e2d;&copy;"),
    [
      "a < b && c <3 &lt; 中©",
    ].join(""),
  );
});

Deno.test("readHtml() takes the first title, of the page and not of a drawing", async () => {
  const title = async (html: string) => (await read(html)).title;
  assertEquals(await title("<title>a</title><title>b</title>"), "a");
  assertEquals(await title("<svg><title>x</title></svg>"), "");
  assertEquals(
    await title("<title>a</title><svg><title>x</title></svg>"),
    "a",
  );
  assertEquals(await title("<div hidden><title>x</title></div>"), "");
  assertEquals(await title("<title>a<b>c</title>"), "a<b>c");
});

Deno.test("readHtml() takes the main part for the page where there is one of some length", async () => {
  const long = "word ".repeat(60).trim();
  const framed = (main: string) =>
    text(`<nav>menu</nav>${main}<footer>footer</footer>`);
  assertEquals(await framed(`<main>${long}</main>`), long);
  assertEquals(await framed(`<div role=main>${long}</div>`), long);
  assertEquals(await framed(`<main>${long}`), `${long}\nfooter`);
  assertEquals(await framed("<main>short</main>"), "menu\n\nshort\n\nfooter");
  assertEquals(
    await framed(`<main hidden>${long}</main><main>short</main>`),
    "menu\n\nshort\n\nfooter",
  );
});

Deno.test("readHtml() reads XHTML, whose empty elements may end themselves", async () => {
  const html = "<script src='x'/><p>seen<title/>";
  assertEquals((await read(html, true)).text, "seen");
  assertEquals((await read(html)).text, "");
});

const MB = 1024 * 1024;
const filled = (piece: string) =>
  piece.repeat(Math.ceil(2 * MB / piece.length)).slice(0, 2 * MB);

Deno.test("readHtml() takes two megabytes of anything in less than a second (threat 10)", async () => {
  const deep = "<p><button>" + "<i>".repeat(19_000);
  const pages: Record<string, string> = {
    "far walls": (deep + filled("<div></div>")).slice(0, 2 * MB),
    "far ends": "<b>" + "<i>".repeat(19_000) + filled("</b><b>").slice(0, MB),
    "one value": `<a title="${filled("&a")}">`,
    "long style": filled(`<b style="${"a:b;".repeat(400)}">`),
  };
  for (
    const piece of [
      ..."< > & a \n &amp; <! <!-- <? </ <a <a> <p> <div> <td> <li> <br> <b></i>"
        .split(" "),
      "<a b ",
      "<a href=x>y",
      "<p><b>",
      "<ul><li>",
      "<table><tr><td>x",
      "<svg><p>",
      "<blockquote>x",
      "<pre>\n",
      "<main>x</main>",
      "<span style=display:none>",
    ]
  ) pages[piece] = filled(piece);
  let slowest = ["", 0] as [string, number];
  for (const [name, page] of Object.entries(pages)) {
    const start = performance.now();
    const { text } = await read(page);
    const ms = performance.now() - start;
    if (ms > slowest[1]) slowest = [name, ms];
    assert(text.length <= MAX_TEXT);
    assert(ms < 1_000, `2 MB of ${JSON.stringify(name)} took ${ms} ms`);
  }
  console.log(
    `${Object.keys(pages).length} pages of 2 MB, the slowest (${
      JSON.stringify(slowest[0])
    }) in ${slowest[1].toFixed(0)} ms`,
  );
});

Deno.test("readHtml() reads what stands ten thousand levels deep, and stops at twice that", async () => {
  for (
    const name of ["div", "b", "ul><li", "blockquote", "table><tr><td", "x"]
  ) {
    const levels = Math.floor(10_000 / name.split("><").length);
    const { text, cut } = await read(`<${name}>`.repeat(levels) + "deep");
    assertEquals([text.endsWith("deep"), cut], [true, false], name);
    assert(text.length < 100, "moved in without end");
  }
  const { text, cut } = await read("top" + "<div>".repeat(400_000) + "deep");
  assertEquals([text, cut], ["top", true]);
});

Deno.test("readHtml() writes a bounded text, and says that the page went on", async () => {
  const page = await read("<p>中 ".repeat(200_000));
  assertEquals([page.text.length <= MAX_TEXT, page.cut], [true, true]);
  const far = new URL(`https://public.test/${"x".repeat(1_900)}/`);
  const links = await readHtml(filled("<a href=x>y</a> "), {
    url: far,
    signal,
  });
  assert(links.text.length <= MAX_TEXT);
  assert(!links.text.includes("]("), "addresses that long are not written");
});

Deno.test("readHtml() lets others have their turn, and stops when it is told to", async () => {
  const control = new AbortController();
  const reading = readHtml(filled("<p>"), { url, signal: control.signal });
  setTimeout(() => control.abort(new Error("stop")), 0);
  await assertRejects(() => reading, Error, "stop");
});
