import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readMoment, Zone } from "../../lib/tools/gtfs/clock.ts";
import { type Ask, smallFeed, stopTimes, withBus } from "./small_feed.ts";

/** Departures from Alpha as "HH:MM+days", asked for a local moment. */
async function fromAlpha(ask: Ask, at: string): Promise<string[]> {
  const { board } = await ask({ action: "next_departures", stop: "Alpha", at });
  return board.rows.map((row) =>
    `${row.departure}${row.dayOffset ? `+${row.dayOffset}` : ""}`
  );
}

Deno.test("T15: 25:10:00 is ten past one of the next day, also asked for then", () =>
  withBus(
    smallFeed({
      "stop_times.txt": stopTimes(
        "t1: a@08:00:00 c@08:20:00",
        "t2: a@25:10:00 c@25:40:00",
      ),
    }),
    async ({ ask }) => {
      // t2 runs Saturday and Sunday: 2026-06-06 and 2026-06-07.
      assertEquals(await fromAlpha(ask, "2026-06-06T22:00"), ["01:10+1"]);
      assertEquals(await fromAlpha(ask, "2026-06-07T00:30"), [
        "01:10",
        "01:10+1",
      ]);
      assertEquals(await fromAlpha(ask, "2026-06-08T00:30"), [
        "01:10",
        "08:00",
      ]);
      assertEquals(await fromAlpha(ask, "2026-06-08T01:11"), ["08:00"]);
      const { board } = await ask({
        action: "trips",
        from: "Alpha",
        to: "Gamma",
        at: "2026-06-07T23:00",
      });
      assertEquals([board.rows[0]!.arrival, board.rows[0]!.minutes], [
        "01:40",
        30,
      ]);
    },
  ));

Deno.test("T15: trips of two days and more are found on their last day", () =>
  withBus(
    smallFeed({
      "calendar.txt": null,
      "calendar_dates.txt":
        "service_id,date,exception_type\nwd,20260601,1\nwd,20260608,1\n",
      "trips.txt": "route_id,service_id,trip_id\nr,wd,t1\n",
      "stop_times.txt": stopTimes("t1: b@10:00:00 a@58:30:00 c@59:00:00"),
    }),
    async ({ ask }) => {
      assertEquals(await fromAlpha(ask, "2026-06-03T10:00"), ["10:30"]);
    },
  ));

Deno.test("T15: on the days the clock changes, times count from noon minus 12 hours", () =>
  withBus(
    smallFeed({
      "stop_times.txt": stopTimes(
        "t1: a@08:00:00 c@08:20:00",
        "t2: a@01:00:00 b@04:00:00 c@25:30:00",
      ),
    }),
    async ({ ask }) => {
      // 2026-03-08, New York: 02:00 becomes 03:00. 2026-11-01: 02:00 becomes 01:00.
      const at = async (stop: string, at: string) => {
        const { board } = await ask({
          action: "next_departures",
          stop,
          at,
          limit: 1,
        });
        const row = board.rows[0]!;
        return [row.departure, row.dayOffset, row.inMinutes];
      };
      // The service day begins at 23:00 of the day before: its 01:00 is 00:00.
      assertEquals(await at("Alpha", "2026-03-07T23:30"), ["00:00", 1, 30]);
      assertEquals(await at("Beta", "2026-03-08T01:30"), ["04:00", 0, 90]);
      // It begins at 01:00 summer time: its 01:00 is the second 01:00 of the night.
      assertEquals(await at("Alpha", "2026-11-01T00:30"), ["01:00", 0, 90]);
      assertEquals(await at("Beta", "2026-11-01T00:30"), ["04:00", 0, 270]);
      const { board } = await ask({
        action: "trips",
        from: "Alpha",
        to: "Beta",
        at: "2026-03-07T23:30",
      });
      assertEquals([board.rows[0]!.arrival, board.rows[0]!.minutes], [
        "04:00",
        180,
      ]);
    },
  ));

Deno.test("T15: exceptions add and take away single days", () =>
  withBus(
    smallFeed({
      "calendar_dates.txt":
        "service_id,date,exception_type\nwd,20260703,2\nwe,20260703,1\n",
    }),
    async ({ ask }) => {
      assertEquals(await fromAlpha(ask, "2026-07-02T07:00"), ["08:00"]);
      assertEquals(await fromAlpha(ask, "2026-07-03T07:00"), ["10:00"]);
      assertEquals(await fromAlpha(ask, "2026-07-04T07:00"), ["10:00"]);
    },
  ));

Deno.test("T15: a feed with calendar_dates.txt only is read", () =>
  withBus(
    smallFeed({
      "calendar.txt": null,
      "calendar_dates.txt":
        "service_id,date,exception_type\nwd,20260601,1\nwe,20260603,1\n",
    }),
    async ({ ask }) => {
      assertEquals(await fromAlpha(ask, "2026-06-01T07:00"), ["08:00"]);
      assertEquals(await fromAlpha(ask, "2026-06-02T07:00"), ["10:00+1"]);
    },
  ));

Deno.test("T15: a feed 3 days old answers with data from its last such weekday, and says so", () =>
  withBus(
    smallFeed({
      "calendar.txt": smallFeed()["calendar.txt"]!.replaceAll(
        "20261231",
        "20260529",
      ),
    }),
    async ({ ask }) => {
      // Asked on Monday 2026-06-01; the feed ends on Friday 2026-05-29.
      const { text, board } = await ask({
        action: "trips",
        from: "Alpha",
        to: "Gamma",
      });
      assertEquals(board.feed, {
        publisher: "Metro",
        validUntil: "2026-05-29",
        outOfDate: true,
      });
      assertEquals([board.date, board.time], ["2026-06-01", "07:30"]);
      assertEquals([board.rows[0]!.departure, board.rows[0]!.inMinutes], [
        "08:00",
        null,
      ]);
      assertStringIncludes(
        text,
        "the timetable covers 2026-01-01 to 2026-05-29",
      );
      assertStringIncludes(text, "data from Monday 2026-05-25");
      const weekend = await ask({
        action: "trips",
        from: "Alpha",
        to: "Gamma",
        at: "2026-06-07T07:30",
      });
      assertEquals(weekend.board.rows[0]!.departure, "10:00");
      assertStringIncludes(weekend.text, "data from Sunday 2026-05-24");
    },
  ));

Deno.test("T15: a feed that begins only later stands in with its first week", () =>
  withBus(
    smallFeed({
      "calendar.txt": smallFeed()["calendar.txt"]!.replaceAll(
        "20260101",
        "20260615",
      ),
    }),
    async ({ ask }) => {
      const { text, board } = await ask({
        action: "next_departures",
        stop: "Alpha",
      });
      assertStringIncludes(text, "data from Monday 2026-06-15");
      assertEquals([board.feed.outOfDate, board.rows[0]!.departure], [
        true,
        "08:00",
      ]);
    },
  ));

Deno.test("T15: a calendar longer than the publisher vouches for is used with a warning", () =>
  withBus(
    smallFeed({
      "feed_info.txt":
        "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date\nCity,https://c.example/,en,20260101,20260531\n",
    }),
    async ({ ask }) => {
      const { text, board } = await ask({
        action: "next_departures",
        stop: "Alpha",
      });
      assertEquals(board.feed, {
        publisher: "City",
        validUntil: "2026-05-31",
        outOfDate: true,
      });
      assertEquals(board.rows[0]!.departure, "08:00");
      assertStringIncludes(
        text,
        "Careful: the timetable covers 2026-01-01 to 2026-05-31",
      );
    },
  ));

Deno.test("Zone.moment() takes the first of two readings and steps over a gap", () => {
  const zone = new Zone("America/New_York");
  const iso = (text: string) =>
    new Date(readMoment(text, zone, 0)).toISOString();
  assertEquals(iso("2026-11-01T01:30"), "2026-11-01T05:30:00.000Z");
  assertEquals(iso("2026-03-08T02:30"), "2026-03-08T07:30:00.000Z");
  assertEquals(iso("2026-06-01T08:30:15"), "2026-06-01T12:30:15.000Z");
  assertEquals(iso("2026-06-01 08:30"), "2026-06-01T12:30:00.000Z");
  assertEquals(iso("2026-06-01"), "2026-06-01T04:00:00.000Z");
  assertEquals(iso("2026-06-01T08:30Z"), "2026-06-01T08:30:00.000Z");
  assertEquals(iso("2026-06-01T08:30+08:00"), "2026-06-01T00:30:00.000Z");
  assertEquals(
    iso("0８：3０".replace("0８", "08")),
    "1969-12-31T13:30:00.000Z",
  );
});

Deno.test("Zone: every hour of two years reads back as it was written", () => {
  for (
    const name of [
      "America/New_York",
      "Europe/London",
      "Australia/Lord_Howe",
      "Asia/Shanghai",
    ]
  ) {
    const zone = new Zone(name);
    for (let hour = 0; hour < 2 * 365 * 24; hour += 5) {
      const moment = Date.UTC(2026, 0, 1) + hour * 3_600_000;
      const local = zone.local(moment);
      const back = zone.local(zone.moment(local));
      assert(
        back.day === local.day && back.seconds === local.seconds,
        `${name} ${new Date(moment).toISOString()}`,
      );
    }
  }
});
