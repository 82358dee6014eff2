import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import type { Asking } from "../helpers/ask_model.ts";
import {
  byteByByte,
  comment,
  type Script,
  sse,
  sseWith,
  type Step,
} from "../helpers/scripted_upstream.ts";
import { answered } from "./harness.ts";
import { DIALECTS } from "./openai_dialects.ts";

// What is true of both APIs: text, thoughts, calls and figures.

for (const say of DIALECTS) {
  const { api, begin, text } = say;
  const sentence = (name: string, body: () => Promise<void>) =>
    Deno.test(`${api}: ${name}`, body);
  const hello = [begin, ...[..."Hello"].map(text)];
  const ended = (...steps: Step[]) => sse(...steps, say.end());
  const asked = (scripts: Script | Script[], asking?: Asking) =>
    answered(scripts, asking, { api });

  sentence("U16, U28: an answer without words is empty", async () => {
    const said = await asked(ended(comment("PROCESSING"), begin));
    assertEquals([said.events, said.turn?.finishReason], [[], "stop"]);
  });

  sentence("U21: usage is told with what was cached and thought", async () => {
    const said = await asked(sse(...hello, say.spent));
    assertEquals(said.turn?.usage, {
      input: 7,
      output: 5,
      reasoning: 2,
      cached: 3,
      total: 12,
    });
  });

  sentence("U24: a refusal is shown as text and flagged", async () => {
    const said = await asked(
      ended(begin, say.refusal("I "), say.refusal("won't")),
    );
    assertEquals(said.text, "I won't");
    assertEquals(said.turn?.finishReason, "content-filter");
  });

  sentence("U27: thoughts come before the text and apart from it", async () => {
    const said = await asked(
      ended(begin, say.thought("Let me "), say.thought("see."), text("Yes")),
    );
    assertEquals(said.events, [
      { type: "reasoning", delta: "Let me " },
      { type: "reasoning", delta: "see." },
      { type: "text", delta: "Yes" },
    ]);
  });

  sentence("U29: arguments split at every byte are exact", async () => {
    const args = String.raw`{"a":"caf\u00e9 \"q\" é 👍","b":{"c":[1]}}`;
    const stream = begin + say.call(0, "c0", "bus") +
      [...args].map((char) => say.typed(0, char)).join("") + say.end();
    const said = await asked(sse(...byteByByte(stream)));
    assertEquals(said.turn?.toolCalls, [
      { id: "c0", name: "bus", arguments: args },
    ]);
    assertEquals(said.streamed, { c0: args });
    assertEquals(said.turn?.finishReason, "tool-calls");
  });

  sentence("U30: two calls interleaved are two, in call order", async () => {
    const said = await asked(ended(
      begin,
      say.call(0, "c0", "bus"),
      say.typed(0, '{"x"'),
      say.call(1, "c1", "tram"),
      say.typed(1, '{"y"'),
      say.typed(0, ":1}"),
      say.typed(1, ":2}"),
    ));
    assertEquals(said.turn?.toolCalls, [
      { id: "c0", name: "bus", arguments: '{"x":1}' },
      { id: "c1", name: "tram", arguments: '{"y":2}' },
    ]);
    assertEquals(said.streamed, { c0: '{"x":1}', c1: '{"y":2}' });
  });

  sentence("U33: an id of an earlier step is replaced", async () => {
    const said = await asked(
      ended(begin, say.call(0, "c0", "bus"), say.typed(0, "{}")),
      {
        messages: [
          { role: "user", text: "When?" },
          {
            role: "assistant",
            text: "",
            toolCalls: [{ id: "c0", name: "bus", arguments: "{}" }],
          },
          { role: "tool", toolCallId: "c0", text: "Now" },
        ],
      },
    );
    const [call, ...more] = said.turn!.toolCalls;
    assert(call!.id !== "c0" && more.length === 0);
    assertEquals(said.streamed, { [call!.id]: "{}" });
  });

  sentence("U35: a call without arguments has none", async () => {
    const said = await asked(ended(begin, say.call(0, "c0", "bus")));
    assertEquals(said.turn?.toolCalls, [
      { id: "c0", name: "bus", arguments: "{}" },
    ]);
  });

  sentence("U44: 20,000 tokens as fast as possible arrive whole", async () => {
    const tokens = Array.from({ length: 20_000 }, (_, n) => ` t${n}`);
    const writes = Array.from(
      { length: 200 },
      (_, n) => tokens.slice(n * 100, n * 100 + 100).map(text).join(""),
    );
    const said = await asked(ended(begin, ...writes));
    assert(said.text === tokens.join(""));
    assertEquals(said.events.length, 20_000);
  });

  sentence(
    "U23, U39: a cut keeps the text and the calls as they stand",
    async () => {
      const reasons = { length: "length", filter: "content-filter" } as const;
      for (const [how, finishReason] of Object.entries(reasons)) {
        const said = await asked(sse(
          ...hello,
          say.call(0, "c0", "bus"),
          say.typed(0, '{"x'),
          say.cut[how as "length" | "filter"],
        ));
        assertEquals([said.text, said.turn?.finishReason], [
          "Hello",
          finishReason,
        ]);
        assertEquals(said.turn?.toolCalls, [
          { id: "c0", name: "bus", arguments: '{"x' },
        ]);
      }
    },
  );

  sentence(
    "U42: gzip, CRLF, no space, a BOM and single bytes change nothing",
    async () => {
      const plain = [...hello, text("你👩‍👩‍👧"), say.end()].join("");
      const gzip = { headers: { "content-encoding": "gzip" } };
      const variants: Script[] = [
        sseWith(gzip, new Uint8Array(gzipSync(plain))),
        sse(...byteByByte(plain.replaceAll("\n", "\r\n"))),
        sse(plain.replaceAll("data: ", "data:")),
        sse(`\uFEFF${plain}`),
        sseWith({ framing: "close" }, plain),
      ];
      for (const script of variants) {
        const said = await asked(script);
        assertEquals([said.text, said.turn?.finishReason], [
          "Hello你👩‍👩‍👧",
          "stop",
        ]);
      }
    },
  );
}
