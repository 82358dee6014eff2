import { assert, assertEquals } from "@std/assert";
import { redactor } from "../../lib/models/upstream_errors.ts";

const KEY = "own-0123456789abcdef";

Deno.test("S06: redactor() takes out the key in use, and whatever looks like one", () => {
  const redact = redactor(KEY);
  assertEquals(
    redact(`bad ${KEY}, sk-proj-abcd, ab***yz, key-1a2b3c4d at https://x/y?z`),
    "bad [key], [key], [key] [key] at [url]",
  );
  assertEquals(redact("no such model: qwen3:8b"), "no such model: qwen3:8b");
});

Deno.test("redactor() takes no time over a megabyte in one word, as an image quoted back", () => {
  const size = 1 << 20;
  for (const piece of ["x", "key-", "**a", "sk-", "http://", "bearer "]) {
    const text = piece.repeat(size / piece.length);
    const began = performance.now();
    assert(redactor(KEY)(text).length <= 300);
    const ms = Math.round(performance.now() - began);
    assert(ms < 1_000, `${JSON.stringify(piece)}: ${ms} ms`);
  }
});
