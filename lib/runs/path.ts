/**
 * The runs of a chat form a tree: each answers after its parent. What a run is
 * told is the path to it, and what people see is one path, not everything that
 * was ever tried.
 *
 * @module
 */
import type { ChatRow, RunRow } from "../store/contract.ts";
import { askedWith } from "./asked.ts";

/** The turns before `row`, oldest first. */
export function pathTo(row: RunRow, rows: RunRow[]): RunRow[] {
  const byId = new Map(rows.map((each) => [each.id, each]));
  const path: RunRow[] = [];
  let parent = row.parent;
  while (parent !== null) {
    const before = byId.get(parent);
    if (before === undefined) break;
    path.unshift(before);
    parent = before.parent;
  }
  return path;
}

/** The last run of the branch people see; null in an empty chat. */
export function leafOf(chat: ChatRow, rows: RunRow[]): string | null {
  const chosen = rows.find(({ id }) => id === chat.leaf);
  return (chosen ?? rows.at(-1))?.id ?? null;
}

/** The branch people see, oldest turn first. */
export function shownPath(chat: ChatRow, rows: RunRow[]): RunRow[] {
  const leaf = leafOf(chat, rows);
  const row = rows.find(({ id }) => id === leaf);
  return row === undefined ? [] : [...pathTo(row, rows), row];
}

/**
 * Which runs stand in one place, oldest first, by the parent they share. One
 * whose answer another went on with is not a version of its own, unless something
 * was asked after it: that must not get out of reach.
 */
export function versions(rows: RunRow[]): Map<string | null, string[]> {
  const continued = new Set(
    rows.map(({ options }) => askedWith(options).continues),
  );
  const parents = new Set(rows.map(({ parent }) => parent));
  const places = new Map<string | null, string[]>();
  for (const { id, parent } of rows) {
    if (continued.has(id) && !parents.has(id)) continue;
    places.set(parent, [...places.get(parent) ?? [], id]);
  }
  return places;
}

/** The last run of the branch `run` is on: always the newest way on. */
export function leafUnder(run: string, rows: RunRow[]): string {
  const next = rows.findLast(({ parent }) => parent === run);
  return next === undefined ? run : leafUnder(next.id, rows);
}
