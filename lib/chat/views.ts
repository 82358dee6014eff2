/**
 * What the server tells a screen: chats, and the turns of one chat. Plain JSON.
 *
 * @module
 */
import type { Answer } from "./answer.ts";
import type { Decision } from "./events.ts";
import type { ChatSettings } from "./settings.ts";

/** A line in the list of chats. */
export interface ChatSummary {
  id: string;
  title: string;
  /** ISO 8601. */
  updatedAt: string;
  /** The run in progress, if any. */
  activeRun: string | null;
  /** That run waits for a person. */
  waiting?: true;
}

/** One question and its answer. */
export interface Turn {
  text: string;
  /** Where the images sent with it are, on this server. */
  images?: string[];
  /** ISO 8601. */
  createdAt: string;
  answer: Answer;
  /**
   * The runs that stand in this place, oldest first, when there are several:
   * the question was edited, or answered anew.
   */
  versions?: string[];
}

/** A message that waits for the answer before it. */
export interface QueuedMessage {
  id: string;
  text: string;
  /** How many images go with it. */
  images: number;
  /** The idempotency key it was sent with, for the tab that sent it. */
  key: string | null;
  /** Sent as soon as the run is over, however it ends. */
  now: boolean;
}

/** A chat as people see it: one branch of all that was asked and answered. */
export interface ChatView {
  id: string;
  title: string;
  activeRun: string | null;
  settings: ChatSettings;
  /** The branch that was asked or chosen last. */
  turns: Turn[];
  /**
   * Messages that wait, the next one first. They go on by themselves after a
   * complete answer; after any other they wait for a person.
   */
  queue: QueuedMessage[];
}

/** A model people can choose; `id` is what goes into a chat's settings. */
export interface ModelChoice {
  id: string;
  /** Who serves it, in a person's words: "Ollama", "OpenAI", "demo". */
  from: string;
}

/** `GET /api/models`. */
export interface ModelsView {
  /** What answers where a chat has no choice of its own. */
  standard: string;
  models: ModelChoice[];
}

/** A server of tools as a person sees it (`GET /api/tools`). */
export interface ToolServerView {
  name: string;
  state: "ready" | "connecting" | "unreachable";
  /** Plain words when it is not ready. */
  trouble: string | null;
  tools: ToolView[];
}

export interface ToolView {
  name: string;
  description: string;
  effect: "read" | "write" | "external";
  /**
   * `changed`: not what was pinned, so nobody may call it until a person has
   * looked and confirmed (case T06).
   */
  state: "ready" | "changed";
  /** What it was when it was pinned, if it is `changed`. */
  before: { description: string } | null;
}

/** `POST /api/runs/{run}/approvals/{id}`: what a person says. */
export type Say = Exclude<Decision, "expired">;

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

/**
 * What `POST /api/runs` answers (202) with `queue`, where an answer is still
 * being written.
 */
export interface QueuedRun {
  chat_id: string;
  queued: QueuedMessage;
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
