/** The question on the first page, with the shipped tools and the demo model. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readConfig } from "../../lib/config.ts";
import { createLog } from "../../lib/log.ts";
import { createServices } from "../../lib/services.ts";
import { openStore } from "../../lib/store/mod.ts";
import { startApp } from "../../host/app.ts";
import { browserTest, eventually, textOf } from "./browser.ts";
import { answerOf, appears, ask, count, idle, visit } from "./page.ts";

/** The whole app; only its store is forgotten with the test. */
async function startRealApp() {
  const data = await Deno.makeTempDir();
  const log = createLog({ sink: () => {}, human: false });
  const config = readConfig({ PORT: "0", TICKERTAPE_DATA: data });
  const services = await createServices(config, log, {
    store: openStore({ kind: "memory" }),
  });
  const app = await startApp({
    services,
    log,
    host: Deno.env.get("TICKERTAPE_SERVE_WITH") === "fresh" ? "fresh" : "npm",
    port: 0,
    hostname: "127.0.0.1",
  });
  return {
    url: app.url,
    async [Symbol.asyncDispose]() {
      await app.close();
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
