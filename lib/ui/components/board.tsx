import type {
  BoardData,
  BoardRow,
  BusRoute,
  FeedNote,
  StopsData,
} from "../../chat/boards.ts";
import { useLabel, useWords } from "../words.ts";
import { type WorkMessages, workMessages } from "../work_messages.ts";

/** Times as a departure board shows them, with where they come from. */
export function Board({ data }: { data: BoardData }) {
  const text = useWords(workMessages);
  const label = useLabel();
  const heading = {
    departures: text.departures,
    trips: text.trips,
    "first-last": text.firstLast,
  }[data.view];
  return (
    <figure class="board" data-testid="board">
      <figcaption>
        <span class="board-place">
          {label(data.from)}
          {data.to !== null && <i>→</i>}
          {data.to !== null && label(data.to)}
        </span>
        <span class="board-when">
          {heading} <span class="digits">{data.date.slice(5)} {data.time}</span>
        </span>
      </figcaption>
      {data.rows.length === 0
        ? <p class="none">{text.noDepartures}</p>
        : <Rows rows={data.rows} />}
      <Feed feed={data.feed} />
    </figure>
  );
}

function Rows({ rows }: { rows: BoardRow[] }) {
  const text = useWords(workMessages);
  const label = useLabel();
  const waits = rows.some((row) => row.inMinutes !== null);
  const arrivals = rows.some((row) => row.arrival !== undefined);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{text.boardRoute}</th>
          <th scope="col">{text.boardTo}</th>
          {waits && <th scope="col" class="end wait">{text.boardIn}</th>}
          <th scope="col" class="end">{text.boardDeparture}</th>
          {arrivals && (
            <th scope="col" class="end arrival">{text.boardArrival}</th>
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          <tr key={at}>
            <td>
              <RouteBadge route={row.route} />
            </td>
            <td class="headsign">
              {label(row.headsign)}
              <small>
                {/* Narrow screens have no column for the wait. */}
                {waits && <b>{wait(row, text)}</b>}
                {row.minutes !== undefined && text.onTheWay(row.minutes)}
              </small>
            </td>
            {waits && <td class="end wait">{wait(row, text)}</td>}
            <td class="end">
              <Flaps time={row.departure} />
              {row.dayOffset > 0 && <small>{text.nextDay(row.dayOffset)}
              </small>}
            </td>
            {arrivals && <td class="end arrival digits">{row.arrival}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Stops found by name, and the lines that call there. */
export function Stops({ data }: { data: StopsData }) {
  const text = useWords(workMessages);
  const label = useLabel();
  return (
    <figure class="board stops" data-testid="stops">
      <figcaption>
        <span class="board-place">{text.stopsFound(data.query)}</span>
      </figcaption>
      {data.stops.length === 0 ? <p class="none">{text.noStops}</p> : (
        <ul>
          {data.stops.map((stop) => (
            <li key={stop.id}>
              <span class="headsign">{label(stop.name)}</span>
              <span class="badges">
                {stop.routes.map((route) => (
                  <RouteBadge key={route.name} route={route} />
                ))}
              </span>
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}

function wait({ inMinutes }: BoardRow, text: WorkMessages): string {
  if (inMinutes === null) return "";
  if (inMinutes < 1) return text.now;
  if (inMinutes < 60) return text.minutes(inMinutes);
  return text.hoursMinutes(Math.floor(inMinutes / 60), inMinutes % 60);
}

/** Each character on its own flap; read and copied as plain text. */
function Flaps({ time }: { time: string }) {
  return (
    <span class="flaps">
      {[...time].map((sign, at) => (
        <span key={at} class={sign === ":" ? "colon" : "flap"}>{sign}</span>
      ))}
    </span>
  );
}

/** Character cells a name takes: full-width signs take two. */
const cells = (name: string) =>
  [...name].reduce((sum, sign) => sum + (sign > "\u2e7f" ? 2 : 1), 0);

/**
 * A line's name on its colour. Drawn as SVG, whose `fill` attribute the page's
 * policy allows where a `style` attribute would be refused.
 */
function RouteBadge({ route }: { route: BusRoute }) {
  const name = route.name.slice(0, 10);
  const width = Math.max(34, cells(name) * 8.6 + 16);
  const fill = colour(route.color);
  return (
    <svg
      class="badge"
      width={width}
      height="24"
      viewBox={`0 0 ${width} 24`}
      role="img"
      aria-label={route.name}
    >
      <rect class="badge-plate" width={width} height="24" rx="6" fill={fill} />
      <text
        x={width / 2}
        y="12.5"
        text-anchor="middle"
        dominant-baseline="central"
        fill={fill && (colour(route.textColor) ?? inkOn(fill))}
      >
        {name}
      </text>
    </svg>
  );
}

function colour(hex: string | null): string | undefined {
  return hex !== null && /^[0-9a-f]{6}$/i.test(hex) ? `#${hex}` : undefined;
}

/** Black or white, whichever is read better on `fill` (WCAG luminance). */
function inkOn(fill: string): string {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(fill.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! > 0.18 ? "#000" : "#fff";
}

function Feed({ feed }: { feed: FeedNote }) {
  const text = useWords(workMessages);
  return (
    <p class="feed-note">
      {text.feed(feed.publisher)}
      {feed.validUntil !== null && ` · ${text.feedUntil(feed.validUntil)}`}
      {feed.outOfDate && <strong>{text.feedOld}</strong>}
    </p>
  );
}
