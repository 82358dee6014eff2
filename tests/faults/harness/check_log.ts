/**
 * N3 and N4 in one run's log: one line of entries without a gap, owners one after
 * the other, exactly one end, and an answer that is what the log tells.
 *
 * @module
 */
import { emptyAnswer } from "../../../lib/chat/answer.ts";
import { isTerminal, type RunEvent } from "../../../lib/chat/events.ts";
import { fold } from "../../../lib/chat/fold.ts";
import type { RunRow, StoredEntry } from "../../../lib/store/contract.ts";
import type { Broken } from "./checker.ts";

export function checkLog(row: RunRow, log: StoredEntry[], broken: Broken) {
  const { id, status } = row;
  let ends = 0;
  let epoch = 1;
  const answer = emptyAnswer(id);
  for (const [at, entry] of log.entries()) {
    const event = JSON.parse(entry.json) as RunEvent;
    if (entry.seq !== at + 1) {
      return broken(
        "N3",
        `run "${id}" has entry ${entry.seq} in place ${at + 1}`,
      );
    }
    if (entry.epoch < epoch) {
      broken("N3", `run "${id}": epoch ${entry.epoch} wrote after ${epoch}`);
    }
    epoch = Math.max(epoch, entry.epoch);
    if (ends > 0) broken("N3", `run "${id}" has an entry after its end`);
    if (isTerminal(event)) ends++;
    const change = fold(answer, { ...entry, event });
    if (change.kind === "gap") {
      broken("N3", `run "${id}" has a text with a hole before ${entry.seq}`);
    }
  }
  if (row.lastSeq !== log.length) {
    broken("N3", `run "${id}" has ${log.length} entries, not ${row.lastSeq}`);
  }
  if (epoch > row.epoch) {
    broken("N3", `run "${id}": epoch ${epoch} wrote, but it has ${row.epoch}`);
  }
  if (status === "running") {
    if (ends > 0) broken("N3", `run "${id}" has its end, and is running`);
    return;
  }
  if (ends !== 1) {
    return broken("N4", `run "${id}" is ${status} with ${ends} terminals`);
  }
  if (answer.status !== status) {
    broken("N4", `run "${id}" is ${status}, its log says ${answer.status}`);
  }
  if (row.message !== JSON.stringify(answer)) {
    broken("N3", `the answer of run "${id}" is not what its log tells`);
  }
}
