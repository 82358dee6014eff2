/**
 * `05-usechat` in a real browser: started by its own line, and in front of a
 * Tickertape whose model the test moves (R12, R13).
 */
import { assertEquals, assertMatch } from "@std/assert";
import type { Page } from "puppeteer-core";
import { browserTest, eventually } from "../e2e/browser.ts";
import { type App, startApp } from "../helpers/app.ts";
import { BUS_QUESTION } from "../helpers/demo_app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { raw } from "../helpers/raw_http.ts";
import { serve } from "./run.ts";

const EXAMPLE = "examples/05-usechat/main.ts";

async function ask(page: Page, text: string): Promise<void> {
  await page.waitForSelector("form input");
  await page.type("form input", text);
  await page.keyboard.press("Enter");
}

/** Waits until the last answer on the page contains this. */
const says = (page: Page, text: string) =>
  eventually(
    page,
    (wanted: string) =>
      [...document.querySelectorAll("article.assistant")].at(-1)?.textContent
        ?.includes(wanted),
    text,
  );

const idle = (page: Page) =>
  eventually(
    page,
    () => document.querySelector("form button")?.textContent === "Ask",
  );

const articles = (page: Page) =>
  page.$$eval("article", (list) => list.map((each) => each.textContent));

/** A Tickertape with a puppet for a model, and the page in front of it. */
async function stage(): Promise<
  AsyncDisposable & { app: App; model: PuppetModel; url: string }
> {
  const model = new PuppetModel();
  const app = await startApp({ model });
  try {
    const example = await serve(EXAMPLE, { more: [app.url] });
    return {
      app,
      model,
      url: example.urls.Page!,
      async [Symbol.asyncDispose]() {
        try {
          await example[Symbol.asyncDispose]();
        } finally {
          await app[Symbol.asyncDispose]();
        }
      },
    };
  } catch (error) {
    await app[Symbol.asyncDispose]();
    throw error;
  }
}

browserTest(
  "05-usechat answers a bus question with a tool part and a departure",
  async ({ page, errors }) => {
    const data = await Deno.makeTempDir();
    try {
      await using example = await serve(EXAMPLE, {
        env: { TICKERTAPE_DATA: data },
      });
      await page.goto(example.urls.Page!);
      await ask(page, BUS_QUESTION);
      await page.waitForSelector("details");
      await says(page, "The next one:");
      await idle(page);
      const tool = await page.$eval("details", (part) => part.textContent);
      assertMatch(tool, /^bus_schedule \(output-available\)/);
      const [question, answer] = await articles(page);
      assertEquals(question, BUS_QUESTION);
      assertMatch(answer!, /The next one: \*\*\d\d:\d\d\*\* route \w+/);
      // The chat is in the Tickertape that was started, too.
      const response = await fetch(`${example.urls.Tickertape}/api/chats`);
      const { chats } = await response.json();
      assertEquals(chats.length, 1);
      assertEquals(errors, []);
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  },
);

browserTest(
  "streaming R13: 05-usechat goes on with an answer after a reload, also one that ended meanwhile",
  async ({ page, errors }) => {
    await using test = await stage();
    await page.goto(test.url);
    await ask(page, "hello");
    const puppet = await test.model.next();
    puppet.say("half");
    await says(page, "half");
    await page.reload();
    await says(page, "half");
    puppet.say(" and more");
    await says(page, "half and more");
    assertEquals(await articles(page), ["hello", "half and more"]);
    const [chat] = await test.app.services.runs.chats("local");
    const address = page.url();
    await page.goto("about:blank");
    puppet.say(" to the end").finish();
    await test.app.over(chat!.activeRun!);
    await page.goto(address);
    await says(page, "half and more to the end");
    await idle(page);
    assertEquals(await articles(page), ["hello", "half and more to the end"]);
    assertEquals([test.model.count, errors], [1, []]);
  },
);

Deno.test("05-usechat lets Tickertape see whom a request was for and where it is from (E09)", async () => {
  await using test = await stage();
  const { host, port } = new URL(test.url);
  const asked = (...headers: string[]) =>
    raw(Number(port), [
      "POST /api/chat HTTP/1.1",
      "content-type: application/json",
      "content-length: 2",
      ...headers,
    ], "{}");
  assertEquals((await asked("host: evil.example")).status, 421);
  const foreign = await asked(`host: ${host}`, "origin: http://evil.example");
  assertEquals(foreign.status, 403);
  // Its own page gets as far as the body, which lacks everything.
  const own = await asked(`host: ${host}`, `origin: http://${host}`);
  assertEquals(own.status, 400);
});

browserTest(
  "05-usechat stops the run itself, and keeps what was said",
  async ({ page, errors }) => {
    await using test = await stage();
    await page.goto(test.url);
    await ask(page, "hello");
    const puppet = await test.model.next();
    puppet.say("half");
    await says(page, "half");
    const [chat] = await test.app.services.runs.chats("local");
    await page.click("form button");
    await test.app.over(chat!.activeRun!);
    await idle(page);
    assertEquals(await articles(page), ["hello", "half"]);
    await ask(page, "again");
    (await test.model.next()).say("whole").finish();
    await says(page, "whole");
    await idle(page);
    assertEquals(await articles(page), ["hello", "half", "again", "whole"]);
    assertEquals(errors, []);
  },
);
