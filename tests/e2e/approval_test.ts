/** The agent asks before it acts, as a person sees and answers it. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import { type App, startApp } from "../helpers/app.ts";
import { effects } from "../helpers/approvals.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { browserTest, eventually, textOf } from "./browser.ts";
import { answerSays, appears, ask, click, count, idle, visit } from "./page.ts";

const MAIL = { to: "a@b.example", text: "Hello\nthere" };

/** The app with tools that need a person, and a page that has just been asked. */
async function stand(page: Page, settings: { maxSteps?: number } = {}) {
  const model = new PuppetModel();
  const { sent, tools } = effects();
  const app = await startApp({ model, tools, limits: settings });
  await visit(page, app.url);
  await ask(page, "Write a mail");
  return { model, sent, app, [Symbol.asyncDispose]: () => closed(app) };
}

const closed = (app: App) => app[Symbol.asyncDispose]();

const focused = (page: Page) =>
  page.evaluate(() => {
    const { dataset, id } = document.activeElement as HTMLElement;
    return dataset.testid ?? id;
  });

browserTest(
  "T01: a call with an effect waits; allowed once, it runs with what was shown, and the next one asks again",
  async ({ page, errors }) => {
    await using it = await stand(page);
    (await it.model.next()).say("I will write. ").call("send_mail", MAIL);
    await appears(page, "question-card");
    const card = await textOf(page, "question-card");
    for (const part of ["send mail", "a@b.example", "Hello⏎\nthere"]) {
      assert(card.includes(part), card);
    }
    await eventually(
      page,
      () =>
        document.querySelector('[data-testid="status"]')!.textContent ===
          "The agent has a question for you.",
    );
    assertEquals(await textOf(page, "asking"), " Waiting for you");
    assertEquals(
      await focused(page),
      "composer-input",
      "nothing took the focus",
    );
    assertEquals(it.sent, []);
    await click(page, "say-once");
    (await it.model.next()).call("send_mail", { ...MAIL, to: "c@d.example" });
    // The first question is answered for good before the second is put.
    await appears(page, "decision");
    await appears(page, "say-once");
    assertEquals(await textOf(page, "decision"), " You allowed this once.");
    assertEquals(it.sent, [MAIL]);
    await click(page, "say-denied");
    (await it.model.next()).say("Only the first.").finish();
    await answerSays(page, "Only the first.");
    await idle(page);
    assertEquals(it.sent, [MAIL]);
    assertEquals(await count(page, "asking"), 0);
    assertEquals(errors, []);
  },
);

browserTest(
  "always in this chat: the next call of the tool runs without a question",
  async ({ page }) => {
    await using it = await stand(page);
    (await it.model.next()).call("send_mail", MAIL);
    await appears(page, "say-chat");
    await click(page, "say-chat");
    (await it.model.next()).call("send_mail", { ...MAIL, text: "second" });
    (await it.model.next()).say("Both sent.").finish();
    await answerSays(page, "Both sent.");
    assertEquals(it.sent.length, 2);
    assertEquals(await count(page, "question-card"), 1);
  },
);

browserTest(
  "T08: after a stranger's text a call that carries text out asks, with the whole address",
  async ({ page }) => {
    await using it = await stand(page);
    const url = `https://out.example/${"long/".repeat(120)}?private=words`;
    (await it.model.next()).call("read_page", { url: "https://a.example/" });
    (await it.model.next()).call("read_page", { url });
    await appears(page, "question-card");
    const card = await textOf(page, "question-card");
    assert(card.includes(url));
    assert(card.includes("leads to out.example"));
    assert(card.includes("carry text out"));
    assertEquals(await count(page, "say-chat"), 0);
    const wide = await page.$eval(
      '[data-testid="ask-input"]',
      (e) => e.scrollWidth > e.clientWidth,
    );
    assert(!wide, "wrapped, not cut");
    await click(page, "say-denied");
    (await it.model.next()).say("Not read.").finish();
    await answerSays(page, "Not read.");
    assertEquals(it.sent, ["https://a.example/"]);
  },
);

browserTest(
  "a question is answered from a second tab, and after a reload in the middle, in one place for all",
  async ({ page, browser }) => {
    await using it = await stand(page);
    (await it.model.next()).call("send_mail", MAIL);
    await appears(page, "question-card");
    const other = await browser.newPage();
    await visit(other, page.url());
    await appears(other, "say-once");
    // Watched from before the page lives: the card never goes away.
    await page.evaluateOnNewDocument(() => {
      const seen = { gone: 0 };
      Reflect.set(globalThis, "seen", seen);
      new MutationObserver((changes) => {
        for (const { removedNodes } of changes) {
          for (const node of removedNodes) {
            if (!(node instanceof Element)) continue;
            if (node.matches(".ask") || node.querySelector(".ask")) seen.gone++;
          }
        }
      }).observe(document, { childList: true, subtree: true });
    });
    await page.reload({ waitUntil: "load" });
    await page.waitForSelector("[data-ready]");
    await appears(page, "say-once");
    assertEquals(
      await page.evaluate(() => Reflect.get(globalThis, "seen").gone),
      0,
    );
    await click(other, "say-once");
    (await it.model.next()).say("Sent.").finish();
    await answerSays(page, "Sent.");
    await answerSays(other, "Sent.");
    for (const tab of [page, other]) {
      assertEquals(await textOf(tab, "decision"), " You allowed this once.");
      assertEquals(await count(tab, "say-once"), 0);
    }
    assertEquals(it.sent, [MAIL]);
  },
);

browserTest(
  "T05: who answers too late is told so, and the buttons are over",
  async ({ page }) => {
    await using it = await stand(page);
    (await it.model.next()).call("send_mail", MAIL);
    await appears(page, "say-once");
    await page.setRequestInterception(true);
    page.on(
      "request",
      (request) =>
        request.url().includes("/approvals/")
          ? request.respond({
            status: 409,
            contentType: "application/problem+json",
            body: JSON.stringify({ code: "already_answered" }),
          })
          : request.continue(),
    );
    await click(page, "say-once");
    await eventually(
      page,
      () =>
        document.querySelector('[data-testid="saying"]')!.textContent!
          .includes("Someone was faster"),
    );
    assertEquals(
      await page.$$eval(
        ".ask button",
        (all) => all.map((button) => button.ariaDisabled),
      ),
      ["true", "true", "true"],
    );
    assertEquals(it.sent, []);
    await page.keyboard.press("Escape");
    await appears(page, "stopped");
  },
);

browserTest(
  "by keyboard alone: to the question, an answer, and on from the same place",
  async ({ page }) => {
    await using it = await stand(page);
    (await it.model.next()).call("send_mail", MAIL);
    await appears(page, "asking");
    await page.keyboard.down("Shift");
    await page.keyboard.press("Tab");
    await page.keyboard.up("Shift");
    await page.keyboard.press("Enter");
    assertEquals(await focused(page), "say-once");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    assertEquals(await focused(page), "say-denied");
    await page.keyboard.press("Space");
    const puppet = await it.model.next();
    await appears(page, "decision");
    assertEquals(await focused(page), "decision", "the focus keeps its place");
    puppet.say("As you like.").finish();
    await answerSays(page, "As you like.");
    assertEquals(it.sent, []);
  },
);

browserTest(
  "Escape stops a run that waits for a person, and nothing is run",
  async ({ page }) => {
    await using it = await stand(page);
    (await it.model.next()).call("send_mail", MAIL);
    await appears(page, "say-once");
    await page.keyboard.press("Escape");
    await appears(page, "stopped");
    await idle(page);
    assertEquals(await count(page, "say-once"), 0);
    assert((await textOf(page, "decision")).includes("It was not run."));
    assertEquals(it.sent, []);
    await ask(page, "Something else");
    (await it.model.next()).say("Of course.").finish();
    await answerSays(page, "Of course.");
  },
);

browserTest(
  "T13: out of steps, the agent asks whether to go on, and does",
  async ({ page }) => {
    await using it = await stand(page, { maxSteps: 2 });
    for (const say of ["one", "two"]) {
      (await it.model.next()).call("echo", { say });
    }
    await appears(page, "question-card");
    assert((await textOf(page, "question-card")).includes("used 2 steps"));
    assertEquals(await count(page, "waiting"), 0);
    await click(page, "say-once");
    (await it.model.next()).say("Finished after all.").finish();
    await answerSays(page, "Finished after all.");
    assertEquals(await count(page, "question-card"), 0);
  },
);

browserTest(
  "on a phone the question fits, however long its arguments are",
  async ({ page }) => {
    await page.setViewport({ width: 375, height: 720 });
    await using it = await stand(page);
    (await it.model.next()).call("send_mail", {
      to: `${"x".repeat(300)}@b.example`,
      text: "y".repeat(2_000),
    });
    await appears(page, "say-once");
    assertEquals(await page.$eval("main", (e) => e.scrollWidth), 375);
    assertEquals(
      await page.$$eval(
        ".ask button",
        (all) =>
          all.filter((button) => button.getBoundingClientRect().height < 44)
            .length,
      ),
      0,
      "as large as a finger",
    );
  },
);
