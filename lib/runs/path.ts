/**
 * The runs of a chat form a tree: each answers after its parent. What a run is
 * told is the path to it, not everything that was ever tried.
 *
 * @module
 */
import type { RunRow } from "../store/contract.ts";

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
