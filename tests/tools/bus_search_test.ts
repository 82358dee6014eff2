import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Ask, smallFeed, stopTimes, withBus } from "./small_feed.ts";

/** The ids `find_stops` gives, and the place `next_departures` decides for. */
async function found(ask: Ask, query: string) {
  const list = await ask({ action: "find_stops", query, limit: 20 });
  const answer = await ask({ action: "next_departures", stop: query });
  return {
    ids: list.stops.stops.map(({ id }) => id),
    decided: answer.board.kind === "board" ? answer.board.from.zh : null,
    text: answer.text,
  };
}

Deno.test("stop search: suffixes, width, case and punctuation do not matter (issue 2.6)", () =>
  withBus(null, async ({ ask }) => {
    for (
      const [query, name] of [
        ["火车站", "火车站"],
        ["火车", "火车站"],
        ["火车站公交站", "火车站"],
        ["火車站", "火车站"],
        ["train station", "火车站"],
        ["Railway-Station", "火车站"],
        ["RAILWAY STN.", "火车站"],
        ["大学城站", "大学城"],
        ["大学城公交车站", "大学城"],
        ["大学城车站", "大学城"],
        ["the university bus stop", "大学城"],
        ["Ｕｎｉｖｅｒｓｉｔｙ", "大学城"],
        ["People’s Square", "人民广场"],
        ["peoples square", "人民广场"],
        ["sports center", "体育中心"],
        ["长途汽车站", "长途汽车站"],
        ["第三中学", "第三中学"],
      ] as const
    ) {
      assertEquals((await found(ask, query)).decided, name, query);
    }
  }));

Deno.test("stop search: an exact name wins over names that begin with it", () =>
  withBus(null, async ({ ask }) => {
    const { ids, decided } = await found(ask, "大学城");
    assertEquals(ids, ["UN", "US", "UL"]);
    assertEquals(decided, "大学城");
  }));

Deno.test("stop search: 大学城 finds 大学城南 where there is no exact one, and says so", () =>
  withBus(
    smallFeed({
      "stops.txt":
        "stop_id,stop_name,stop_lat,stop_lon\na,大学城南,30,120\nb,Beta,30.1,120\nc,Gamma,30.2,120\n",
    }),
    async ({ ask }) => {
      const { decided, text } = await found(ask, "大学城");
      assertEquals(decided, "大学城南");
      assertStringIncludes(text, '"大学城" was read as 大学城南.');
    },
  ));

Deno.test("stop search: a slip of the keyboard is forgiven, and the reading told", () =>
  withBus(null, async ({ ask }) => {
    for (
      const [query, name] of [
        ["raiway station", "火车站"],
        ["univeristy", "大学城"],
        ["Exhibiton Center", "会展中心"],
      ] as const
    ) {
      const { decided, text } = await found(ask, query);
      assertEquals(decided, name, query);
      assertStringIncludes(text, `"${query}" was read as ${name}`);
    }
  }));

Deno.test("stop search: shared characters are offered, never taken for the stop", () =>
  withBus(null, async ({ ask }) => {
    const { ids, decided, text } = await found(ask, "人民公园广场");
    assertEquals(ids, ["PS"]);
    assertEquals(decided, null);
    assertStringIncludes(text, "Ask the person whether one of these is meant");
  }));

Deno.test("stop search: a feed in English only is found by common Chinese names", () =>
  withBus(
    smallFeed({
      "stops.txt":
        "stop_id,stop_name,stop_lat,stop_lon\na,Railway Station,40,-74\nb,Beta,40.1,-74\nc,Airport,40.2,-74\n",
    }),
    async ({ ask }) => {
      assertEquals((await found(ask, "火车站")).decided, "Railway Station");
      const { board } = await ask({
        action: "trips",
        from: "火车站",
        to: "机场",
      });
      assertEquals(board.rows[0]!.departure, "08:00");
    },
  ));

Deno.test("stop search: one name on both sides of a street is one place, far apart it is two", () =>
  withBus(
    smallFeed({
      "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n" +
        "a,Market,40.0000,-74\nb,market stop,40.0005,-74\nc,Market,41,-74\nd,Delta,40.5,-74\n",
      "stop_times.txt": stopTimes(
        "t1: a@08:00:00 d@08:20:00",
        "t2: d@10:00:00 b@10:20:00 c@11:00:00",
      ),
    }),
    async ({ ask }) => {
      const { ids, decided } = await found(ask, "Market");
      assertEquals(ids, ["a", "c"]);
      assertEquals(decided, null);
      const { board } = await ask({ action: "next_departures", stop: "b" });
      assertEquals(board.rows[0]!.departure, "08:00");
    },
  ));

Deno.test("stop search: hostile queries find nothing and take no time", () =>
  withBus(null, async ({ ask }) => {
    const queries = [
      '" OR 1=1 --',
      "%",
      "_",
      "___",
      "(",
      "[a",
      "\\",
      "🚌",
      "a".repeat(100_000),
      "站".repeat(50_000),
      "__proto__",
      "constructor",
    ];
    const start = performance.now();
    for (const query of queries) {
      const { stops, text } = await ask({ action: "find_stops", query });
      assertEquals(stops.kind, "stops");
      assertEquals(text.length < 2000, true);
    }
    assertEquals(performance.now() - start < 2000, true);
  }));
