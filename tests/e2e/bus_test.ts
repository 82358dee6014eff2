/** The question on the first page, with the shipped tools and the demo model. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startApp } from "../helpers/app.ts";
import { browserTest, eventually, textOf } from "./browser.ts";
import { answerOf, appears, ask, count, idle, visit } from "./page.ts";

/** The whole app with its shipped tools; only its store is forgotten. */
async function startRealApp() {
  const data = await Deno.makeTempDir();
  const app = await startApp({
    tools: undefined,
    env: { TICKERTAPE_DATA: data },
  });
  return {
    url: app.url,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await Deno.remove(data, { recursive: true });
    },
  };
}

const QUESTIONS = [
  {
    lang: "zh",
    question: "下一班从火车站到大学城的公交几点？",
    place: "火车站→大学城",
    answer: /火车站 → 大学城.*下一班：.*\d\d:\d\d/s,
  },
  {
    lang: "en",
    question:
      "When is the next bus from the railway station to the university?",
    place: "Railway Station→University",
    answer: /Railway Station → University.*The next one:.*\d\d:\d\d/s,
  },
];

for (const { lang, question, place, answer } of QUESTIONS) {
  browserTest(
    `the bus question (${lang}) ends with a departure board and a time, through a reload in the middle`,
    async ({ page, errors }) => {
      await using app = await startRealApp();
      await page.setExtraHTTPHeaders({ "accept-language": lang });
      await visit(page, app.url);
      await ask(page, question);
      await appears(page, "board");
      await eventually(
        page,
        () => document.querySelector('[data-testid="answer-text"]') !== null,
      );
      await page.reload({ waitUntil: "load" });
      await page.waitForSelector("[data-ready]");
      await idle(page);
      assertEquals(await count(page, "board"), 1);
      const board = await textOf(page, "board");
      assert(board.includes(place), board);
      assertMatch(board, /\d\d:\d\d/);
      assertMatch(await answerOf(page), answer);
      assertEquals(await count(page, "answer-error"), 0);
      assertEquals(errors, []);
    },
  );
}
