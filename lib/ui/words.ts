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
import type { WorkMessages } from "./work_messages.ts";

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

export const useLang = (): Language => useSpeech().lang;

/** The page's language out of a table that came with what it describes. */
export const useWords = <T>(table: Record<Language, T>): T =>
  table[useSpeech().lang];

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

/** A tool's name as people say it, and the server that brought it. */
export function toolName(
  words: WorkMessages,
  name: string,
): { label: string; server: string | null } {
  if (Object.hasOwn(words.toolNames, name)) {
    return { label: words.toolNames[name]!, server: null };
  }
  const [, server, tool] = /^(.+?)__(.+)$/.exec(name) ?? [];
  return {
    label: (tool ?? name).replace(/[_-]+/g, " ").trim() || name,
    server: server ?? null,
  };
}

/** A time today as `14:05`, another day's with its date; in the person's zone. */
export function moment(iso: string, lang: Language, now = new Date()): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const today = at.toDateString() === now.toDateString();
  return new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", {
    ...(today ? {} : { month: "short", day: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
  }).format(at);
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
