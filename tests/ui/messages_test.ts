/** The words of the interface: both languages say everything. */
import { assert, assertEquals } from "@std/assert";
import { deleteMessages } from "../../lib/ui/delete_messages.ts";
import { loadMessages } from "../../lib/ui/load_messages.ts";
import { messages } from "../../lib/ui/messages.ts";
import { panelMessages } from "../../lib/ui/panel_messages.ts";
import { queueMessages } from "../../lib/ui/queue_messages.ts";
import { toolsPageMessages } from "../../lib/ui/tools_page_messages.ts";
import { errorWords, moment, toolName } from "../../lib/ui/words.ts";
import { workMessages } from "../../lib/ui/work_messages.ts";

/** Every table of words in one language. */
const everything = (lang: "zh" | "en") => ({
  messages: messages(lang),
  work: workMessages[lang],
  panel: panelMessages[lang],
  queue: queueMessages[lang],
  delete: deleteMessages[lang],
  toolsPage: toolsPageMessages[lang],
});

/** Every text in a table, by path; functions are called with plausible values. */
function texts(table: object, path = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(table)) {
    const here = `${path}${key}`;
    if (typeof value === "string") found.set(here, value);
    else if (typeof value === "function") found.set(here, value(7, 8));
    else for (const [k, v] of texts(value, `${here}.`)) found.set(k, v);
  }
  return found;
}

/** The same in every language, whichever table they are in. */
const SAME = new Set([
  "messages.appName",
  "messages.usage",
  "messages.htmlLang",
  "messages.sentences",
]);

Deno.test("messages: 中文 and English have the same lines, and none is empty", () => {
  const en = texts(everything("en"));
  const zh = texts(everything("zh"));
  assertEquals([...zh.keys()].sort(), [...en.keys()].sort());
  for (const [path, words] of [...en, ...zh]) {
    assert(words.trim() !== "", path);
    assert(!/undefined|NaN|\[object/.test(words), `${path}: ${words}`);
  }
});

Deno.test("loadMessages brings the language that was asked for", async () => {
  for (const lang of ["zh", "en"] as const) {
    assertEquals(await loadMessages(lang), messages(lang));
  }
});

Deno.test("messages: what should be Chinese is, and English has no Chinese in it", () => {
  const han = /\p{Script=Han}/u;
  for (const [path, words] of texts(everything("en"))) {
    assert(!han.test(words), `${path}: ${words}`);
  }
  for (const [path, words] of texts(everything("zh"))) {
    if (SAME.has(path)) continue;
    assert(han.test(words), `${path}: ${words}`);
  }
});

Deno.test("messages: the bus question comes first, as the tutorial asks it", () => {
  assertEquals(
    messages("zh").suggestions[0],
    "下一班从火车站到大学城的公交几点？",
  );
  assertEquals(
    messages("en").suggestions[0],
    "When is the next bus from the railway station to the university?",
  );
  assertEquals(messages("zh").suggestions.length, 4);
});

Deno.test("errorWords knows what it does not know", () => {
  const en = messages("en");
  assertEquals(errorWords(en, "from_the_future"), en.errors.internal);
  assertEquals(errorWords(en, "__proto__"), en.errors.internal);
});

Deno.test("toolName says a tool's name as people do, and who brought it", () => {
  const words = workMessages.en;
  const named = (name: string) => {
    const { label, server } = toolName(words, name);
    return [label, server];
  };
  assertEquals(named("bus_schedule"), ["Bus schedule", null]);
  assertEquals(named("constructor"), ["constructor", null]);
  assertEquals(named("send_mail"), ["send mail", null]);
  assertEquals(named("my_files__read-text_file"), [
    "read text file",
    "my_files",
  ]);
  assertEquals(named("a__b__c"), ["b c", "a"]);
  assertEquals(named("__odd"), ["odd", null]);
  assertEquals(named("___"), ["___", null], "never nothing");
});

Deno.test("moment is a time of today, or names the day", () => {
  const now = new Date(2026, 10, 22, 13, 0);
  const today = new Date(2026, 10, 22, 14, 5).toISOString();
  const later = new Date(2026, 10, 24, 14, 5).toISOString();
  assertEquals(moment(today, "en", now), "14:05");
  assertEquals(moment(today, "zh", now), "14:05");
  assertEquals(moment(later, "en", now), "24 Nov, 14:05");
  assertEquals(moment(later, "zh", now), "11月24日 14:05");
  assertEquals(moment("soon", "en", now), "soon");
});
