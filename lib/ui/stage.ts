/**
 * What the models of the open chat share: the few signals they all look at, and
 * how they reach the server and the other tabs.
 *
 * @module
 */
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { ChatView } from "../chat/views.ts";
import type { AnswerModel } from "./answer_model.ts";
import type { Api } from "./api.ts";
import type { Environment } from "./environment.ts";
import type { Notice } from "./notice.ts";
import type { TurnModel, TurnTools } from "./turn_model.ts";

/** `stopping` from the press until the run's terminal. */
export type Phase = "idle" | "sending" | "running" | "stopping";

export interface Stage {
  readonly env: Environment;
  readonly api: Api;
  readonly tools: TurnTools;
  /** The open chat; null is a new one. */
  readonly chatId: Signal<string | null>;
  /** Grows with every chat that is shown; what comes late for an older one is void. */
  readonly view: Signal<number>;
  readonly turns: Signal<TurnModel[]>;
  readonly phase: ReadonlySignal<Phase>;
  /** Stop was pressed, and the run has not ended yet. */
  readonly stopping: Signal<boolean>;
  readonly notice: Signal<Notice | null>;
  readonly draft: Signal<string>;
  /** Asks the server what the chat is now, and shows it. */
  sync(): Promise<void>;
  /** Shows the chat as the server has just told it. */
  take(chat: ChatView): void;
  /** Something changed here: an older word of the server's does not count. */
  changed(): void;
  /** Looks again at the list of chats. */
  listAgain(): void;
  /** Tells the other tabs that look at this chat to look again. */
  tell(): void;
  /** A new chat has its address. */
  opened(chat: string): void;
  /** Reads the tape of an answer that has just begun. */
  follow(answer: AnswerModel): void;
}

/** Words back into the composer, before what is written there. */
export function giveBack({ draft }: Pick<Stage, "draft">, text: string): void {
  const written = draft.peek();
  // Given back once already, by a press whose answer got lost.
  if (written === text || written.startsWith(`${text}\n\n`)) return;
  draft.value = [text, written].filter(Boolean).join("\n\n");
}

/** The last answer of the chat, if there is one. */
export const lastAnswer = ({ turns }: Pick<Stage, "turns">) =>
  turns.peek().at(-1)?.answer.peek() ?? null;
