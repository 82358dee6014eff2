/**
 * What the server tells a screen: chats, and the turns of one chat. Plain JSON.
 *
 * @module
 */
import type { Answer } from "./answer.ts";

/** A line in the list of chats. */
export interface ChatSummary {
  id: string;
  title: string;
  /** ISO 8601. */
  updatedAt: string;
  /** The run in progress, if any. */
  activeRun: string | null;
}

/** One question and its answer. */
export interface Turn {
  text: string;
  /** ISO 8601. */
  createdAt: string;
  answer: Answer;
}

/** A chat with everything said in it. */
export interface ChatView {
  id: string;
  title: string;
  activeRun: string | null;
  turns: Turn[];
}

/** What a run looks like to `GET /api/runs/{run}`. */
export interface RunView {
  run_id: string;
  chat_id: string;
  text: string;
  /** The id of the last committed frame; a cursor for `?after=`. */
  last_id: string;
  answer: Answer;
}

/** What `POST /api/runs` answers (202). */
export interface StartedRun {
  run_id: string;
  chat_id: string;
  /** Where its events are. */
  events: string;
  /** Where to stop it. */
  stop: string;
}

/** Problem details (RFC 9457) as every error answer carries them. */
export interface Problem {
  type: "about:blank";
  title: string;
  status: number;
  /** Plain words, safe to show. */
  detail: string;
  /** A stable word for programs. */
  code: string;
  /** Finds the log line. */
  id: string;
}

export type Language = "zh" | "en";
