import type { Language } from "../chat/views.ts";
import type { Messages } from "./messages_en.ts";

const LOADERS: Record<Language, () => Promise<Messages>> = {
  zh: async () => (await import("./messages_zh.ts")).zh,
  en: async () => (await import("./messages_en.ts")).en,
};

/** Fetches a language's words. Rejects where the network does. */
export const loadMessages = (lang: Language): Promise<Messages> =>
  LOADERS[lang]();
