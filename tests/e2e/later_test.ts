/** What a page loads at once, and what it fetches when it is needed. */
import { assert, assertEquals } from "@std/assert";
import type { HTTPRequest } from "puppeteer-core";
import { startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { browserTest, eventually } from "./browser.ts";
import { answerOf, answerSays, ask, click, idle, visit } from "./page.ts";

const ANSWER = "It is **bold**.";

browserTest(
  "a chat opened before Markdown can be drawn shows its words, then draws them",
  async ({ page, errors }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "Hello");
    (await model.next()).call("echo", { say: "x" });
    (await model.next()).say(ANSWER).finish();
    await answerSays(page, "It is bold.");
    await idle(page);
    await page.setCacheEnabled(false);
    await page.setRequestInterception(true);
    const held: HTTPRequest[] = [];
    const wanted = Promise.withResolvers<void>();
    let hold = false;
    page.on("request", (request) => {
      if (hold && new URL(request.url()).pathname.endsWith(".js")) {
        held.push(request);
        wanted.resolve();
      } else request.continue();
    });
    await visit(page, app.url);
    hold = true;
    await click(page, "chat-link");
    await answerSays(page, ANSWER);
    await wanted.promise;
    hold = false;
    held.forEach((request) => request.continue());
    await answerSays(page, "It is bold.");
    await eventually(
      page,
      () => document.querySelector('[data-testid="tool-card"]') !== null,
    );
    assertEquals(errors, []);
  },
);

browserTest(
  "a page that shows an answer takes nothing away when it comes to life",
  async ({ page, errors }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "Hello");
    (await model.next()).call("echo", { say: "x" });
    (await model.next()).say(ANSWER).finish();
    await idle(page);
    await page.evaluateOnNewDocument(() => {
      document.addEventListener("readystatechange", () => {
        const drawn = ".prose *, .tool, .tool *";
        Reflect.set(globalThis, "sent", [...document.querySelectorAll(drawn)]);
      }, { once: true });
    });
    await page.reload({ waitUntil: "load" });
    await page.waitForSelector("[data-ready]");
    const { sent, kept } = await page.evaluate(() => {
      const sent: Element[] = Reflect.get(globalThis, "sent");
      return {
        sent: sent.length,
        kept: sent.filter((node) => node.isConnected).length,
      };
    });
    assert(sent > 10);
    assertEquals(kept, sent);
    assertEquals((await answerOf(page)).trim(), "It is bold.");
    assertEquals(errors, []);
  },
);
