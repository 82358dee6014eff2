/** What a tool gave the screen, before it is drawn. */
import { assertEquals } from "@std/assert";
import type { BoardData, StopsData } from "../../lib/chat/boards.ts";
import type { Json } from "../../lib/chat/events.ts";
import { inputLine, toolData } from "../../lib/ui/tool_data.ts";
import { punch } from "../../lib/ui/punch.ts";

const label = { zh: "火车站", en: "Railway Station" };
const route = { name: "1", color: "d81f3c", textColor: null };
const board: BoardData = {
  kind: "board",
  view: "trips",
  from: label,
  to: label,
  date: "2026-11-23",
  time: "07:11",
  timeZone: "Asia/Shanghai",
  rows: [{
    route,
    headsign: label,
    departure: "07:13",
    inMinutes: 2,
    dayOffset: 0,
    arrival: "07:44",
    minutes: 31,
  }],
  feed: { publisher: "Sample", validUntil: null, outOfDate: false },
};
const stops: StopsData = {
  kind: "stops",
  query: "station",
  stops: [{ id: "1", name: label, routes: [route] }],
};

const json = (value: unknown) => value as Json;

Deno.test("toolData knows boards and stops", () => {
  assertEquals(toolData(json(board)), board);
  assertEquals(toolData(json(stops)), stops);
  assertEquals(toolData(json({ ...board, to: null, rows: [] }))?.kind, "board");
});

Deno.test("safety X06: anything else is not drawn as one, and never throws", () => {
  const vnode = { type: "script", props: {}, constructor: undefined };
  for (
    const value of [
      undefined,
      null,
      1,
      "board",
      [],
      {},
      { kind: "chart" },
      { kind: "board" },
      { ...board, view: "other" },
      { ...board, from: vnode },
      { ...board, rows: {} },
      { ...board, rows: [null] },
      { ...board, rows: [{ ...board.rows[0], headsign: vnode }] },
      { ...board, rows: [{ ...board.rows[0], departure: vnode }] },
      {
        ...board,
        rows: [{ ...board.rows[0], route: { ...route, name: vnode } }],
      },
      { ...board, rows: [{ ...board.rows[0], route: { ...route, color: 7 } }] },
      { ...board, feed: null },
      { ...stops, query: vnode },
      { ...stops, stops: [{ ...stops.stops[0], routes: "x" }] },
    ]
  ) assertEquals(toolData(json(value)), null, Deno.inspect(value));
});

Deno.test("inputLine says in one line what a tool was asked", () => {
  assertEquals(inputLine({ action: "trips", from: "A", to: "B" }), "A → B");
  assertEquals(
    inputLine({ action: "departures", from: "A", limit: 5 }),
    "A · 5",
  );
  assertEquals(inputLine({ expression: "1+1" }), "1+1");
  assertEquals(inputLine({}), "");
  assertEquals(inputLine(undefined), "");
  assertEquals(inputLine([1]), "");
});

Deno.test("punch writes ITA2: T is the fifth hole alone, E the first", () => {
  assertEquals(punch("te"), [
    [false, false, false, false, true],
    [true, false, false, false, false],
  ]);
  assertEquals(punch("?"), [[false, false, true, false, false]]);
});
