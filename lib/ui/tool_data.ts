/**
 * What a tool gave the screen, looked at before it is drawn: it came through a
 * log and a network, and an older or newer server may have said it differently
 * (case X06).
 *
 * @module
 */
import type { BoardData, StopsData } from "../chat/boards.ts";
import type { Json } from "../chat/events.ts";

/** A web page that was read. */
export interface PageData {
  kind: "page";
  /** Where the text came from, after all redirects. */
  url: string;
  title: string;
}

type ToolData = BoardData | StopsData | PageData;

/** Data we have a drawing for, else null: the answer is then shown as text. */
export function toolData(data: Json | undefined): ToolData | null {
  const value = data as unknown as ToolData;
  try {
    if (value?.kind === "board" && isBoard(value)) return value;
    if (value?.kind === "stops" && isStops(value)) return value;
    if (value?.kind === "page" && isPage(value)) return value;
  } catch {
    // A field was not even an object.
  }
  return null;
}

function isBoard(board: BoardData): boolean {
  return ["departures", "trips", "first-last"].includes(board.view) &&
    isLabel(board.from) && (board.to === null || isLabel(board.to)) &&
    isText(board.date) && isText(board.time) &&
    isText(board.feed.publisher) &&
    (board.feed.validUntil === null || isText(board.feed.validUntil)) &&
    board.rows.every((row) =>
      isRoute(row.route) && isLabel(row.headsign) && isText(row.departure) &&
      (row.inMinutes === null || typeof row.inMinutes === "number") &&
      typeof row.dayOffset === "number" &&
      (row.arrival === undefined || isText(row.arrival)) &&
      (row.minutes === undefined || typeof row.minutes === "number")
    );
}

function isStops(found: StopsData): boolean {
  return isText(found.query) &&
    found.stops.every((stop) =>
      isLabel(stop.name) && stop.routes.every(isRoute)
    );
}

function isPage(page: PageData): boolean {
  return isText(page.url) && isText(page.title);
}

const isText = (value: unknown) => typeof value === "string";
const isLabel = (label: { zh: unknown; en: unknown }) =>
  isText(label.zh) && isText(label.en);
const isRoute = (route: BoardData["rows"][0]["route"]) =>
  isText(route.name) &&
  [route.color, route.textColor].every((colour) =>
    colour === null || isText(colour)
  );

/** The arguments in one line: `火车站 → 大学城`, or the values one after another. */
export function inputLine(input: Json | undefined): string {
  if (input === null || typeof input !== "object" || Array.isArray(input)) {
    return typeof input === "string" ? input : "";
  }
  const { from, to } = input;
  if (typeof from === "string" && typeof to === "string") {
    return `${from} → ${to}`;
  }
  return Object.entries(input)
    .filter(([name, value]) =>
      name !== "action" &&
      (typeof value === "string" || typeof value === "number")
    )
    .map(([, value]) => String(value))
    .join(" · ");
}
