/**
 * Small things every component says the same way: which language is spoken, and
 * how numbers read in it.
 *
 * @module
 */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Label } from "../chat/boards.ts";
import type { ErrorCode } from "../chat/events.ts";
import type { Language } from "../chat/views.ts";
import type { Messages } from "./messages_en.ts";

/** A language and its words. */
export interface Speech {
  lang: Language;
  words: Messages;
}

const SpeechContext = createContext<Speech | null>(null);

/** Gives everything below it a language. */
export const Speaking = SpeechContext.Provider;

function useSpeech(): Speech {
  const speech = useContext(SpeechContext);
  if (speech === null) throw new Error("Cannot draw: no language is spoken");
  return speech;
}

/** The texts of the page's language. */
export const useText = (): Messages => useSpeech().words;

/** A name that the feed has in both languages. */
export function useLabel(): (label: Label) => string {
  const { lang } = useSpeech();
  return (label) => label[lang];
}

/** Plain words for an error's code; a code of a newer server reads as internal. */
export function errorWords(text: Messages, code: string): string {
  return Object.hasOwn(text.errors, code)
    ? text.errors[code as ErrorCode]
    : text.errors.internal;
}

/** A tool's name as people say it, or its own. */
export function toolWords(text: Messages, name: string): string {
  return Object.hasOwn(text.toolNames, name) ? text.toolNames[name]! : name;
}

/** `840 ms`, `2.4 s`, `3 min 5 s`: short, and the same in both languages. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `12,345`. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}
