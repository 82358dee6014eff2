import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { strToU8, zipSync } from "fflate";
import {
  type FeedText,
  smallFeed,
  stopTimes,
  withBus,
  zipped,
} from "./small_feed.ts";

/** A feed that is refused: asking says why, and so does one line of the log. */
function refused(feed: FeedText | Uint8Array | string, reason: string) {
  return withBus(feed, async ({ ask, warnings }) => {
    await assertRejects(
      () => ask({ action: "next_departures", stop: "Alpha" }),
      Error,
      reason,
    );
    assertStringIncludes(warnings[0]!, "GTFS_FEED cannot be used: ");
    assertStringIncludes(warnings[0]!, reason);
  });
}

const TIMES = smallFeed()["stop_times.txt"]!;

Deno.test("T15: NaN where a time should be refuses the feed, naming file, line and field", () =>
  refused(
    smallFeed({ "stop_times.txt": TIMES.replace("08:11:00", "NaN") }),
    'stop_times.txt line 3, field departure_time: is not a time HH:MM:SS: "NaN"',
  ));

for (
  const time of [
    "08:60:00",
    "-1:00:00",
    "8h10",
    "08:10",
    "Infinity",
    "1e3",
    "0x10:00:00",
    "999:00:00",
  ]
) {
  Deno.test(`T15: "${time}" is no time and never becomes one`, () =>
    refused(
      smallFeed({ "stop_times.txt": TIMES.replace("08:10:00", time) }),
      `stop_times.txt line 3, field arrival_time: is not a time HH:MM:SS: "${time}"`,
    ));
}

const FAULTS: [string, Record<string, string | null>, string][] = [
  ["a missing file", { "routes.txt": null }, "has no file routes.txt"],
  [
    "no calendar of either kind",
    { "calendar.txt": null },
    "has neither calendar.txt nor calendar_dates.txt",
  ],
  [
    "a missing column",
    { "stops.txt": "stop_name\nAlpha\n" },
    'stops.txt: has no column "stop_id"',
  ],
  ["an empty file", { "trips.txt": "" }, "trips.txt: is empty"],
  [
    "an impossible date",
    {
      "calendar.txt": smallFeed()["calendar.txt"]!.replace(
        "20260101",
        "20260230",
      ),
    },
    'calendar.txt line 2, field start_date: is not a date YYYYMMDD: "20260230"',
  ],
  [
    "an unknown time zone",
    {
      "agency.txt":
        "agency_name,agency_url,agency_timezone\nM,https://m.example/,Mars/Base\n",
    },
    'agency.txt line 2, field agency_timezone: is not a time zone: "Mars/Base"',
  ],
  [
    "a shifted row",
    { "stops.txt": "stop_id,stop_name\na,Alpha, the first\n" },
    "stops.txt line 2: has 3 values, the header has 2",
  ],
  [
    "an open quote",
    { "stops.txt": 'stop_id,stop_name\na,"Alpha\nb,Beta\n' },
    "stops.txt line 2: has quotes that do not match",
  ],
  ["a stop that stands twice", {
    "stops.txt": "stop_id,stop_name\na,Alpha\na,Beta\n",
  }, "stops.txt line 3, field stop_id: stands twice"],
  ["NaN as a coordinate", {
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\na,Alpha,NaN,0\n",
  }, 'stops.txt line 2, field stop_lat: is not a number: "NaN"'],
  ["a sequence that stands twice", {
    "stop_times.txt": TIMES.replace(",b,2", ",b,1"),
  }, "field stop_sequence: stands twice: 1"],
  ["a parent station that is not there", {
    "stops.txt": "stop_id,stop_name,parent_station\na,Alpha,zz\n",
  }, 'field parent_station: is not in the feed: "zz"'],
  ["a calendar without days", {
    "calendar.txt": smallFeed()["calendar.txt"]!.replaceAll(
      /[01],[01],[01],[01],[01],[01],[01]/g,
      "0,0,0,0,0,0,0",
    ),
  }, "has no trip that runs on any day"],
];
for (const [what, changes, reason] of FAULTS) {
  Deno.test(`T15: ${what} refuses the feed with a reason`, () =>
    refused(smallFeed(changes), reason));
}

Deno.test("T15: bytes that are not UTF-8 refuse the feed instead of garbling names", () => {
  const files = Object.fromEntries(
    Object.entries(smallFeed()).map(([name, text]) => [name, strToU8(text)]),
  );
  // 车站 as GBK writes it.
  const gbk = new Uint8Array([0xb3, 0xb5, 0xd5, 0xbe]);
  const stops = [strToU8("stop_id,stop_name\na,"), gbk, strToU8("\n")];
  files["stops.txt"] = new Uint8Array(stops.flatMap((part) => [...part]));
  return refused(zipSync(files), "stops.txt: is not UTF-8 text");
});

Deno.test("T15: a trip that goes back in time is left out whole, counted and logged", () =>
  withBus(
    smallFeed({
      "stop_times.txt": stopTimes(
        "t1: a@08:00:00 b@07:50:00 c@08:20:00",
        "t2: a@10:00:00 c@10:20:00",
      ),
    }),
    async ({ ask, warnings }) => {
      const { text, board } = await ask({
        action: "next_departures",
        stop: "Alpha",
      });
      assertEquals(board.rows[0]!.departure, "10:00");
      assertStringIncludes(text, "trips with faulty data left out: 1");
      assertStringIncludes(
        warnings[0]!,
        "stop_times.txt line 3, field arrival_time: goes back in time",
      );
    },
  ));

Deno.test("T15: trips with unknown stops, services or routes or a blank end are left out", () =>
  withBus(
    smallFeed({
      "trips.txt":
        "route_id,service_id,trip_id\nr,wd,t1\nr,wd,t2\nnone,wd,t3\nr,none,t4\nr,wd,good\nr,wd,alone\n",
      "stop_times.txt": stopTimes(
        "t1: a@08:00:00 x@08:10:00 c@08:20:00",
        "t2: a@ c@10:20:00",
        "t3: a@08:01:00 c@08:20:00",
        "t4: a@08:02:00 c@08:20:00",
        "good: a@09:00:00 c@09:20:00",
        "alone: a@09:10:00",
        "stray: a@09:11:00 c@09:20:00",
      ),
    }),
    async ({ ask, warnings }) => {
      const { text, board } = await ask({
        action: "next_departures",
        stop: "Alpha",
      });
      assertEquals(board.rows.map((row) => row.departure), ["09:00"]);
      assertStringIncludes(text, "trips with faulty data left out: 5");
      assertStringIncludes(
        warnings[0]!,
        'field stop_id: is not in the feed: "x"',
      );
      assertStringIncludes(warnings[0]!, "2 rows belong to no trip");
    },
  ));

Deno.test("T15: blank times between two known ones are told as about, never as exact", () =>
  withBus(
    smallFeed({
      "stop_times.txt": stopTimes("t1: a@08:00:00 b@ c@08:20:00"),
      "trips.txt": "route_id,service_id,trip_id,trip_headsign\nr,wd,t1,Gamma\n",
    }),
    async ({ ask }) => {
      const { text, board } = await ask({
        action: "next_departures",
        stop: "Beta",
      });
      assertEquals(board.rows[0]!.departure, "08:10");
      assertEquals(board.rows[0]!.headsign, {
        zh: "Gamma（约）",
        en: "Gamma (about)",
      });
      assertStringIncludes(text, "(about)");
      const exact = await ask({ action: "next_departures", stop: "Alpha" });
      assertEquals(exact.board.rows[0]!.headsign.en, "Gamma");
    },
  ));

Deno.test("T15: frequencies become departures, and inexact ones say how often", () =>
  withBus(
    smallFeed({
      "frequencies.txt":
        "trip_id,start_time,end_time,headway_secs,exact_times\nt1,08:00:00,09:00:00,1200,1\nt2,24:00:00,25:00:00,900,0\n",
    }),
    async ({ ask }) => {
      const exact = await ask({
        action: "trips",
        from: "Beta",
        to: "Gamma",
        limit: 3,
      });
      assertEquals(exact.board.rows.map((row) => row.departure), [
        "08:11",
        "08:31",
        "08:51",
      ]);
      assertEquals(exact.board.rows[0]!.headsign.en, "Gamma");
      const night = await ask({
        action: "next_departures",
        stop: "Alpha",
        at: "2026-06-06T23:00",
      });
      assertEquals(night.board.rows.map((row) => row.departure), [
        "00:00",
        "00:15",
        "00:30",
        "00:45",
      ]);
      assertEquals(night.board.rows[0]!.headsign, {
        zh: "Gamma（约每15分钟一班）",
        en: "Gamma (about every 15 min)",
      });
    },
  ));

Deno.test("T15: a stop name with HTML is a name like any other, on one line", () =>
  withBus(
    smallFeed({
      "stops.txt":
        'stop_id,stop_name\na,"<img src=x onerror=alert(1)>\n& ""Alpha""\u202e"\nb,Beta\nc,<b>Gamma</b>\n',
    }),
    async ({ ask }) => {
      const { text, board } = await ask({
        action: "next_departures",
        stop: "a",
      });
      assertEquals(board.from.en, '<img src=x onerror=alert(1)> & "Alpha"');
      assertStringIncludes(
        text.split("\n")[0]!,
        '<img src=x onerror=alert(1)> & "Alpha"',
      );
      const { stops } = await ask({ action: "find_stops", query: "gamma" });
      assertEquals(stops.stops[0]!.name.zh, "<b>Gamma</b>");
    },
  ));

Deno.test("feed: byte order mark, CRLF, quotes, blank lines, spaces and extra columns are read", () => {
  const feed = smallFeed({
    "stops.txt":
      'stop_id,stop_name,stop_lat,stop_lon\na,"Alpha, ""north""",40,-74\nb,Beta,40.1,-74\n\nc, Gamma ,40.2,-74\n',
  });
  const windows = Object.fromEntries(
    Object.entries(feed).map((
      [name, text],
    ) => [name, "\ufeff" + text.replaceAll("\n", "\r\n")]),
  );
  return withBus(windows, async ({ ask, warnings }) => {
    const { board } = await ask({
      action: "trips",
      from: "Alpha, north",
      to: "Gamma",
    });
    assertEquals(board.from.en, 'Alpha, "north"');
    assertEquals(board.rows[0]!.departure, "08:00");
    assertEquals(warnings, []);
  });
});

Deno.test("feed: translations by record, by value and in the older form are used", async () => {
  const forms = [
    "table_name,field_name,language,translation,record_id\nstops,stop_name,zh-Hans,阿尔法,a\n",
    "table_name,field_name,language,translation,field_value\nstops,stop_name,zh,阿尔法,Alpha\n",
    "trans_id,lang,translation\nAlpha,zh-CN,阿尔法\n",
  ];
  for (const form of forms) {
    await withBus(smallFeed({ "translations.txt": form }), async ({ ask }) => {
      const { text, board } = await ask({
        action: "next_departures",
        stop: "阿尔法站",
      });
      assertEquals(board.from, { zh: "阿尔法", en: "Alpha" });
      assertStringIncludes(text, "阿尔法 / Alpha");
    });
  }
});

Deno.test("feed: a zip is read, also with its folder inside, in any order of rows", async () => {
  const rows = TIMES.trim().split("\n");
  const mixed = [rows[0], ...rows.slice(1).reverse()].join("\n");
  const feed = smallFeed({ "stop_times.txt": mixed });
  for (const prefix of ["", "export/gtfs/"]) {
    await withBus(zipped(feed, prefix), async ({ ask }) => {
      const { board } = await ask({
        action: "trips",
        from: "Alpha",
        to: "Gamma",
      });
      assertEquals([board.rows[0]!.departure, board.rows[0]!.arrival], [
        "08:00",
        "08:20",
      ]);
    });
  }
});

Deno.test("feed: a table larger than one piece keeps every row and the right line", () => {
  const trips = Array.from({ length: 6000 }, (_, i) => `t${i}`);
  const time = (i: number) =>
    `${String(5 + Math.floor(i / 600)).padStart(2, "0")}:${
      String(Math.floor(i / 10) % 60).padStart(2, "0")
    }:${String(i % 10).padStart(2, "0")}`;
  const times = trips.map((id, i) => `${id}: a@${time(i)} c@23:00:00`);
  const feed = {
    "trips.txt": [
      "route_id,service_id,trip_id",
      ...trips.map((id) => `r,wd,${id}`),
    ].join("\n"),
    "stop_times.txt": stopTimes(...times),
  };
  return withBus(smallFeed(feed), async ({ ask }) => {
    const { board } = await ask({
      action: "next_departures",
      stop: "Alpha",
      at: "2026-06-01T14:59",
      limit: 20,
    });
    assertEquals(
      board.rows.filter((row) =>
        row.departure === "14:59" && row.dayOffset === 0
      ).length,
      10,
    );
    const broken = feed["stop_times.txt"].replace(
      "t5999,23:00:00",
      "t5999,NaN",
    );
    await refused(
      smallFeed({ ...feed, "stop_times.txt": broken }),
      "stop_times.txt line 12001, field arrival_time",
    );
  });
});
