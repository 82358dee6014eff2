import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { currentTime } from "../../lib/tools/current_time.ts";

function tell(time_zone: string | null | undefined, now: string) {
  const answer = currentTime.run({ time_zone }, {
    signal: new AbortController().signal,
    progress: () => {},
    now: new Date(now),
  });
  if (answer instanceof Promise) throw new Error("not at once");
  return answer;
}

Deno.test("current_time: the moment of the call in a zone, on both faces (issue 2.6)", () => {
  assertEquals(tell("Asia/Shanghai", "2026-11-21T16:30:00Z"), {
    text: "Sunday 2026-11-22 00:30 (Asia/Shanghai, UTC+08:00)",
    data: {
      kind: "time",
      date: "2026-11-22",
      time: "00:30",
      weekday: "Sunday",
      timeZone: "Asia/Shanghai",
      offset: "UTC+08:00",
      iso: "2026-11-21T16:30:00.000Z",
    },
  });
});

Deno.test("current_time: summer and winter time, half hours, the other side of the date line", () => {
  const text = (zone: string, now: string) => tell(zone, now).text;
  assertEquals(
    text("America/New_York", "2026-03-08T06:59:00Z"),
    "Sunday 2026-03-08 01:59 (America/New_York, UTC-05:00)",
  );
  assertEquals(
    text("America/New_York", "2026-03-08T07:00:00Z"),
    "Sunday 2026-03-08 03:00 (America/New_York, UTC-04:00)",
  );
  assertEquals(
    text("Asia/Kathmandu", "2026-01-01T00:00:00Z"),
    "Thursday 2026-01-01 05:45 (Asia/Kathmandu, UTC+05:45)",
  );
  assertEquals(
    text("Pacific/Kiritimati", "2026-12-31T11:00:00Z"),
    "Friday 2027-01-01 01:00 (Pacific/Kiritimati, UTC+14:00)",
  );
});

Deno.test("current_time: without a zone it is the server's own", () => {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const none of [undefined, null, "", "  "]) {
    assertEquals(
      tell(none, "2026-06-01T00:00:00Z"),
      tell(own, "2026-06-01T00:00:00Z"),
    );
  }
});

Deno.test("current_time: cities and offsets as people write them", () => {
  const zone = (name: string) =>
    (tell(name, "2026-06-01T00:00:00Z").data as { timeZone: string }).timeZone;
  assertEquals(zone("Tokyo"), "Asia/Tokyo");
  assertEquals(zone("new york"), "America/New_York");
  assertEquals(zone("北京"), "Asia/Shanghai");
  assertEquals(zone("Beijing"), "Asia/Shanghai");
  assertMatch(tell("UTC+8", "2026-06-01T00:00:00Z").text, /08:00 .*UTC\+08:00/);
  assertMatch(
    tell("gmt-3:30", "2026-06-01T00:00:00Z").text,
    /20:30 .*UTC-03:30/,
  );
});

Deno.test("current_time: an unknown zone is an error that helps", () => {
  const fails = (name: string, message: string) =>
    assertThrows(() => tell(name, "2026-06-01T00:00:00Z"), Error, message);
  fails("Shangai", 'unknown time zone "Shangai": did you mean Asia/Shanghai?');
  fails("Mars/Base", "use an IANA name such as");
  fails("x".repeat(10_000), "unknown time zone");
  fails("__proto__", "unknown time zone");
});
