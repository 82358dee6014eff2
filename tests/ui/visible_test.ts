/** Texts a person has to judge: nothing in them hides. */
import { assert, assertEquals } from "@std/assert";
import { argumentsOf, visible, visibleText } from "../../lib/ui/visible.ts";

const read = (text: string) =>
  visible(text).map(({ text, mark }) => mark ? `[${text}]` : text).join("");

Deno.test("T08: plain words of any language stay as they are", () => {
  for (
    const text of [
      "",
      "https://example.com/a?b=c%20d#e",
      "下一班，全角　空格",
      "שלום · مرحبا · Grüße · 👍",
      '{"a": [1, 2]}',
    ]
  ) {
    assertEquals(read(text), text);
    assert(visible(text).every(({ mark }) => !mark));
  }
});

Deno.test("T08: what has no shape is named: zero width, tags, turned directions, odd spaces", () => {
  assertEquals(read("a\u200bb"), "a[U+200B]b");
  assertEquals(read("pay\u202egpj.exe"), "pay[U+202E]gpj.exe");
  assertEquals(read("a\u00a0b\u2003c"), "a[U+00A0]b[U+2003]c");
  assertEquals(read("\u{e0041}\u{e0042}"), "[U+E0041][U+E0042]");
  assertEquals(
    read("\ufeff\u00ad\u3164\u2800"),
    "[U+FEFF][U+00AD][U+3164][U+2800]",
  );
  assertEquals(read("\ue000\ud800x"), "[U+E000][U+D800]x");
  assertEquals(read("\u0000\u001b[31m\r"), "[U+0000][U+001B][31m[U+000D]");
  assertEquals(read("a\tb\nc"), "a[⇥]b[⏎]\nc");
  assertEquals(visible("{\n}", true), [{ text: "{\n}", mark: false }]);
});

Deno.test("T08: arguments come in whole, each by itself, whatever they are", () => {
  const long = "x".repeat(50_000);
  const of = (input: unknown) =>
    argumentsOf(input).map(({ name, value }) => [name, value]);
  assertEquals(of({ url: long, n: 7, none: null }), [
    ["url", long],
    ["n", "7"],
    ["none", "null"],
  ]);
  assertEquals(of({ deep: { a: [1] } }), [
    ["deep", '{\n  "a": [\n    1\n  ]\n}'],
  ]);
  assertEquals(of(JSON.parse('{"__proto__": "seen"}')), [[
    "__proto__",
    "seen",
  ]]);
  assertEquals(of("text"), [[null, "text"]]);
  assertEquals(of([1]), [[null, "[\n  1\n]"]]);
  assertEquals(of(null), [[null, "null"]]);
  assertEquals(of({}), []);
  assertEquals(of(undefined), []);
});

Deno.test("T08: a web address says where it really leads", () => {
  const host = (value: unknown) => argumentsOf({ value })[0]!.host;
  assertEquals(host("https://good.example@evil.example/x"), "evil.example");
  assertEquals(host("https://аpple.com/"), "xn--pple-43d.com");
  assertEquals(host("HTTP://0x7f.1:8080/"), "127.0.0.1:8080");
  assertEquals(host("mailto:a@b.example"), null);
  assertEquals(host("just words"), null);
  assertEquals(host(7), null);
});

Deno.test("T08: the line of a card names what would turn it round", () => {
  assertEquals(visibleText("for \u202etxt.exe"), "for U+202Etxt.exe");
  assertEquals(visibleText("a\tb"), "a b");
});
