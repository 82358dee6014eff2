/** A chat's settings, as a person chooses them. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import { startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { browserTest, eventually, textOf } from "./browser.ts";
import { answerSays, appears, ask, click, count, idle, visit } from "./page.ts";

const focused = (page: Page) =>
  page.evaluate(() => (document.activeElement as HTMLElement).dataset.testid);

/** In the page it is a moment before it is open. */
async function openPanel(page: Page): Promise<void> {
  await click(page, "chat-settings");
  await page.waitForSelector('[data-testid="chat-panel"][open]');
}

const gone = (page: Page) =>
  eventually(
    page,
    () => document.querySelector('[data-testid="chat-panel"]') === null,
  );

/** Moves the slider as a finger would: the value, then the event. */
const slide = (page: Page, value: string) =>
  page.$eval('[data-testid="temperature"]', (element, value) => {
    (element as HTMLInputElement).value = value;
    element.dispatchEvent(new Event("input", { bubbles: true }));
  }, value);

browserTest(
  "settings of a new chat go along with its first question, and stay with the chat",
  async ({ page, errors }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    assertEquals(await textOf(page, "chat-settings"), "puppet");
    await openPanel(page);
    await slide(page, "0.7");
    assertEquals(await textOf(page, "temperature-said"), "0.7");
    await page.type('[data-testid="system"]', "Answer in French.");
    await click(page, "panel-save");
    await gone(page);
    assertEquals(await focused(page), "chat-settings", "the focus comes back");
    await ask(page, "Hello");
    const first = await model.next();
    assertEquals(first.request.temperature, 0.7);
    assert(
      first.request.messages.some(({ role, text }) =>
        role === "system" && text.includes("Answer in French.")
      ),
    );
    first.say("Bonjour.").finish();
    await answerSays(page, "Bonjour.");
    await idle(page);
    await page.reload({ waitUntil: "load" });
    await page.waitForSelector("[data-ready]");
    await openPanel(page);
    assertEquals(
      await page.$eval(
        '[data-testid="system"]',
        (e) => (e as HTMLTextAreaElement).value,
      ),
      "Answer in French.",
    );
    await click(page, "temperature-standard");
    assertEquals(await textOf(page, "temperature-said"), "");
    await click(page, "panel-save");
    await gone(page);
    await ask(page, "Again");
    const second = await model.next();
    assertEquals(second.request.temperature, 0);
    second.say("Encore.").finish();
    await answerSays(page, "Encore.");
    assertEquals(errors, []);
  },
);

browserTest(
  "Escape closes the panel and nothing else: the answer goes on, nothing is saved",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "Hello");
    const puppet = await model.next();
    puppet.say("one ");
    await answerSays(page, "one");
    await openPanel(page);
    await slide(page, "1.5");
    await page.keyboard.press("Escape");
    await gone(page);
    assertEquals(await focused(page), "chat-settings");
    puppet.say("two").finish();
    await answerSays(page, "one two");
    assertEquals(await count(page, "stopped"), 0);
    await openPanel(page);
    assertEquals(await textOf(page, "temperature-said"), "");
  },
);

browserTest(
  "a list of many models is grouped and searched; the header shows the choice, a refusal is said",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    const models = Array.from({ length: 20 }, (_, i) => ({
      id: `llama-${i}`,
      from: i < 10 ? "Ollama" : "LM Studio",
    }));
    const asked: unknown[] = [];
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      const json = (status: number, body: unknown) =>
        request.respond({
          status,
          contentType: "application/json",
          body: JSON.stringify(body),
        });
      const { pathname } = new URL(request.url());
      if (pathname === "/api/models") {
        return json(200, { standard: "puppet", models });
      }
      if (!pathname.endsWith("/settings")) return request.continue();
      asked.push(JSON.parse(request.postData()!));
      return asked.length === 1
        ? json(400, { code: "no_such_model", detail: "This model is gone." })
        : json(200, {});
    });
    await visit(page, app.url);
    await ask(page, "Hello");
    (await model.next()).say("Hi.").finish();
    await idle(page);
    await click(page, "chat-settings");
    await appears(page, "model-search");
    assertEquals(await count(page, "model-choice"), 21);
    await page.type('[data-testid="model-search"]', "studio 15");
    assertEquals(await count(page, "model-choice"), 2);
    await page.click('[data-testid="model-choice"][value="llama-15"]');
    await click(page, "panel-save");
    await appears(page, "panel-refused");
    assert(
      (await textOf(page, "panel-refused")).includes("This model is gone."),
    );
    assertEquals(await textOf(page, "chat-settings"), "puppet");
    await click(page, "panel-save");
    await gone(page);
    assertEquals(asked, [{ model: "llama-15" }, { model: "llama-15" }]);
    assertEquals(await textOf(page, "chat-settings"), "llama-15");
  },
);

browserTest(
  "on a phone the panel is a sheet no wider than the phone, and its save button is in sight",
  async ({ page }) => {
    await using app = await startApp({ model: new PuppetModel() });
    await page.setViewport({ width: 375, height: 667 });
    await visit(page, app.url);
    await openPanel(page);
    const box = await page.$eval('[data-testid="chat-panel"]', (panel) => {
      const { left, right, bottom } = panel.getBoundingClientRect();
      const save = panel.querySelector('[data-testid="panel-save"]')!;
      return {
        left,
        right,
        bottom,
        inSight: save.getBoundingClientRect().bottom <= innerHeight,
      };
    });
    assertEquals(box, { left: 0, right: 375, bottom: 667, inSight: true });
    await page.type('[data-testid="system"]', "x".repeat(20));
    await page.mouse.click(20, 5);
    assertEquals(await count(page, "chat-panel"), 1, "what was begun stays");
    await click(page, "panel-close");
    await gone(page);
  },
);

browserTest(
  "the page of tool servers is reached from the chats and read without scripts",
  async ({ page, errors }) => {
    await using app = await startApp({ model: new PuppetModel() });
    await visit(page, app.url);
    await Promise.all([
      page.waitForNavigation(),
      click(page, "tools-link"),
    ]);
    assertEquals(new URL(page.url()).pathname, "/tools");
    await appears(page, "no-servers");
    assert((await page.title()).startsWith("Tool servers"));
    assertEquals(errors, []);
  },
);
