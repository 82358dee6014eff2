/**
 * The offline checker of the contract N1-N12 (Jepsen's method): what clients were
 * told, against what the store holds when all is quiet. It knows nothing of how
 * the server works.
 *
 * What it cannot see from here is checked where it happens: N7 by the Stop tests,
 * N9 and N11 by the tests of the store's faults.
 *
 * @module
 */
import type { RunRow } from "../../../lib/store/contract.ts";
import { checkLog } from "./check_log.ts";
import { checkShown } from "./check_shown.ts";
import { checkWords } from "./check_words.ts";
import type { Content } from "./content.ts";
import type { History } from "./history.ts";
import type { Call } from "./upstream.ts";

/** A promise that was broken. */
export interface Violation {
  promise: `N${number}`;
  what: string;
}

/** Writes down a broken promise. */
export type Broken = (promise: Violation["promise"], what: string) => void;

export interface CheckOptions {
  history: History;
  content: Content;
  /** What the upstream was asked. */
  calls?: Call[];
  /** How often each call with an effect was run, by the question's key. */
  effects?: Map<string, number>;
}

/**
 * Finds every broken promise. Only when nothing can be running any more: lease
 * and two seconds after the last death (N4).
 */
export function check(options: CheckOptions): Violation[] {
  const { history, content, calls = [], effects = new Map() } = options;
  const violations: Violation[] = [];
  const broken: Broken = (promise, what) => violations.push({ promise, what });
  const rows = new Map(
    content.chats.flatMap(({ runs }) => runs.map((row) => [row.id, row])),
  );
  checkKept(history, content, rows, broken);
  checkKeys(history, content, broken);
  for (const row of rows.values()) {
    checkLog(row, content.logs.get(row.id) ?? [], broken);
    if (row.status === "running" && row.leaseOwner !== null) {
      broken("N4", `run "${row.id}" is still running`);
    }
  }
  checkShown(history, content.logs, broken);
  checkWords(rows, content.logs, calls, broken);
  checkOrder(history, content, broken);
  for (const [key, count] of effects) {
    if (count > 1) broken("N8", `the tool of "${key}" ran ${count} times`);
  }
  return violations;
}

/** N1: what was acknowledged is there, word for word. */
function checkKept(
  history: History,
  { chats, due }: Content,
  rows: Map<string, RunRow>,
  broken: Broken,
): void {
  const texts = textsOf(history);
  for (const { key, run, chat } of history.of("acked")) {
    const row = rows.get(run);
    if (row === undefined) {
      broken(
        "N1",
        `"${key}" was acknowledged as run "${run}": it is not there`,
      );
    } else if (row.text !== texts.get(key) || row.chat !== chat) {
      broken("N1", `run "${run}" is not what "${key}" asked`);
    }
  }
  for (const { run, of } of history.of("continued")) {
    if (!rows.has(run)) {
      broken(
        "N1",
        `Continue of "${of}" was acknowledged as "${run}": not there`,
      );
    }
  }
  for (const { key, chat: id } of history.of("queued")) {
    const chat = chats.find((each) => each.id === id);
    const text = texts.get(key);
    const waits = chat?.queue.some((each) => each.text === text) ?? false;
    const asked = chat?.runs.some((each) => each.text === text) ?? false;
    if (!waits && !asked) broken("N1", `"${key}" was to wait, and is gone`);
    if (waits && asked) broken("N10", `"${key}" was sent, and still waits`);
  }
  for (const { id, chat } of due) {
    broken(
      "N1",
      `message "${id}" of chat "${chat}" is due, and nobody sends it`,
    );
  }
}

/** N10: one key, one run, however often it was sent; N3: one answer. */
function checkKeys(
  history: History,
  { chats, logs }: Content,
  broken: Broken,
): void {
  const told = new Map<string, string>();
  const acks = [...history.of("acked"), ...history.of("continued")];
  for (const { key, run } of acks) {
    const before = told.get(key);
    if (before !== undefined && before !== run) {
      broken("N10", `key "${key}" was told run "${before}", then "${run}"`);
    }
    told.set(key, run);
  }
  const keys = new Map([...textsOf(history)].map(([key, text]) => [text, key]));
  const known = new Set(told.values());
  const asked = new Map<string, string>();
  for (const { id, text } of chats.flatMap(({ runs }) => runs)) {
    if (isContinuation(logs.get(id)?.[0]?.json)) {
      // Each Continue is answered before the test is over.
      if (!known.has(id)) broken("N10", `nobody was told of run "${id}"`);
      continue;
    }
    if (!keys.has(text)) broken("N10", `nobody asked what run "${id}" answers`);
    const before = asked.get(text);
    if (before !== undefined) {
      const key = keys.get(text);
      broken("N10", `key "${key}" has two runs: "${before}" and "${id}"`);
    }
    asked.set(text, id);
  }
}

/** N12: what was asked after an acknowledgement stands after it. */
function checkOrder(history: History, { chats }: Content, broken: Broken) {
  const sentAt = new Map<string, number>();
  for (const { key, at } of history.of("sent")) {
    if (!sentAt.has(key)) sentAt.set(key, at);
  }
  const acked = Map.groupBy(history.of("acked"), ({ chat }) => chat);
  for (const { id, runs } of chats) {
    const place = new Map(runs.map((row, at) => [row.id, at]));
    for (const [n, later] of (acked.get(id) ?? []).entries()) {
      for (const earlier of acked.get(id)!.slice(0, n)) {
        if (earlier.at > sentAt.get(later.key)!) continue;
        const [a, b] = [place.get(earlier.run), place.get(later.run)];
        if (a === undefined || b === undefined || a <= b) continue;
        broken("N12", `"${later.key}" stands before "${earlier.key}"`);
      }
    }
  }
}

/** Key → the text it was sent with. */
function textsOf(history: History): Map<string, string> {
  return new Map(history.of("sent").map(({ key, text }) => [key, text]));
}

function isContinuation(start: string | undefined): boolean {
  if (start === undefined) return false;
  return JSON.parse(start).messageMetadata?.continues !== undefined;
}
