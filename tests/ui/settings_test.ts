/** Language and colours, kept for the next page. */
import { assertEquals } from "@std/assert";
import { messages } from "../../lib/ui/messages.ts";
import type { Messages } from "../../lib/ui/messages_en.ts";
import { createSettings, type Theme } from "../../lib/ui/settings.ts";

const START = {
  lang: "en",
  words: messages("en"),
  theme: "system" as Theme,
} as const;

function page() {
  const cookies: string[] = [];
  const document = {
    get cookie() {
      return "";
    },
    set cookie(text) {
      cookies.push(text);
    },
    documentElement: { lang: "en", dataset: {} as Record<string, string> },
  };
  return { cookies, document };
}

Deno.test("settings take effect on the page and are kept in cookies the server reads", async () => {
  const { cookies, document } = page();
  const settings = createSettings(START, {
    document: () => document,
    load: (lang) => Promise.resolve(messages(lang)),
  });
  await settings.setLang("zh");
  settings.setTheme("dark");
  assertEquals(settings.speech.value, { lang: "zh", words: messages("zh") });
  assertEquals(settings.theme.value, "dark");
  assertEquals(document.documentElement, {
    lang: "zh-CN",
    dataset: { theme: "dark" },
  });
  assertEquals(cookies, [
    "tt_lang=zh; path=/; max-age=31536000; samesite=lax",
    "tt_theme=dark; path=/; max-age=31536000; samesite=lax",
  ]);
});

Deno.test("a language that cannot be loaded leaves the page as it is", async () => {
  const { cookies, document } = page();
  const settings = createSettings(START, {
    document: () => document,
    load: () => Promise.reject(new TypeError("Failed to fetch")),
  });
  await settings.setLang("zh");
  assertEquals(settings.speech.value.lang, "en");
  assertEquals(cookies, []);
});

Deno.test("of two languages chosen in a hurry the last one stays", async () => {
  const { document } = page();
  const slow = Promise.withResolvers<Messages>();
  const settings = createSettings(START, {
    document: () => document,
    load: (lang) =>
      lang === "zh" ? slow.promise : Promise.resolve(messages(lang)),
  });
  const first = settings.setLang("zh");
  await settings.setLang("en");
  slow.resolve(messages("zh"));
  await first;
  assertEquals(settings.speech.value.lang, "en");
});
