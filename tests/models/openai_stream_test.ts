import { assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import {
  byteByByte,
  choice,
  chunk,
  comment,
  done,
  event,
  finish,
  hang,
  raw,
  role,
  type Script,
  sse,
  sseWith,
  type Step,
  usage,
} from "../helpers/scripted_upstream.ts";
import { answered } from "./harness.ts";

// From the first token to the last: what is text and what is not.

const hello = [..."Hello"].map((content) => chunk({ content }));
const end = [finish("stop"), done()];

/** An answer made of these pieces and an ordinary end. */
const ended = (...steps: Step[]) => sse(...steps, ...end);

Deno.test("U16: role-only chunks, then stop, are an empty answer", async () => {
  const said = await answered(ended(role(), role()));
  assertEquals(said.turn?.finishReason, "stop");
  assertEquals(said.events, []);
});

Deno.test("U17: null, empty and missing content are skipped", async () => {
  const said = await answered(ended(
    chunk({ content: null }),
    chunk({ content: "" }),
    choice({}),
    choice({ delta: null }),
    ...hello,
  ));
  assertEquals(said.text, "Hello");
  assertEquals(said.events.length, 5);
});

Deno.test("U18: content in parts is text, thoughts in parts are reasoning", async () => {
  const said = await answered(ended(
    chunk({
      content: [{ type: "thinking", thinking: [{ type: "text", text: "Hm" }] }],
    }),
    chunk({ content: [{ type: "text", text: "Hi" }, null, { type: "image" }] }),
  ));
  assertEquals([said.text, said.reasoning], ["Hi", "Hm"]);
});

Deno.test("U19: chunks without choices, pings and empty data are skipped", async () => {
  const said = await answered(ended(
    event({ id: "x" }),
    event({ choices: null }),
    event([]),
    event(null),
    event(5),
    event({ choices: [null, 7] }),
    `event: ping\n${event({ type: "ping" })}`,
    "event: ping\ndata: not even JSON\n\n",
    "data:\n\n",
    "data\n\n",
    ...hello,
  ));
  assertEquals([said.text, said.turn?.finishReason], ["Hello", "stop"]);
});

Deno.test("U20: a first delta without a role works", async () => {
  const said = await answered(
    ended(choice({ delta: { content: "Hi" } })),
  );
  assertEquals(said.text, "Hi");
});

Deno.test("U21: usage comes at the end; Azure's empty choices come first", async () => {
  const said = await answered(sse(
    choice({}, { choices: [], prompt_filter_results: [] }),
    ...hello,
    finish("stop"),
    usage(7, 5, { cached: 3, reasoning: 2 }),
    done(),
  ));
  assertEquals(said.turn?.usage, {
    input: 7,
    output: 5,
    reasoning: 2,
    cached: 3,
    total: 12,
  });
  assertEquals(said.warnings, []);
});

Deno.test("U22: usage on every chunk counts once: the last", async () => {
  const spent = (n: number) => ({
    usage: { prompt_tokens: 7, completion_tokens: n },
  });
  const said = await answered(ended(
    ...[1, 2, 3].map((n) => chunk({ content: "x" }, spent(n))),
  ));
  assertEquals(said.turn?.usage, { input: 7, output: 3, total: 10 });
});

Deno.test("U24: a refusal is shown as text and flagged as content-filter", async () => {
  const said = await answered(ended(
    chunk({ refusal: "I can't " }),
    chunk({ refusal: "do that." }),
  ));
  assertEquals(said.text, "I can't do that.");
  assertEquals(said.turn?.finishReason, "content-filter");
});

Deno.test("U27: reasoning under either name, or both, comes before the text and apart from it", async () => {
  for (
    const names of [["reasoning_content"], ["reasoning"], [
      "reasoning",
      "reasoning_content",
    ]]
  ) {
    const think = (text: string) =>
      chunk(Object.fromEntries(names.map((name) => [name, text])));
    const said = await answered(ended(
      think("Let me "),
      think("see."),
      chunk({ content: "Yes", reasoning: null }),
    ));
    assertEquals(said.events, [
      { type: "reasoning", delta: "Let me " },
      { type: "reasoning", delta: "see." },
      { type: "text", delta: "Yes" },
    ]);
  }
});

Deno.test("U28: comments before and between chunks are ignored", async () => {
  const wait = comment("OPENROUTER PROCESSING");
  const said = await answered(
    ended(wait, wait, ...hello.flatMap((piece) => [wait, piece])),
  );
  assertEquals(said.text, "Hello");
});

Deno.test("U42: gzip, CRLF, no space, a BOM and multi-line data change nothing", async () => {
  const plain = [...hello, ...end].join("");
  const pretty = `data: ${
    JSON.stringify({ choices: [{ delta: { content: "Hello" } }] }, null, 1)
      .replaceAll("\n", "\ndata: ")
  }\n\n`;
  const zipped = new Uint8Array(gzipSync(plain));
  const variants: Record<string, Script> = {
    gzip: sseWith(
      { headers: { "content-encoding": "gzip" } },
      zipped.slice(0, 40),
      zipped.slice(40),
    ),
    CRLF: sse(...byteByByte(plain.replaceAll("\n", "\r\n"))),
    CR: sse(...byteByByte(plain.replaceAll("\n", "\r"))),
    "no space": sse(plain.replaceAll("data: ", "data:")),
    BOM: sse(`\uFEFF${plain}`),
    "multi-line": sse(pretty, ...end),
    charset: sseWith(
      { headers: { "content-type": "Text/Event-Stream; charset=utf-8" } },
      plain,
    ),
    "one write": sse(plain),
    "raw close": sseWith({ framing: "close" }, raw(plain)),
  };
  for (const [name, script] of Object.entries(variants)) {
    const said = await answered(script);
    assertEquals([said.text, said.turn?.finishReason], ["Hello", "stop"], name);
  }
});

Deno.test("U42: characters cut at every byte arrive whole", async () => {
  const text = "你好 👩‍👩‍👧 \u0000 \\u00e9";
  const said = await answered(
    ended(...byteByByte(chunk({ content: text }))),
  );
  assertEquals(said.text, text);
});

Deno.test("U43: a chunk id or model that changes is nobody's business", async () => {
  const said = await answered(ended(
    ...hello.map((_, n) =>
      chunk({ content: String(n) }, { id: `id-${n}`, model: `m-${n}` })
    ),
  ));
  assertEquals(said.text, "01234");
});

Deno.test("U44: 20,000 tokens as fast as possible arrive whole", async () => {
  const tokens = Array.from({ length: 20_000 }, (_, n) => ` t${n}`);
  const pieces = tokens.map((content) => chunk({ content }));
  const writes = Array.from(
    { length: 200 },
    (_, n) => pieces.slice(n * 100, n * 100 + 100).join(""),
  );
  const said = await answered(ended(...writes));
  assertEquals(said.text === tokens.join(""), true);
  assertEquals(said.events.length, 20_000);
});

Deno.test("U44: an endless line is refused, not collected", async () => {
  const mebibyte = "x".repeat(1024 * 1024);
  const said = await answered(
    sse("data: ", mebibyte, mebibyte, hang()),
  );
  assertEquals(said.error?.code, "upstream_malformed");
});
