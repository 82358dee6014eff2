/**
 * What the memory engine keeps of a chat and a run, and how it shows them.
 *
 * @module
 */
import type { ChatRow, NewRun, RunRow, StoredEntry } from "./contract.ts";

export interface Run {
  row: RunRow;
  log: StoredEntry[];
  /** By question, in the order they came. */
  answers: Map<string, string>;
  kept: Map<string, string>;
}

export interface Chat {
  row: Omit<ChatRow, "activeRun">;
  runs: Run[];
  /** Grows with every question asked anywhere: the order of chats (N12). */
  newest: number;
}

export function newChat(input: NewRun, now: number): Chat {
  return {
    row: {
      id: input.chat,
      owner: input.owner,
      title: input.newChatTitle!,
      createdAt: now,
      updatedAt: now,
      settings: input.newChatSettings,
      hidden: input.newChatHidden,
    },
    runs: [],
    newest: 0,
  };
}

export function newRun(input: NewRun, now: number): Run {
  const { run: id, chat, owner, parent, text, options } = input;
  const { leaseOwner, leaseMs } = input;
  return {
    row: {
      id,
      chat,
      owner,
      parent,
      text,
      options,
      status: "running",
      epoch: 1,
      leaseOwner,
      leaseUntil: now + leaseMs,
      stopRequested: false,
      lastSeq: 1,
      message: null,
      createdAt: now,
      endedAt: null,
    },
    log: [{ epoch: 1, seq: 1, json: JSON.stringify(input.start) }],
    answers: new Map(),
    kept: new Map(input.keep.map(({ name, text }) => [name, text])),
  };
}

export function isRunning({ row }: Run): boolean {
  return row.status === "running";
}

export function copy(run: Run | undefined): RunRow | null {
  return run === undefined ? null : { ...run.row };
}

export function view({ row, runs }: Chat): ChatRow {
  return { ...row, activeRun: runs.find(isRunning)?.row.id ?? null };
}

/** By code point, as engines that store UTF-8 compare. */
export function compareText(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((char, index) => char !== right[index]);
  if (at === -1) return left.length - right.length;
  return left[at]!.codePointAt(0)! - (right[at]?.codePointAt(0) ?? -1);
}
