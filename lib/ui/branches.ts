/**
 * Other versions of what was said: an answer made anew, a question put otherwise,
 * a broken-off answer gone on with, and which of them are shown. All of it is the
 * server's to remember; here it is asked for.
 *
 * @module
 */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { draftOf, keepDraft } from "./drafts.ts";
import type { Press } from "./sending.ts";
import type { Stage } from "./stage.ts";
import type { TurnModel } from "./turn_model.ts";

/** A question that is being put otherwise. */
export interface Editing {
  readonly run: string;
  readonly text: ReadonlySignal<string>;
}

export interface Branches {
  readonly editing: ReadonlySignal<Editing | null>;
  /** Begins to edit a question, with the words of an earlier try if there was one. */
  edit(turn: TurnModel): void;
  write(text: string): void;
  /** Leaves the question as it was. */
  leave(): void;
  /** Asks the edited question; false when there is nothing to send, or too much. */
  ask(longest: number): boolean;
  /** Answers a question anew. */
  anew(turn: TurnModel): void;
  /** Goes on with an answer that broke off. */
  goOn(turn: TurnModel): void;
  /** Shows the branch a version is on. */
  show(run: string): Promise<void>;
  /** Ends the editing of a question that is not shown any more; its words are kept. */
  settle(): void;
  /** The words of an edit that was not taken. */
  lost(run: string, text: string): void;
}

export function createBranches(
  stage: Stage,
  send: (press: Press) => void,
): Branches {
  const { api, env, chatId, view, turns, phase, notice } = stage;
  const editing = signal<{ run: string; text: Signal<string> } | null>(null);
  let switching = false;

  const idle = () => phase.peek() === "idle";
  const runOf = (turn: TurnModel) => turn.answer.peek()?.run;

  const isShown = (run: string) =>
    turns.peek().some((turn) => runOf(turn) === run);
  const begin = (run: string, words: string) => {
    editing.value = { run, text: signal(words) };
  };

  return {
    editing,
    edit(turn) {
      const run = runOf(turn);
      if (run === undefined || !idle()) return;
      begin(run, draftOf(env, run) || turn.text);
    },
    write(text) {
      const edited = editing.peek();
      if (edited === null) return;
      edited.text.value = text;
      keepDraft(env, edited.run, text);
    },
    leave() {
      const edited = editing.peek();
      if (edited !== null) keepDraft(env, edited.run, "");
      editing.value = null;
    },
    ask(longest) {
      const edited = editing.peek();
      const text = edited?.text.peek().trim() ?? "";
      if (edited === null || text === "" || text.length > longest || !idle()) {
        return false;
      }
      keepDraft(env, edited.run, "");
      editing.value = null;
      send({ text, replaces: edited.run });
      return true;
    },
    anew(turn) {
      const run = runOf(turn);
      if (run !== undefined && idle()) send({ text: "", replaces: run });
    },
    goOn(turn) {
      const run = runOf(turn);
      if (run !== undefined && idle()) send({ text: "", continues: run });
    },
    async show(run) {
      const chat = chatId.peek();
      if (chat === null || switching || !idle()) return;
      switching = true;
      const mine = view.peek();
      const result = await api.show(chat, run);
      switching = false;
      if (mine !== view.peek()) return;
      stage.changed();
      if (result.ok) {
        stage.take(result.value);
        stage.tell();
      } else notice.value = { kind: "versionNotShown" };
    },
    settle() {
      const edited = editing.peek();
      if (edited !== null && !isShown(edited.run)) editing.value = null;
    },
    lost(run, text) {
      if (isShown(run)) begin(run, text);
    },
  };
}
