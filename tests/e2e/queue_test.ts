/** Messages sent while an answer is written, as a person sees them. */
import type { Page } from "puppeteer-core";
import { assert, assertEquals } from "@std/assert";
import { startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { browserTest, eventually, textOf } from "./browser.ts";
import {
  answerSays,
  appears,
  ask,
  click,
  count,
  idle,
  texts,
  visit,
} from "./page.ts";

/** Waits until exactly these messages wait, confirmed by the server. */
const queueIs = (page: Page, ...wanted: string[]) =>
  eventually(
    page,
    (wanted: string[]) => {
      const items = [
        ...document.querySelectorAll<HTMLElement>('[data-testid="queue-item"]'),
      ];
      return items.every(({ dataset }) => dataset.state === "waiting") &&
        items.map((item) => item.querySelector("p")!.textContent).join() ===
          wanted.join();
    },
    wanted,
  );

const nth = async (page: Page, id: string, at: number) =>
  (await page.$$(`[data-testid="${id}"]`)).at(at)!;

browserTest(
  "safety R12: three messages wait in the order a person gives them, survive a reload, show in every tab, and are asked once each",
  async ({ page, browser, errors }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "first");
    const first = await model.next();
    first.say("An answer ");
    await answerSays(page, "An answer");
    for (const text of ["a", "b", "c"]) await ask(page, text);
    await queueIs(page, "a", "b", "c");
    assertEquals(
      await textOf(page, "status"),
      "Message queued. It is number 3 in the queue.",
    );

    // With the keyboard alone; the focus goes along.
    await (await nth(page, "queue-up", -1)).focus();
    await page.keyboard.press("Enter");
    await queueIs(page, "a", "c", "b");
    await page.keyboard.press("Enter");
    await queueIs(page, "c", "a", "b");
    assertEquals(
      await page.evaluate(() =>
        document.activeElement!.closest("li")!.querySelector("p")!.textContent
      ),
      "c",
    );
    await app.until(async () => {
      const path = new URL(page.url()).pathname;
      const { queue } =
        await (await fetch(`${app.url}/api/chats${path.slice(2)}`)).json();
      return queue[0].text === "c";
    });
    await page.reload({ waitUntil: "load" });
    await queueIs(page, "c", "a", "b");
    const other = await browser.newPage();
    await visit(other, page.url());
    await queueIs(other, "c", "a", "b");
    await (await nth(other, "queue-down", 0)).click();
    await queueIs(other, "a", "c", "b");
    await page.bringToFront();
    await queueIs(page, "a", "c", "b");

    first.say("to the end.").finish();
    for (const [text, left] of [["a", 2], ["c", 1], ["b", 0]] as const) {
      const puppet = await model.next();
      assertEquals(puppet.request.messages.at(-1)!.text, text);
      await eventually(
        page,
        (left: number) =>
          document.querySelectorAll('[data-testid="queue-item"]').length ===
            left,
        left,
      );
      puppet.say(`Answer to ${text}.`);
      await answerSays(page, `Answer to ${text}.`);
      // Now, not before: the next one begins at once.
      puppet.finish();
    }
    await idle(page);
    const wanted = ["first", "a", "c", "b"];
    assertEquals(await texts(page, "question"), wanted);
    await other.bringToFront();
    await answerSays(other, "Answer to b.");
    assertEquals(await texts(other, "question"), wanted);
    assertEquals(model.count, 4);
    assertEquals(errors, []);
  },
);

browserTest(
  "send now stops the answer and asks the message at once; the others still wait",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "first");
    const first = await model.next();
    first.say("A long ");
    await answerSays(page, "A long");
    await ask(page, "later");
    await ask(page, "now");
    await queueIs(page, "later", "now");
    await (await nth(page, "queue-now", 1)).click();
    assertEquals(await first.aborted, "user");
    const now = await model.next();
    assertEquals(now.request.messages.at(-1)!.text, "now");
    await queueIs(page, "later");
    now.say("Here.").finish();
    (await model.next()).say("And here.").finish();
    await answerSays(page, "And here.");
    await idle(page);
    assertEquals(await texts(page, "question"), ["first", "now", "later"]);
    assertEquals(await count(page, "queue"), 0);
  },
);

browserTest(
  "after a stopped answer the queue waits, says why, and goes on with one press, also after a reload",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "first");
    (await model.next()).say("Begun");
    await answerSays(page, "Begun");
    await ask(page, "second");
    await queueIs(page, "second");
    await click(page, "stop");
    await appears(page, "queue-go");
    assert((await textOf(page, "queue-note")).includes("waits for you"));
    await page.reload({ waitUntil: "load" });
    assert((await textOf(page, "queue-note")).includes("waits for you"));
    await page.waitForSelector("[data-ready]");
    await idle(page);
    assertEquals(model.count, 1);
    await click(page, "queue-go");
    (await model.next()).say("Second answer.").finish();
    await answerSays(page, "Second answer.");
    await idle(page);
    assertEquals(await count(page, "queue"), 0);
  },
);

browserTest(
  "a waiting message goes back into the composer, or away, and is asked no more",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "first");
    const first = await model.next();
    first.say("So ");
    await answerSays(page, "So");
    for (const text of ["edit me", "not this"]) await ask(page, text);
    await queueIs(page, "edit me", "not this");
    // By the keyboard: what has the focus goes away.
    await (await nth(page, "queue-remove", 1)).focus();
    await page.keyboard.press("Enter");
    await queueIs(page, "edit me");
    assertEquals(
      await page.evaluate(() => document.activeElement!.id),
      "composer",
    );
    await click(page, "queue-edit");
    await queueIs(page);
    assertEquals(
      await page.$eval("#composer", (e) => (e as HTMLTextAreaElement).value),
      "edit me",
    );
    await page.type("#composer", " well");
    await page.keyboard.press("Enter");
    await queueIs(page, "edit me well");
    first.finish();
    const puppet = await model.next();
    assertEquals(puppet.request.messages.at(-1)!.text, "edit me well");
    puppet.say("Well.").finish();
    await answerSays(page, "Well.");
    await idle(page);
    assertEquals(model.count, 2);
  },
);

browserTest(
  "while the agent waits for a person, what is sent waits too; nothing is wider than a phone",
  async ({ page }) => {
    const model = new PuppetModel();
    const { TEST_TOOLS } = await import("../helpers/app.ts");
    const tool = { ...TEST_TOOLS[0]!, name: "act", effect: "write" as const };
    await using app = await startApp({ model, tools: [tool] });
    await page.setViewport({ width: 360, height: 640 });
    await visit(page, app.url);
    await ask(page, "do it");
    (await model.next()).call("act", { say: "x" });
    await appears(page, "asking");
    await ask(page, "And then: " + "a very long message ".repeat(10));
    await appears(page, "queue-item");
    await ask(page, "x".repeat(200));
    await eventually(
      page,
      () => document.querySelectorAll('[data-state="waiting"]').length >= 2,
    );
    const { scroll, composer } = await page.evaluate(() => ({
      scroll: document.querySelector("main")!.scrollWidth,
      composer: document.querySelector("#composer")!.getBoundingClientRect()
        .bottom,
    }));
    assertEquals(scroll, 360);
    assert(composer <= 640);
    await page.$eval(
      '[data-decision="open"] button',
      (button) => (button as HTMLElement).click(),
    );
    (await model.next()).say("Done.").finish();
    (await model.next()).say("Then that.").finish();
    (await model.next()).say("xs.").finish();
    await answerSays(page, "xs.");
    await idle(page);
    assertEquals(await count(page, "turn"), 3);
  },
);
