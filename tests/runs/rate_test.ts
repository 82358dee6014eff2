import { assertEquals } from "@std/assert";
import { Rate } from "../../lib/runs/rate.ts";

Deno.test("Rate lets so many through in any minute, says how long to wait, and counts owners apart", () => {
  const rate = new Rate(2);
  assertEquals(rate.take("a", 0), 0);
  assertEquals(rate.take("a", 10_000), 0);
  assertEquals(rate.take("a", 20_000), 40_000);
  assertEquals(rate.take("b", 20_000), 0);
  assertEquals(rate.take("a", 60_000), 0);
  assertEquals(rate.take("a", 60_001), 9_999);
});

Deno.test("Rate without a limit counts nobody", () => {
  const rate = new Rate(Infinity);
  for (let i = 0; i < 1_000; i++) assertEquals(rate.take("a", 0), 0);
});
