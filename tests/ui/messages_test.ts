/** The words of the interface: both languages say everything. */
import { assert, assertEquals } from "@std/assert";
import { loadMessages } from "../../lib/ui/load_messages.ts";
import { messages } from "../../lib/ui/messages.ts";
import { errorWords, toolWords } from "../../lib/ui/words.ts";

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

const SAME = new Set(["appName", "usage"]);

Deno.test("messages: 中文 and English have the same lines, and none is empty", () => {
  const en = texts(messages("en"));
  const zh = texts(messages("zh"));
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
  for (const [path, words] of texts(messages("en"))) {
    assert(!han.test(words), `${path}: ${words}`);
  }
  for (const [path, words] of texts(messages("zh"))) {
    if (SAME.has(path) || path === "htmlLang") continue;
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

Deno.test("errorWords and toolWords know what they do not know", () => {
  const en = messages("en");
  assertEquals(errorWords(en, "from_the_future"), en.errors.internal);
  assertEquals(errorWords(en, "__proto__"), en.errors.internal);
  assertEquals(toolWords(en, "bus_schedule"), "Bus schedule");
  assertEquals(toolWords(en, "constructor"), "constructor");
});
