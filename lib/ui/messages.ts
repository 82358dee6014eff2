/**
 * The interface's words in every language. For the server: a browser loads its
 * own language with the page, and another one when it is chosen.
 *
 * @module
 */
import type { Language } from "../chat/views.ts";
import { en, type Messages } from "./messages_en.ts";
import { zh } from "./messages_zh.ts";

const TABLE: Record<Language, Messages> = { zh, en };

/** The texts of one language. */
export const messages = (lang: Language): Messages => TABLE[lang];
