/**
 * Language and colours: chosen on the page, kept in a cookie so that the server
 * renders the next page the same way.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Language } from "../chat/views.ts";
import type { Messages } from "./messages_en.ts";
import type { Speech } from "./words.ts";

export type Theme = "system" | "light" | "dark";

/** What settings need of the world. */
export interface SettingsPage {
  /** The document; asked for only when something is chosen. */
  document(): {
    cookie: string;
    documentElement: {
      lang: string;
      dataset: Record<string, string | undefined>;
    };
  };
  load(lang: Language): Promise<Messages>;
}

export interface Settings {
  readonly speech: ReadonlySignal<Speech>;
  readonly theme: ReadonlySignal<Theme>;
  /** Takes effect once the words are there; without a network nothing changes. */
  setLang(lang: Language): Promise<void>;
  setTheme(theme: Theme): void;
}

export function createSettings(
  start: Speech & { theme: Theme },
  page: SettingsPage,
): Settings {
  const speech = signal<Speech>({ lang: start.lang, words: start.words });
  const theme = signal(start.theme);
  /** The last language asked for wins, whichever arrives first. */
  let wanted = start.lang;
  return {
    speech,
    theme,
    async setLang(lang) {
      wanted = lang;
      const words = await page.load(lang).catch(() => null);
      if (words === null || wanted !== lang) return;
      speech.value = { lang, words };
      const document = page.document();
      document.documentElement.lang = words.htmlLang;
      document.cookie = kept("tt_lang", lang);
    },
    setTheme(value) {
      theme.value = value;
      const document = page.document();
      document.documentElement.dataset.theme = value;
      document.cookie = kept("tt_theme", value);
    },
  };
}

const ONE_YEAR_S = 31_536_000;

const kept = (name: string, value: string) =>
  `${name}=${value}; path=/; max-age=${ONE_YEAR_S}; samesite=lax`;
