import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import * as z from "zod";
import { busSchedule } from "../../lib/tools/bus_schedule.ts";
import { type Ask, withBus } from "./small_feed.ts";

/** Sunday 2026-11-22, 08:30 in Shanghai, where the sample feed lies. */
const NOW = "2026-11-22T00:30:00Z";

function sample(name: string, test: (ask: Ask) => Promise<void>): void {
  Deno.test(
    name,
    () =>
      withBus(null, ({ ask }) => test((input, now = NOW) => ask(input, now))),
  );
}

sample(
  "bus_schedule: 下一班从火车站到大学城的公交几点？ (issue 2)",
  async (ask) => {
    const { text, board } = await ask({
      action: "trips",
      from: "火车站",
      to: "大学城",
    });
    assertEquals(board.from, { zh: "火车站", en: "Railway Station" });
    assertEquals(board.to, { zh: "大学城", en: "University" });
    assertEquals([board.date, board.time], ["2026-11-22", "08:30"]);
    assertEquals(board.rows[0], {
      route: { name: "1", color: "d7263d", textColor: "ffffff" },
      headsign: { zh: "大学城南", en: "University South" },
      departure: "08:36",
      inMinutes: 6,
      dayOffset: 0,
      arrival: "09:01",
      minutes: 25,
    });
    assertStringIncludes(
      text,
      "- 08:36 route 1 → 大学城南 / University South, arrives 09:01 (25 min), in 6 min",
    );
    assertStringIncludes(text, "Source: 星澜公交（示例数据）");
  },
);

sample(
  "bus_schedule: the next bus from the railway station to the university, in English, is the same one (issue 2)",
  async (ask) => {
    const chinese = await ask({
      action: "trips",
      from: "火车站",
      to: "大学城",
    });
    for (
      const [from, to] of [
        ["railway station", "university"],
        ["the Train Station", "University"],
        ["火车站 / Railway Station", "大学城 (University)"],
        ["RS", "UN"],
      ] as const
    ) {
      const english = await ask({ action: "trips", from, to });
      assertEquals(english.text, chinese.text);
    }
  },
);

sample(
  "bus_schedule: two lines or more connect the two at every hour of the day",
  async (ask) => {
    const routes = new Set<string>();
    for (let hour = 0; hour < 24; hour++) {
      const at = `2026-11-23T${String(hour).padStart(2, "0")}:00`;
      const { board } = await ask({
        action: "trips",
        from: "火车站",
        to: "大学城",
        at,
        limit: 10,
      });
      const wait = board.rows[0]!.inMinutes!;
      assert(wait <= 40, `${wait} minutes to wait at ${at}`);
      for (const row of board.rows) routes.add(row.route.name);
    }
    assertEquals([...routes].sort(), ["1", "2", "K3", "N1"]);
  },
);

sample(
  "bus_schedule: nulls, blanks and absent arguments mean the same",
  async (ask) => {
    const absent = await ask({ action: "next_departures", stop: "钟楼" });
    const blank = await ask({
      action: "next_departures",
      query: "",
      stop: " 钟楼 ",
      from: null,
      to: null,
      route: " ",
      at: null,
      limit: null,
    });
    assertEquals(blank, absent);
    assertEquals(absent.board.rows.length, 5);
  },
);

sample("bus_schedule: limit is kept between 1 and 20", async (ask) => {
  for (
    const [limit, rows] of [[0, 1], [-5, 1], [1.4, 1], [20, 20], [900, 20]]
  ) {
    const { board } = await ask({
      action: "next_departures",
      stop: "人民广场",
      limit: limit!,
    });
    assertEquals(board.rows.length, rows!);
  }
});

sample(
  "bus_schedule: a wrong combination of arguments tells the model what is needed",
  async (ask) => {
    for (
      const [input, message] of [
        [
          { action: "trips", from: "火车站" },
          "action 'trips' needs 'from' and 'to'",
        ],
        [
          { action: "trips", to: "火车站" },
          "action 'trips' needs 'from' and 'to'",
        ],
        [
          { action: "next_departures" },
          "action 'next_departures' needs 'stop'",
        ],
        [{ action: "find_stops" }, "action 'find_stops' needs 'query'"],
        [
          { action: "first_last" },
          "action 'first_last' needs 'stop', or 'from' and 'to'",
        ],
        [
          { action: "next_departures", stop: "火车站", to: "大学城" },
          "use action 'trips'",
        ],
        [
          { action: "trips", from: "火车站", to: "railway station" },
          "are the same stop",
        ],
        [
          { action: "next_departures", stop: "钟楼", route: "99" },
          "routes there are 1, T6, N1",
        ],
        [
          { action: "next_departures", stop: "钟楼", at: "25:00" },
          `cannot read 'at' "25:00"`,
        ],
        [
          { action: "next_departures", stop: "钟楼", at: "2026-02-30T08:00" },
          "cannot read 'at'",
        ],
      ] as const
    ) {
      await assertRejects(() => ask(input), Error, message);
    }
  },
);

sample(
  "bus_schedule: an ambiguous stop is answered with candidates, not with a guess",
  async (ask) => {
    const { text, stops } = await ask({
      action: "next_departures",
      stop: "医院",
    });
    assertEquals(stops.kind, "stops");
    assertEquals(stops.stops.map(({ id }) => id).sort(), ["H1", "H2"]);
    assertStringIncludes(text, "Ask the person which one");
    assertStringIncludes(
      text,
      "市第一医院 / First City Hospital [id H1], routes 1, N1",
    );
  },
);

sample("bus_schedule: an unknown stop gives no times at all", async (ask) => {
  const { text, stops } = await ask({
    action: "trips",
    from: "火星基地",
    to: "大学城",
  });
  assertEquals(stops, { kind: "stops", query: "火星基地", stops: [] });
  assertEquals(/\d\d:\d\d/.test(text), false);
});

sample(
  "bus_schedule: a route filter is understood as people write it",
  async (ask) => {
    for (
      const route of ["1", "1路", "１路", "Line 1", "route 1", "Bus 1", "第1路"]
    ) {
      const { board } = await ask({
        action: "next_departures",
        stop: "火车站",
        route,
      });
      assertEquals(
        new Set(board.rows.map((row) => row.route.name)),
        new Set(["1"]),
      );
    }
  },
);

sample(
  "bus_schedule: after the last bus it says so and names tomorrow's first",
  async (ask) => {
    const now = "2026-11-22T14:20:00Z"; // 22:20 in Shanghai
    const { text, board } = await ask({
      action: "next_departures",
      stop: "港口",
    }, now);
    assertStringIncludes(
      text,
      "No more buses today. First tomorrow (Monday 2026-11-23) at 06:10:",
    );
    assertEquals(board.rows[0]!.departure, "06:10");
    assertEquals(board.rows[0]!.dayOffset, 1);
    assertEquals(board.rows[0]!.inMinutes, 7 * 60 + 50);
  },
);

sample(
  "bus_schedule: at 00:30 yesterday's night bus is still the next one",
  async (ask) => {
    const { board } = await ask({
      action: "trips",
      from: "火车站",
      to: "大学城",
      at: "2026-11-23T00:30",
    });
    assertEquals(board.rows[0]!.route.name, "N1");
    assertEquals([board.rows[0]!.departure, board.rows[0]!.dayOffset], [
      "00:50",
      0,
    ]);
    const evening = await ask({
      action: "trips",
      from: "火车站",
      to: "大学城",
      at: "2026-11-22T23:55",
    });
    assertEquals([
      evening.board.rows[0]!.departure,
      evening.board.rows[0]!.dayOffset,
    ], ["00:20", 1]);
  },
);

sample(
  "bus_schedule: weekends and public holidays have their own timetable",
  async (ask) => {
    const departures = async (at: string) => {
      const { board } = await ask({
        action: "trips",
        from: "火车站",
        to: "大学城",
        route: "K3",
        at,
      });
      return board.rows[0]!;
    };
    const monday = await departures("2026-11-23T06:00");
    assertEquals([monday.departure, monday.dayOffset], ["07:05", 0]);
    const saturday = await departures("2026-11-21T06:00");
    assertEquals([saturday.departure, saturday.dayOffset], ["07:05", 2]);
    // Friday 2027-01-01 and Wednesday 2025-01-29 (spring festival) run as Sunday.
    assertEquals((await departures("2027-01-01T06:00")).dayOffset, 3);
    assertEquals((await departures("2025-01-29T06:00")).dayOffset, 1);
  },
);

sample(
  "bus_schedule: without a direct bus it finds one change, 2 to 60 minutes",
  async (ask) => {
    const { text, board } = await ask({
      action: "trips",
      from: "机场",
      to: "大学城",
    });
    assertStringIncludes(text, "No direct bus at this time; with one change:");
    const row = board.rows[0]!;
    assertEquals([row.departure, row.arrival, row.minutes], [
      "08:30",
      "09:37",
      67,
    ]);
    assertEquals(row.route.name, "A1");
    assertEquals(
      row.headsign.en,
      "Railway Station, change at Railway Station to 1 (09:08, leaves 09:12)",
    );
    for (const { headsign } of board.rows) {
      const [, off, on] = /(\d\d:\d\d)到，(\d\d:\d\d)开/.exec(headsign.zh)!;
      assert(off! < on!);
    }
  },
);

sample(
  "bus_schedule: first and last bus of every line and direction, in pairs",
  async (ask) => {
    const { text, board } = await ask({ action: "first_last", stop: "火车站" });
    assertEquals(board.view, "first-last");
    assertStringIncludes(
      text,
      "route 1 → 大学城南 / University South: first 06:00, last 23:00",
    );
    assertStringIncludes(
      text,
      "route N1 → 大学城南 / University South: first 23:20, last 05:20 (+1 day)",
    );
    const [first, last] = board.rows.filter((row) => row.route.name === "N1");
    assertEquals([first!.departure, first!.dayOffset, first!.inMinutes], [
      "23:20",
      0,
      null,
    ]);
    assertEquals([last!.departure, last!.dayOffset, last!.inMinutes], [
      "05:20",
      1,
      null,
    ]);
    const between = await ask({
      action: "first_last",
      from: "火车站",
      to: "大学城",
      route: "2",
    });
    assertStringIncludes(between.text, "first 06:18, last 22:18");
    assertEquals(between.board.to, { zh: "大学城", en: "University" });
  },
);

sample(
  "bus_schedule: a bus at two platforms of one place is listed once",
  async (ask) => {
    const { board } = await ask({
      action: "next_departures",
      stop: "机场",
      limit: 4,
    });
    assertEquals(board.rows.map((row) => row.departure), [
      "08:30",
      "09:00",
      "09:30",
      "10:00",
    ]);
    assert(board.rows.every((row) => row.headsign.en === "Railway Station"));
  },
);

Deno.test("bus_schedule: its schema is flat, so strict providers take it", () => {
  const tool = busSchedule(() => Promise.reject(new Error("not asked")));
  const schema = z.toJSONSchema(tool.input, { io: "input" });
  assertEquals(schema.required, ["action"]);
  for (const property of Object.values(schema.properties!)) {
    assertMatch(
      JSON.stringify(property),
      /"type":"string"|"type":\["(string|number)","null"\]|"anyOf"/,
    );
    assert(!JSON.stringify(property).includes('"properties"'));
  }
});
