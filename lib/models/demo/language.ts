/**
 * Which language a conversation is in.
 *
 * @module
 */
import type { Message } from "./wire.ts";

export type Language = "zh" | "en";

const HAN = /\p{Script=Han}/u;
const LATIN_WORDS = /[a-z]{2,}/gi;
// Words no stop name is made of: "从 Railway Station 到 University 怎么走" is a
// Chinese question, "next bus from 火车站 to 大学城" an English one.
const ZH_WORDS =
  /[的了吗呢么吧啊从到去几哪请谢你我您是在有想查怎多]|下一班|末班|首班|时间/;

/** The language of one text; null when it says nothing about it ("12*7?"). */
export function languageOf(text: string): Language | null {
  if (ZH_WORDS.test(text)) return "zh";
  const words = text.match(LATIN_WORDS)?.length ?? 0;
  if (words >= 2) return "en";
  if (HAN.test(text)) return "zh";
  return words > 0 ? "en" : null;
}

/** The language to answer in: that of the last question that has one. */
export function conversationLanguage(messages: Message[]): Language {
  for (const message of messages.toReversed()) {
    if (message.role !== "user") continue;
    const text = message.content.replace(/^\s*\/demo\b[\s\w]*/, "");
    const language = languageOf(text);
    if (language !== null) return language;
  }
  return "en";
}
