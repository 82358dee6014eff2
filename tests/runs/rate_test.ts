import { assertEquals } from "@std/assert";
import { Rate } from "../../lib/runs/rate.ts";

Deno.test("Rate lets so many through in any minute, says how long to wait, and counts owners apart", () => {
  const rate = new Rate({ perMinute: 2, allPerMinute: 100 });
  assertEquals(rate.take("a", 0), 0);
  assertEquals(rate.take("a", 10_000), 0);
  assertEquals(rate.take("a", 20_000), 40_000);
  assertEquals(rate.take("b", 20_000), 0);
  assertEquals(rate.take("a", 60_000), 0);
  assertEquals(rate.take("a", 60_001), 9_999);
});

Deno.test("Rate without a limit counts nobody", () => {
  const rate = new Rate({ perMinute: Infinity, allPerMinute: 1 });
  for (let i = 0; i < 1_000; i++) assertEquals(rate.take("a", 0), 0);
});

Deno.test("Rate counts all owners together, because in public an owner is only a new cookie", () => {
  const rate = new Rate({ perMinute: 20, allPerMinute: 3 });
  for (const owner of ["a", "b", "c"]) assertEquals(rate.take(owner, 0), 0);
  assertEquals(rate.take("d", 10_000), 50_000);
  assertEquals(rate.take("d", 60_000), 0);
});

Deno.test("Rate counts a heavy question as several, and lets one through that is too heavy for any minute", () => {
  const rate = new Rate({ perMinute: 5, allPerMinute: 100 });
  assertEquals(rate.take("a", 0, 4), 0);
  assertEquals(rate.take("a", 1_000, 2), 59_000);
  assertEquals(rate.take("a", 1_000), 0);
  assertEquals(rate.take("a", 2_000, 64), 59_000);
  assertEquals(rate.take("a", 61_001, 64), 0);
  assertEquals(rate.take("a", 62_000), 59_001);
});
