import { assertEquals, assertStringIncludes } from "@std/assert";
import { smallFeed, stopTimes, withBus } from "./small_feed.ts";

Deno.test("bus_schedule: stop order is respected, nobody rides backwards", () =>
  withBus(smallFeed(), async ({ ask }) => {
    const there = await ask({ action: "trips", from: "Alpha", to: "Gamma" });
    assertEquals(there.board.rows[0]!.departure, "08:00");
    const back = await ask({ action: "trips", from: "Gamma", to: "Alpha" });
    assertEquals(back.board.rows, []);
    assertStringIncludes(
      back.text,
      "None in the week after it either, direct or with one change.",
    );
  }));

Deno.test("bus_schedule: no getting on where a trip only sets down, none off where it only picks up", () =>
  withBus(
    smallFeed({
      "stop_times.txt":
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n" +
        "t1,08:00:00,08:00:00,a,1,0,0\nt1,08:10:00,08:10:00,b,2,1,1\nt1,08:20:00,08:20:00,c,3,0,0\n",
    }),
    async ({ ask }) => {
      const beta = await ask({ action: "next_departures", stop: "Beta" });
      assertEquals(beta.board.rows, []);
      const off = await ask({ action: "trips", from: "Alpha", to: "Beta" });
      assertEquals(off.board.rows, []);
      const whole = await ask({ action: "trips", from: "Alpha", to: "Gamma" });
      assertEquals(whole.board.rows[0]!.arrival, "08:20");
    },
  ));

for (
  const [leaves, taken] of [
    ["08:11:00", false],
    ["08:12:00", true],
    ["09:10:00", true],
    ["09:11:00", false],
  ] as const
) {
  Deno.test(`bus_schedule: arriving 08:10, a change at ${leaves} is ${taken ? "" : "not "}taken`, () =>
    withBus(
      smallFeed({
        "routes.txt": "route_id,route_short_name,route_type\nr,9,3\nq,8,3\n",
        "trips.txt": "route_id,service_id,trip_id\nr,wd,t1\nq,wd,t2\n",
        "stop_times.txt": stopTimes(
          "t1: a@08:00:00 b@08:10:00",
          `t2: b@${leaves} c@09:50:00`,
        ),
      }),
      async ({ ask }) => {
        const { board } = await ask({
          action: "trips",
          from: "Alpha",
          to: "Gamma",
        });
        assertEquals(
          board.rows.map((row) => row.arrival),
          taken ? ["09:50"] : [],
        );
      },
    ));
}
