/**
 * What can be asked of runs, and what comes of it.
 *
 * @module
 */
import type { Toolbox } from "../agent/toolbox.ts";
import type { ChatSettings } from "../chat/settings.ts";
import type { QueuedMessage } from "../chat/views.ts";
import type { RunRow, Store } from "../store/contract.ts";
import type { AskedWith } from "./asked.ts";
import type { Models } from "./brief.ts";
import type { RunLimits } from "./limits.ts";
import type { TapeReader } from "./reader.ts";

export interface RunsOptions {
  store: Store;
  models: Models;
  /** The tools of one owner; of those still coming up, what is up in time. */
  toolbox: (owner: string, waitMs: number) => Promise<Toolbox>;
  now: () => Date;
  limits?: Partial<RunLimits>;
  /** Hears causes that must not be shown to people. */
  report: (message: string, error: unknown) => void;
}

export interface StartRequest {
  owner: string;
  /** Needed unless `replaces` or `continues` says what to answer. */
  text?: string;
  /** The chat to ask in; a new one is made without it. */
  chat?: string;
  /** Makes the chat under that id, if there is none. */
  makeChat?: boolean;
  idempotencyKey?: string;
  /** Data URLs; checked at the door. */
  images?: string[];
  /** Of a new chat; an existing one has its own. */
  settings?: ChatSettings;
  /**
   * A run of the chat in whose place this one stands, as another version:
   * `text` edits its question, without `text` it is answered anew. An edited
   * one keeps its images unless `images` says otherwise.
   */
  replaces?: string;
  /**
   * A run of the chat whose answer broke off: the new one begins with all that
   * was shown of it, and takes its place (decision 8). `text` is not read.
   */
  continues?: string;
  /** Where an answer is being written, wait for its end instead of refusing. */
  queue?: boolean;
  /** How a program asks. */
  asked?: {
    /** The chat is not in the list. */
    hidden: boolean;
  } & Pick<AskedWith, "unattended" | "context">;
}

export type StartOutcome =
  /** `again`: it was before, under the same idempotency key (N10). */
  | { kind: "started"; run: string; chat: string; again?: true }
  /** The chat's last question is still being answered. */
  | { kind: "active"; run: string; chat: string }
  /** It waits for the end of that answer; `again`: it did so before. */
  | { kind: "queued"; message: QueuedMessage; chat: string; again?: true }
  /** Too many wait already. */
  | { kind: "queue-full" }
  /** The key's message waited, and was taken back by its writer. */
  | { kind: "withdrawn" }
  | { kind: "no-chat" }
  /** `replaces` or `continues` names no run of this chat. */
  | { kind: "no-turn" }
  /** That answer is whole, or nothing of it was shown. */
  | { kind: "not-broken-off" }
  /** The chosen model is not offered (any more). */
  | { kind: "no-model"; id: string }
  /** The process is going down. */
  | { kind: "closing" }
  /** The store could not commit; nothing was started (N9). */
  | { kind: "unsaved"; full: boolean }
  /** This owner asks too often. */
  | { kind: "too-many"; waitMs: number };

export type DecideOutcome =
  | { kind: "recorded" }
  | { kind: "missing" }
  /** Nothing will come of it: somebody was faster, or it is too late (T04, T05). */
  | { kind: "over"; why: "already_answered" | "run_over" | "expired" }
  /** This question may not be answered for the whole chat. */
  | { kind: "not-chat-wide" };

export type ReadOutcome =
  /** `resync`: what the reader has cannot be trusted; it gets everything. */
  | { kind: "reader"; reader: TapeReader; resync: boolean }
  /** The cursor is at the end: there will never be more (204). */
  | { kind: "over" }
  | { kind: "missing" }
  | { kind: "too-many" };

export type StopOutcome =
  | { kind: "stopping" }
  | { kind: "over"; status: RunRow["status"] }
  | { kind: "missing" };
