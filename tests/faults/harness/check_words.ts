/**
 * N5 and N3 by what the upstream said: its words are numbered and carry the call
 * that said them, so an answer shows whether something was lost, said twice or
 * written by two owners.
 *
 * @module
 */
import { emptyAnswer } from "../../../lib/chat/answer.ts";
import type { RunEvent } from "../../../lib/chat/events.ts";
import { fold } from "../../../lib/chat/fold.ts";
import type { RunRow, StoredEntry } from "../../../lib/store/contract.ts";
import type { Broken } from "./checker.ts";
import { readScript, readWords, type Word } from "./script.ts";
import type { Call } from "./upstream.ts";

export function checkWords(
  rows: Map<string, RunRow>,
  logs: Map<string, StoredEntry[]>,
  calls: Call[],
  broken: Broken,
): void {
  const texts = new Map(
    [...logs].map(([run, log]) => [run, textOf(run, log)]),
  );
  const instances = new Map(
    calls.map(({ number, instance }) => [number, instance]),
  );
  for (const { id, text: asked, status } of rows.values()) {
    const script = readScript(asked);
    if (script === null) continue;
    const log = logs.get(id)!;
    const text = texts.get(id)!;
    const of = continues(log);
    const before = of === null ? "" : texts.get(of) ?? "";
    if (!text.startsWith(before)) {
      broken("N5", `run "${id}" takes back what run "${of}" had shown`);
      continue;
    }
    let words: Word[];
    try {
      words = readWords(text);
    } catch (error) {
      broken("N5", `run "${id}": ${(error as Error).message}`);
      continue;
    }
    const odd = words.findIndex(({ index }, at) => index !== at);
    if (odd !== -1) {
      broken(
        "N5",
        `run "${id}" says word ${words[odd]!.index} in place ${odd}`,
      );
    }
    if (status === "complete" && words.length !== script.words) {
      broken("N5", `run "${id}" is complete with ${words.length} words`);
    }
    checkOwners(id, log, readWords(before).length, instances, broken);
  }
}

/** One owner wrote each epoch, and nobody wrote in two (N3). */
function checkOwners(
  run: string,
  log: StoredEntry[],
  retold: number,
  instances: Map<number, string>,
  broken: Broken,
): void {
  const epochOf = new Map<number, number>();
  const ownerOf = new Map<number, string>();
  let held = "";
  for (const { epoch, json } of log) {
    const event = JSON.parse(json) as RunEvent;
    if (event.type !== "text-delta") continue;
    held += event.delta;
    for (const [whole, index, number] of held.matchAll(/w(\d+)\/(\d+) /g)) {
      held = held.slice(whole.length);
      if (Number(index) < retold) continue;
      const call = Number(number);
      const before = epochOf.get(call) ?? epoch;
      if (before !== epoch) {
        broken(
          "N3",
          `run "${run}": call ${call} wrote as ${before} and ${epoch}`,
        );
      }
      epochOf.set(call, epoch);
      const instance = instances.get(call);
      if (instance === undefined) continue;
      const owner = ownerOf.get(epoch) ?? instance;
      if (owner !== instance) {
        broken(
          "N3",
          `run "${run}": ${owner} and ${instance} wrote as ${epoch}`,
        );
      }
      ownerOf.set(epoch, owner);
    }
  }
}

/** The text an answer shows. */
function textOf(run: string, log: StoredEntry[]): string {
  const answer = emptyAnswer(run);
  for (const entry of log) {
    fold(answer, { ...entry, event: JSON.parse(entry.json) as RunEvent });
  }
  return answer.parts
    .map((part) => part.kind === "text" ? part.text : "")
    .join("");
}

/** The run whose answer this one begins with. */
function continues([first]: StoredEntry[]): string | null {
  if (first === undefined) return null;
  const start = JSON.parse(first.json) as RunEvent;
  return start.type === "start"
    ? start.messageMetadata.continues ?? null
    : null;
}
