/**
 * A run's whole log, or the answer it was sealed with, read from the store.
 *
 * @module
 */
import { type Answer, emptyAnswer } from "../chat/answer.ts";
import { fold } from "../chat/fold.ts";
import type { RunRow, Store } from "../store/contract.ts";
import { type Entry, fromStored } from "./entry.ts";

/** Entries read at a time. */
const PAGE = 512;

/** Every entry committed so far, in order. */
export async function* readLog(
  store: Store,
  run: string,
): AsyncGenerator<Entry> {
  for (let after = 0;;) {
    const page = await store.read(run, after, PAGE);
    if (page.length === 0) return;
    for (const stored of page) yield fromStored(stored);
    after = page.at(-1)!.seq;
  }
}

/** The answer the log tells so far. */
export async function foldLog(store: Store, run: string): Promise<Answer> {
  const answer = emptyAnswer(run);
  for await (const entry of readLog(store, run)) fold(answer, entry);
  return answer;
}

/** The answer a run was sealed with; null while it is running. */
export function sealedAnswer(row: RunRow): Answer | null {
  if (row.message === null) return null;
  // One sealed by an older version lacks what came since.
  return { ...emptyAnswer(row.id), ...JSON.parse(row.message) };
}
